"""YAML nodes as the format wants them: keys that are strings, each once; no tags; no aliases that explode."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, TypeAlias

import yaml

from fleece.cli.config import loader
from fleece.cli.config.tree import OPEN_MARK, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleece.cli.config.source import ConfigError, Source
    from fleece.cli.config.tree import Path

Pairs: TypeAlias = "dict[str, tuple[yaml.Node, yaml.Node]]"
"""The key and value nodes of a mapping, by the text of the key."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_FREE_VISITS = 1000
_VISITS_PER_NODE = 20


class Nodes:
    """Reads the nodes of one source, with errors that name where they are.

    Args:
        source: the text.
        count: how many nodes are in it; aliases may make twenty times as many values of them.
    """

    def __init__(self, source: Source, count: int) -> None:
        self._source = source
        self._visits_left = max(_FREE_VISITS, _VISITS_PER_NODE * count)
        self._depth = 0

    def error(self, node: yaml.Node, path: Path, message: str) -> ConfigError:
        """Return the error that says `message` about what is at `path`."""
        return self._source.error(f"{place(path)}: {message}", node.start_mark.index)

    @contextlib.contextmanager
    def visit(self, node: yaml.Node, path: Path) -> Iterator[None]:
        """Check a node, for the time in which what is below it is read.

        Raises:
            ConfigError: it has a tag, or aliases nest without end or have made too many values.
        """
        if loader.has_tag(node):
            raise self.error(node, path, f"has the YAML tag {node.tag!r}; tags are not allowed")
        self._visits_left -= 1
        self._depth += 1
        if self._visits_left < 0 or self._depth > loader.MAX_DEPTH:
            raise self.error(node, path, "aliases make too many values of too few, or repeat themselves")
        yield
        self._depth -= 1

    def pairs(self, node: yaml.Node, path: Path) -> Pairs:
        """Return the entries of a mapping, with those that ``<<`` merges in first.

        Raises:
            ConfigError: it is no mapping, or has a key twice, or one that is no string.
        """
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, path, "must be a dictionary")
        own: Pairs = {}
        merged: Pairs = {}
        for key, value in node.value:
            name = self._name(key, path)
            if name == "<<" and loader.is_plain(key):
                merged = {**self._merged(value, path), **merged}
            elif name in own:
                raise self.error(key, path, f"the key {name!r} is there twice")
            else:
                own[name] = (key, value)
        return {**merged, **own}

    def _merged(self, node: yaml.Node, path: Path) -> Pairs:
        """Return the entries that a ``<<`` brings; of several mappings, the first that has a key wins."""
        merged: Pairs = {}
        with self.visit(node, (*path, "<<")):
            for mapping in node.value if isinstance(node, yaml.SequenceNode) else [node]:
                merged = {**self.pairs(mapping, (*path, "<<")), **merged}
        return merged

    def _name(self, key: yaml.Node, path: Path) -> str:
        if loader.has_tag(key):
            raise self.error(key, path, f"a key has the YAML tag {key.tag!r}; tags are not allowed")
        if not isinstance(key, yaml.ScalarNode):
            raise self.error(key, path, "a key is a collection; keys must be strings")
        name = self.value(key, path)
        if not isinstance(name, str):
            raise self.error(key, path, f"the key {key.value} is not a string; put it in quotes")
        if OPEN_MARK in name:
            raise self.error(key, path, f"a key has {OPEN_MARK!r} in it, which only begins values")
        return name

    def value(self, node: yaml.ScalarNode, path: Path) -> loader.Scalar:
        """Return the value of a scalar.

        Raises:
            ConfigError: it is an integer of thousands of digits, or has half of a surrogate pair.
        """
        try:
            value = loader.scalar_value(node)
        except ValueError:
            raise self.error(node, path, "the number has too many digits") from None
        return self._whole(value, node, path) if isinstance(value, str) and _SURROGATE.search(value) else value

    def _whole(self, text: str, node: yaml.ScalarNode, path: Path) -> str:
        """Join surrogate pairs, which are how JSON, and YAML with it, escapes a character of more than 16 bits."""
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise self.error(
                node, path, "half of a surrogate pair is no character; write the character itself"
            ) from None
