"""From text to YAML nodes with positions, and from a scalar's characters to its value.

Nothing is constructed: a node keeps its characters and where they are, and `scalar_value` reads them by the core schema
of YAML 1.2, in which ``yes``, ``off``, ``12:30:45`` and ``2026-11-22`` are strings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

if TYPE_CHECKING:
    from fleece.cli.config.source import ConfigError, Source

try:
    from yaml._yaml import CParser
except ImportError:  # PyYAML without libyaml
    CParser = None  # type: ignore[assignment,misc]

Scalar: TypeAlias = "str | int | float | bool | None"

MAX_DEPTH = 100
"""How deep collections may be nested. The C parser would crash the process at some ten thousands."""

# The tags that nodes get here. Whatever else is in a node's `tag` was written in the file.
_PLAIN, _QUOTED, _COLLECTION = "plain", "quoted", "collection"

_BLANKS = "\0 \t\r\n\x85\u2028\u2029"

# In a flow collection, libyaml takes the question mark of `?e` for an indicator without a word.
_MISREAD = re.compile(r"[\[{,]\s*\?[^\s,\[\]{}]")


def compose(source: Source) -> yaml.Node:
    """Return the root node of the one document in the source.

    Raises:
        ConfigError: it is no YAML, or no document or several; it has tags; it is nested too deep.
    """
    if CParser is not None and not _MISREAD.search(source.text):
        try:
            return _root(_FastLoader(source))
        except yaml.YAMLError:
            # What the C scanner refuses may be what 1.2.1 wrote; and the other loader's messages are no worse.
            pass
    try:
        return _root(_PureLoader(source))
    except yaml.YAMLError as error:
        # Without the original, whose text quotes the lines around the mistake, secrets and all.
        raise _as_config_error(source, error) from None


def is_plain(node: yaml.ScalarNode) -> bool:
    """Whether a scalar is written without quotes and not as a block, so that its characters decide its type."""
    return node.tag == _PLAIN


def has_tag(node: yaml.Node) -> bool:
    """Whether the file gives the node a type of its own, as in ``!!binary``."""
    return node.tag not in {_PLAIN, _QUOTED, _COLLECTION}


_INTEGER = re.compile(r"[-+]?[0-9]+|0o(?P<octal>[0-7]+)|0x(?P<hexadecimal>[0-9a-fA-F]+)")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_CONSTANTS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def plain_value(text: str) -> Scalar:
    """Return what a plain scalar means in the core schema of YAML 1.2.

    Raises:
        ValueError: an integer of more digits than Python converts.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if integer := _INTEGER.fullmatch(text):
        if integer["octal"]:
            return int(integer["octal"], 8)
        return int(integer["hexadecimal"], 16) if integer["hexadecimal"] else int(text)
    if _FLOAT.fullmatch(text):
        # Python spells infinity and not-a-number without the dot.
        return float(re.sub(r"\.(?=[inIN])", "", text))
    return text


def scalar_value(node: yaml.ScalarNode) -> Scalar:
    """Return the value of a scalar node; a quoted or block scalar is a string.

    Raises:
        ValueError: an integer of more digits than Python converts.
    """
    return plain_value(node.value) if is_plain(node) else str(node.value)


class _Resolver:
    """Mark how each node is written, and count how deep it is: the part of both loaders that is ours."""

    depth = 0
    source: Source

    def resolve(self, kind: type[yaml.Node], _value: Any, implicit: Any) -> str:
        if kind is not yaml.ScalarNode:
            return _COLLECTION
        return _PLAIN if implicit[0] else _QUOTED

    def descend_resolver(self, parent: yaml.Node | None, _index: Any) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH and parent is not None:
            raise self.source.error(f"collections are nested more than {MAX_DEPTH} deep", parent.start_mark.index)

    def ascend_resolver(self) -> None:
        self.depth -= 1


if CParser is not None:

    class _FastLoader(_Resolver, CParser):
        """libyaml's parser, some twenty times as fast as the other."""

        def __init__(self, source: Source) -> None:
            CParser.__init__(self, source.text)
            self.source = source


class _Scanner(Scanner):
    """A scanner for YAML 1.2's plain scalars in flow collections: ``{+prod: :decrypt:AQ==, +/x?/: y}``.

    1.2.1 wrote secrets so, and PyYAML takes such a ``:`` and ``?`` for indicators. Tabs between tokens are read where
    libyaml reads them, which PyYAML refuses.
    """

    _in_plain = False

    def scan_to_next_token(self) -> None:
        super().scan_to_next_token()
        # In a block, a tab must not be taken for indentation.
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()  # type: ignore[attr-defined]
            super().scan_to_next_token()

    def check_key(self) -> bool:
        return bool(super().check_key()) and not self._starts_plain()

    def check_value(self) -> bool:
        return bool(super().check_value()) and (self._after_json_key() or not self._starts_plain())

    def check_plain(self) -> bool:
        return bool(super().check_plain()) or self._starts_plain()

    def scan_plain(self) -> Any:
        self._in_plain = True
        try:
            return super().scan_plain()
        finally:
            self._in_plain = False

    def peek(self, index: int = 0) -> str:
        character = str(super().peek(index))  # type: ignore[misc]
        # Inside a plain scalar a question mark is a letter like any other, which `scan_plain` does not know.
        return "x" if self._in_plain and character == "?" else character

    def _starts_plain(self) -> bool:
        """Whether an indicator begins a plain scalar after all: something that can be part of one comes next."""
        return bool(self.flow_level) and self.peek() in ":?" and self.peek(1) not in _BLANKS + ",[]{}"

    def _after_json_key(self) -> bool:
        """Whether what was read last is a key that needs no space after its colon, as in ``{"a":1}``."""
        last = self.tokens[-1] if self.tokens else None
        return isinstance(last, yaml.ScalarToken) and not last.plain


class _PureLoader(_Scanner, Reader, Parser, Composer, _Resolver):
    """PyYAML's own parser over `_Scanner`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        Reader.__init__(self, source.text)
        _Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


def _root(loader: Any) -> yaml.Node:
    root = loader.get_single_node()
    if not isinstance(root, yaml.Node):
        raise loader.source.error("there is nothing in it; a configuration has 'stages' and 'config'")
    return root


_HINTS = {
    "mapping values are not allowed here": (
        "a text that has a colon before a space, or at its end, has to be put in quotes"
    ),
    "found character '\\t' that cannot start any token": "YAML is indented with spaces, not with tabs",
}
"""What to do about the problems of PyYAML's that people have most."""


def _as_config_error(source: Source, error: Exception) -> ConfigError:
    if isinstance(error, ReaderError):
        return source.error(f"the character U+{error.character:04X} is not allowed in YAML", error.position)
    if isinstance(error, yaml.MarkedYAMLError):
        what = ", ".join(part for part in (error.context, error.problem) if part)
        if hint := _HINTS.get(error.problem or ""):
            what += f"; {hint}"
        mark = error.problem_mark or error.context_mark
        return source.error(f"this is not YAML: {what}", mark.index if mark else None)
    return source.error("this is not YAML")
