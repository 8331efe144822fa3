"""What a configuration says, free of how it is written: leaves, lists, dictionaries, and one value for each stage.

Secrets are leaves whose text begins with ``:encrypt:`` (in clear) or ``:decrypt:`` (ciphertext, as base64).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeAlias

from fleece.cli import stages as stage_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import yaml

    from fleece.cli.config.loader import Scalar

OPEN_MARK = ":encrypt:"
"""Begins a secret in clear."""

CLOSED_MARK = ":decrypt:"
"""Begins a secret's ciphertext."""


Path: TypeAlias = "tuple[str | int, ...]"
"""The keys and indexes that lead from the top to a value."""


def place(path: Path) -> str:
    """Return a path as people write it: ``config.users[0].password.+prod``."""
    if not path:
        return "the configuration"
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


@dataclasses.dataclass(frozen=True)
class Stage:
    """A stage as the configuration defines it.

    Attributes:
        name: its name, or its regular expression between slashes.
        environment: a name in ``environments.yml``.
        key: the KMS key: an id, an ARN, or an alias with or without ``alias/``.
    """

    name: str
    environment: str
    key: str


@dataclasses.dataclass(frozen=True)
class Leaf:
    """A string, number, boolean or null.

    Attributes:
        path: the keys and indexes that lead to it.
        value: its value.
        written: its characters, for numbers that are to stay as they were written.
        stage: the stage whose value it is, or is part of; None for a value of every stage.
        node: the YAML node, of which several leaves may be aliases.
    """

    path: Path
    value: Scalar
    written: str
    stage: Stage | None
    node: yaml.ScalarNode

    @property
    def plaintext(self) -> str | None:
        """The text of a secret in clear; None for any other leaf."""
        return self._after(OPEN_MARK)

    @property
    def ciphertext(self) -> str | None:
        """The base64 of an encrypted secret, without the line breaks of a block scalar; None for any other leaf."""
        text = self._after(CLOSED_MARK)
        return None if text is None else "".join(text.split())

    @property
    def is_secret(self) -> bool:
        """Whether it is a secret, in clear or encrypted."""
        return isinstance(self.value, str) and self.value.startswith((OPEN_MARK, CLOSED_MARK))

    @property
    def title(self) -> str:
        """The place and the stage, for messages: ``config.users[0].password.+prod (stage prod)``."""
        return f"{place(self.path)} (stage {self.stage.name})" if self.stage else place(self.path)

    def _after(self, mark: str) -> str | None:
        return self.value[len(mark) :] if isinstance(self.value, str) and self.value.startswith(mark) else None


@dataclasses.dataclass(frozen=True)
class List:
    """A list of values."""

    items: tuple[Tree, ...]


@dataclasses.dataclass(frozen=True)
class Dict:
    """Values by name, in the order of the file."""

    items: Mapping[str, Tree]


@dataclasses.dataclass(frozen=True)
class PerStage:
    """One value for each stage.

    Attributes:
        path: as in `Leaf`.
        ways: the values by the text after the ``+``, in the order of the file.
    """

    path: Path
    ways: Mapping[str, Tree]


Tree: TypeAlias = Leaf | List | Dict | PerStage


def leaves(tree: Tree) -> Iterator[Leaf]:
    """Yield every leaf, in the order of the file."""
    if isinstance(tree, Leaf):
        yield tree
    elif isinstance(tree, List):
        for item in tree.items:
            yield from leaves(item)
    else:
        for item in (tree.items if isinstance(tree, Dict) else tree.ways).values():
            yield from leaves(item)


def as_data(tree: Tree, value_of: Callable[[Leaf], Any]) -> Any:
    """Return the tree as dictionaries and lists, with `value_of` each leaf; stages are keys with a ``+`` again."""
    if isinstance(tree, Leaf):
        return value_of(tree)
    if isinstance(tree, List):
        return [as_data(item, value_of) for item in tree.items]
    if isinstance(tree, Dict):
        return {name: as_data(item, value_of) for name, item in tree.items.items()}
    return {f"+{name}": as_data(item, value_of) for name, item in tree.ways.items()}


def for_stage(tree: Tree, stage: str) -> Tree:
    """Return the tree with the one value that each `PerStage` has for the stage of that name.

    Raises:
        LookupError: one has none; the message is its place.
    """
    if isinstance(tree, PerStage):
        way = stage_names.match(stage, tree.ways)
        if way is None:
            raise LookupError(place(tree.path))
        return for_stage(tree.ways[way], stage)
    if isinstance(tree, List):
        return List(tuple(for_stage(item, stage) for item in tree.items))
    if isinstance(tree, Dict):
        return Dict({name: for_stage(item, stage) for name, item in tree.items.items()})
    return tree
