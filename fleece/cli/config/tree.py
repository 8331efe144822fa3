"""What a configuration says, free of how it is written: leaves, lists, dictionaries, and one value for each stage.

Secrets are leaves whose text begins with ``:encrypt:`` (in clear) or ``:decrypt:`` (ciphertext, as base64).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from fleece.cli import stages as stage_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """A stage as the configuration defines it.

    Attributes:
        name: its name, or its regular expression between slashes.
        environment: a name in ``environments.yml``.
        key: the KMS key: an id, an ARN, or an alias with or without ``alias/``.
        start: where it is defined: the index of a character.
    """

    name: str
    environment: str
    key: str
    start: int = dataclasses.field(default=0, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
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


@dataclasses.dataclass(frozen=True, slots=True)
class List:
    """A list of values."""

    items: tuple[Tree, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Dict:
    """Values by name, in the order of the file."""

    items: Mapping[str, Tree]


@dataclasses.dataclass(frozen=True, slots=True)
class PerStage:
    """One value for each stage.

    Attributes:
        path: as in `Leaf`.
        by_stage: the values by the text after the ``+``, in the order of the file.
        start: where the first is written: the index of a character.
    """

    path: Path
    by_stage: Mapping[str, Tree]
    start: int = 0


Tree: TypeAlias = Leaf | List | Dict | PerStage


Made = TypeVar("Made")


class Visitor(Protocol[Made]):
    """What is made of each part of a tree by `walk`."""

    def leaf(self, leaf: Leaf) -> Made:
        """Return what is made of a leaf."""

    def list(self, items: Sequence[Made]) -> Made:
        """Return what is made of a list, from what was made of its items."""

    def dict(self, items: Mapping[str, Made]) -> Made:
        """Return what is made of a dictionary, from what was made of its values."""

    def per_stage(self, tree: PerStage, visit: Callable[[str], Made]) -> Made:
        """Return what is made of values by stage; `visit` walks the value of one stage, by its name."""


def walk(tree: Tree, visitor: Visitor[Made]) -> Made:
    """Go through a tree, in the order of the file: the one way in which secrets, values and mistakes are found."""
    if isinstance(tree, Leaf):
        return visitor.leaf(tree)
    if isinstance(tree, List):
        return visitor.list([walk(item, visitor) for item in tree.items])
    if isinstance(tree, Dict):
        return visitor.dict({name: walk(item, visitor) for name, item in tree.items.items()})
    return visitor.per_stage(tree, lambda name: walk(tree.by_stage[name], visitor))


def leaves(tree: Tree) -> Sequence[Leaf]:
    """Return every leaf, in the order of the file."""
    visitor = _Leaves()
    walk(tree, visitor)
    return visitor.found


def as_data(tree: Tree, value_of: Callable[[Leaf], Any]) -> Any:
    """Return the tree as dictionaries and lists, with `value_of` each leaf; stages are keys with a ``+`` again."""
    return walk(tree, _AsData(value_of))


def for_stage(tree: Tree, stage: str) -> Tree:
    """Return the tree with the one value that each `PerStage` has for the stage of that name.

    Raises:
        LookupError: one has none; it is the argument.
    """
    return walk(tree, _ForStage(stage))


class _Leaves(Visitor[None]):
    """Collects the leaves."""

    def __init__(self) -> None:
        self.found: list[Leaf] = []

    def leaf(self, leaf: Leaf) -> None:
        self.found.append(leaf)

    def list(self, items: Sequence[None]) -> None:
        pass

    def dict(self, items: Mapping[str, None]) -> None:
        pass

    def per_stage(self, tree: PerStage, visit: Callable[[str], None]) -> None:
        for name in tree.by_stage:
            visit(name)


class _AsData(Visitor[Any]):
    """Makes dictionaries and lists."""

    def __init__(self, value_of: Callable[[Leaf], Any]) -> None:
        self._value_of = value_of

    def leaf(self, leaf: Leaf) -> Any:
        return self._value_of(leaf)

    def list(self, items: Sequence[Any]) -> Any:
        return items

    def dict(self, items: Mapping[str, Any]) -> Any:
        return items

    def per_stage(self, tree: PerStage, visit: Callable[[str], Any]) -> Any:
        return {f"+{name}": visit(name) for name in tree.by_stage}


class _ForStage(Visitor[Tree]):
    """Chooses the values of one stage."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def leaf(self, leaf: Leaf) -> Tree:
        return leaf

    def list(self, items: Sequence[Tree]) -> Tree:
        return List(tuple(items))

    def dict(self, items: Mapping[str, Tree]) -> Tree:
        return Dict(items)

    def per_stage(self, tree: PerStage, visit: Callable[[str], Tree]) -> Tree:
        name = stage_names.match(self._stage, tree.by_stage)
        if name is None:
            raise LookupError(tree)
        return visit(name)
