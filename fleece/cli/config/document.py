"""The one walk over a parsed configuration: every rule of the format is checked here, and a tree comes out.

Mistakes are reported with file, line and key.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import gc
import shlex
from typing import TYPE_CHECKING

import yaml

from fleece.cli import stages as stage_names
from fleece.cli.config import loader, text
from fleece.cli.config.nodes import Nodes, Pairs
from fleece.cli.config.tree import OPEN_MARK, Dict, Leaf, List, Path, PerStage, Stage, Tree, leaves
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fleece.cli.config.source import ConfigError, Source


@dataclasses.dataclass(frozen=True)
class Document:
    """A configuration, open or closed.

    Attributes:
        source: its text.
        root: all of it.
        stages: its stages by name, in the order of the file.
        config: what is below ``config``.
        contexts: what surrounds each node, by its ``id``.
    """

    source: Source
    root: Dict
    stages: Mapping[str, Stage]
    config: Tree
    contexts: Mapping[int, text.Context]

    @property
    def closing_command(self) -> str:
        """What to run to have secrets encrypted that are still open in the file, for messages."""
        name = shlex.quote(self.source.name)
        return f"fleece config -c {name} import < {name}"

    def secrets(self) -> Iterator[Leaf]:
        """Yield the leaf of each secret, in the order of the file; of the aliases of one secret, the first."""
        seen = set()
        for leaf in leaves(self.config):
            if leaf.is_secret and id(leaf.node) not in seen:
                seen.add(id(leaf.node))
                yield leaf

    def spot(self, leaf: Leaf) -> text.Spot:
        """Return where a leaf is written."""
        return text.locate(self.source, leaf.node, self.contexts[id(leaf.node)])

    def blanked(self, hidden: Iterable[Leaf]) -> str:
        """Return the text with spaces in the place of some leaves: all else is where it was."""
        spots = [self.spot(leaf) for leaf in {id(leaf.node): leaf for leaf in hidden}.values()]
        return text.substitute(self.source.text, [blank for spot in spots for blank in spot.blanks()])

    def title(self, leaf: Leaf) -> str:
        """Return where a leaf is, for messages: ``config.yml:12: config.password.+prod (stage prod)``."""
        return self.source.at(leaf.node.start_mark.index) + leaf.title

    def error(self, leaf: Leaf, message: str) -> ConfigError:
        """Return the error that says `message` about a leaf."""
        return self.source.error(f"{leaf.title}: {message}", leaf.node.start_mark.index)


def parse(source: Source) -> Document:
    """Read a configuration.

    Raises:
        ConfigError: it is no YAML, or breaks a rule of the format.
    """
    with _collector_paused():
        return _parsed(source)


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Let nobody look for garbage while thousands of small objects are made that all stay: it makes big files slow."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parsed(source: Source) -> Document:
    root = loader.compose(source)
    contexts = text.contexts(source, root)
    nodes = Nodes(source, len(contexts))
    pairs = nodes.pairs(root, ())
    for name in ("stages", "config"):
        if name not in pairs:
            raise source.error(f"{name!r} is missing; a configuration has 'stages' and 'config'")
    stages = _stages(nodes, nodes.pairs(pairs["stages"][1], ("stages",)))
    if not isinstance(pairs["config"][1], yaml.MappingNode):
        raise nodes.error(pairs["config"][1], ("config",), "must be a dictionary")
    config = _Walk(nodes, stages).tree(pairs["config"][1], ("config",), None)
    secrets = _checked_secrets(nodes, config)
    others = _Walk(nodes, None)
    items = {
        name: config if name == "config" else others.tree(node, (name,), None) for name, (_, node) in pairs.items()
    }
    _check_others(nodes, Dict({name: item for name, item in items.items() if name != "config"}), secrets)
    return Document(source, Dict(items), stages, config, contexts)


def _stages(nodes: Nodes, pairs: Pairs) -> dict[str, Stage]:
    stages = {}
    for name, (key, value) in pairs.items():
        path = ("stages", name)
        _check_name(nodes, key, name, path)
        fields = nodes.pairs(value, path)
        missing = [field for field in ("environment", "key") if field not in fields]
        if missing:
            raise nodes.error(key, path, f"{missing[0]!r} is missing; a stage has an environment and a key")
        environment, kms_key = (_text(nodes, fields[field][1], (*path, field)) for field in ("environment", "key"))
        stages[name] = Stage(name, environment, kms_key, key.start_mark.index)
    return stages


def _text(nodes: Nodes, node: yaml.Node, path: Path) -> str:
    with nodes.visit(node, path):
        value = nodes.value(node, path) if isinstance(node, yaml.ScalarNode) else None
    if not isinstance(value, str) or not value:
        raise nodes.error(node, path, "must be a string that is not empty; a number has to be put in quotes")
    return value


def _check_name(nodes: Nodes, key: yaml.Node, name: str, path: Path) -> None:
    """Refuse a stage's name that is empty or too long, and an expression that cannot be used."""
    if not name:
        raise nodes.error(key, path, "the name of the stage is empty")
    try:
        if stage_names.is_expression(name):
            stage_names.compiled(name)
        else:
            stage_names.match(name, ())
    except CommandError as error:
        raise nodes.error(key, path, str(error)) from None


class _Walk:
    """Goes from a node to the leaves below it, with the path and the stage of where it is.

    Args:
        nodes: reads and checks each node.
        stages: the stages that a ``+`` key can mean; None outside ``config``, where a ``+`` means nothing.
    """

    def __init__(self, nodes: Nodes, stages: Mapping[str, Stage] | None) -> None:
        self._nodes = nodes
        self._stages = stages

    def tree(self, node: yaml.Node, path: Path, stage: Stage | None) -> Tree:
        """Return what a node says; `stage` is the one that it belongs to."""
        with self._nodes.visit(node, path):
            if isinstance(node, yaml.ScalarNode):
                return Leaf(path, self._nodes.value(node, path), node.value, stage, node)
            if isinstance(node, yaml.SequenceNode):
                return List(tuple(self.tree(item, (*path, i), stage) for i, item in enumerate(node.value)))
            pairs = self._nodes.pairs(node, path)
            if self._stages is not None and self._is_per_stage(pairs, path):
                return self._per_stage(pairs, path, self._stages)
            return Dict({name: self.tree(value, (*path, name), stage) for name, (_, value) in pairs.items()})

    def _is_per_stage(self, pairs: Pairs, path: Path) -> bool:
        staged = [name for name in pairs if name.startswith("+")]
        plain = [name for name in pairs if not name.startswith("+")]
        if staged and plain:
            raise self._nodes.error(
                pairs[plain[0]][0],
                path,
                f"{plain[0]!r} and {staged[0]!r} are mixed; either every key names a stage with '+', or none does",
            )
        return bool(staged)

    def _per_stage(self, pairs: Pairs, path: Path, stages: Mapping[str, Stage]) -> PerStage:
        by_stage = {}
        for name, (key, value) in pairs.items():
            stage = self._stage_of(name[1:], key, (*path, name), stages)
            by_stage[name[1:]] = self.tree(value, (*path, name), stage)
        return PerStage(path, by_stage, next(iter(pairs.values()))[0].start_mark.index)

    def _stage_of(self, name: str, key: yaml.Node, path: Path, stages: Mapping[str, Stage]) -> Stage:
        """Return the stage that a ``+`` key means; an expression means the stage that is written the same."""
        _check_name(self._nodes, key, name, path)
        found: str | None = name
        if name not in stages:
            # An expression that is no stage's: its text is matched as if it were a name, which is what 1.2.1 did.
            found = stage_names.match(name, stages) if len(name) <= stage_names.MAX_NAME else None
        if found is None:
            raise self._nodes.error(key, path, f"there is no stage {name!r}; the stages are {', '.join(stages)}")
        return stages[found]


def _checked_secrets(nodes: Nodes, config: Tree) -> set[int]:
    """Check each secret below ``config``, and return the ``id`` of their nodes."""
    first: dict[int, Leaf] = {}
    for leaf in leaves(config):
        if not leaf.is_secret:
            _check_clear(nodes, leaf)
            continue
        if leaf.stage is None:
            raise nodes.error(
                leaf.node,
                leaf.path,
                "a secret must be a stage's, as in '+prod: :encrypt:...'; it has no stage's key here",
            )
        if leaf.ciphertext is not None and not _is_base64(leaf.ciphertext):
            raise nodes.error(leaf.node, leaf.path, "the ciphertext after ':decrypt:' is not base64")
        other = first.setdefault(id(leaf.node), leaf)
        if other.stage != leaf.stage:
            raise nodes.error(
                leaf.node, leaf.path, f"shares its secret with {other.title} through an alias; write it twice"
            )
    return set(first)


def _check_others(nodes: Nodes, others: Tree, secrets: set[int]) -> None:
    """Check what is beside ``config``: secrets can be there only for aliases in ``config`` to use."""
    for leaf in leaves(others):
        if id(leaf.node) not in secrets:
            _check_clear(nodes, leaf)
            if leaf.plaintext is not None:
                raise nodes.error(leaf.node, leaf.path, "a secret must be below 'config', and a stage's")


def _check_clear(nodes: Nodes, leaf: Leaf) -> None:
    """Refuse a text that has the mark of a secret somewhere in it: it would be written in clear."""
    if not leaf.is_secret and isinstance(leaf.value, str) and OPEN_MARK in leaf.value:
        raise nodes.error(leaf.node, leaf.path, f"has {OPEN_MARK!r} inside of its text; a secret begins with it")


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:  # of base64 itself, and of characters that are not ASCII
        return False
