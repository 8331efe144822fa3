"""Values as parameters of Parameter Store: their names, their texts, and which of them have to be written.

The limits are those of PutParameter in the Systems Manager API reference, and of "Requirements and constraints for
parameter names" in its user guide.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from typing import TYPE_CHECKING

from fleece.cli.config.output import tree_to_json
from fleece.cli.config.tree import Dict, Leaf, place
from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fleece.cli.config.render import Rendered
    from fleece.cli.config.tree import Path, Tree

_log = logging.getLogger(__name__)

TYPE = "SecureString"
DEFAULT_KEY = "alias/aws/ssm"

MAX_NAME = 1011
"""Longest name, in characters; those count, too, that come before it in its ARN."""

MAX_LEVELS = 15
"""Most levels of a name, itself included."""

STANDARD, ADVANCED = "Standard", "Advanced"

MAX_STANDARD, MAX_ADVANCED = 4096, 8192
"""Longest values of the two tiers, in bytes; the advanced one is charged for."""


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter as it should be: its name, its text, and the path of the value that it has."""

    name: str
    value: str = dataclasses.field(repr=False)
    path: Path


@dataclasses.dataclass(frozen=True)
class Existing:
    """A parameter as it is in the account; `key` is an ARN, or `DEFAULT_KEY`."""

    value: str = dataclasses.field(repr=False)
    type: str
    tier: str
    key: str


@dataclasses.dataclass(frozen=True)
class Write:
    """A parameter to write, and why.

    Attributes:
        name: its name.
        value: its new value.
        tier: the tier to ask for; None leaves it to the account.
        changes: ``new`` alone, or those of ``value``, ``type`` and ``key`` that differ.
        type: the type that is there.
    """

    name: str
    value: str = dataclasses.field(repr=False)
    tier: str | None
    changes: tuple[str, ...]
    type: str = TYPE

    def __str__(self) -> str:
        return f"{self.name} ({' and '.join(self.changes)})"


def check_prefix(prefix: str) -> None:
    """Refuse a prefix with which no name begins.

    Raises:
        UsageError: it has no leading slash, or what no name can have.
    """
    if not prefix.startswith("/"):
        raise UsageError(f"the prefix {prefix!r} must begin with a slash, as in /service/stage")
    below = prefix.rstrip("/")
    problem = _name_problem(below, MAX_NAME) if below else None
    if problem:
        raise UsageError(f"the prefix {prefix!r} cannot be used: {problem}")


def parameters(rendered: Rendered, prefix: str, longest: int = MAX_NAME) -> list[Parameter]:
    """Return the values of a stage as parameters below `prefix`; nested dictionaries become levels of the name.

    Args:
        rendered: the values.
        prefix: what every name begins with.
        longest: how many characters a name can have.

    Raises:
        UsageError: the prefix cannot begin a name.
        CommandError: a value cannot be a parameter; the message names it.
    """
    check_prefix(prefix)
    found = list(_flat(rendered, rendered.by_name(), prefix.rstrip("/"), ("config",)))
    for parameter in found:
        problem = _name_problem(parameter.name, longest) or _value_problem(parameter.value)
        if problem:
            raise CommandError(f"{place(parameter.path)} cannot be the parameter {parameter.name}: {problem}")
    return found


def _flat(rendered: Rendered, tree: Dict, prefix: str, path: Path) -> Iterator[Parameter]:
    for key, item in tree.items.items():
        here = (*path, key)
        if "/" in key or not key:
            raise CommandError(f"{place(here)} cannot be a parameter: a key must have characters, and no slash")
        if isinstance(item, Dict):
            if not item.items:
                _log.warning("%s is empty, and makes no parameter", place(here))
            yield from _flat(rendered, item, f"{prefix}/{key}", here)
        else:
            yield Parameter(f"{prefix}/{key}", as_text(rendered, item, here), here)


def as_text(rendered: Rendered, item: Tree, path: Path) -> str:
    """Return a value as one text: numbers as they were written, lists as JSON, null as ``null`` with a warning."""
    if not isinstance(item, Leaf):
        return tree_to_json(item, rendered.value, indent=None)
    value = rendered.value(item)
    if value is None:
        _log.warning("%s is null, and is written as the text 'null'", place(path))
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else item.written


def _name_problem(name: str, longest: int) -> str | None:
    levels = name.removeprefix("/").split("/")
    problems = {
        "a name can have letters, digits and .-_ only": not re.fullmatch(r"[a-zA-Z0-9_.\-/]+", name),
        "two slashes follow each other": "" in levels,
        "names that begin with aws or ssm are AWS's own": levels[0].lower().startswith(("aws", "ssm")),
        f"the name has more than {longest} characters": len(name) > longest,
        f"the name has more than {MAX_LEVELS} levels": len(levels) > MAX_LEVELS,
    }
    return _first(problems)


def _value_problem(value: str) -> str | None:
    size = len(value.encode())
    problems = {
        "Parameter Store takes no empty values": not value,
        "Parameter Store takes no {{ in values": "{{" in value,
        f"the value has {size} bytes, {MAX_ADVANCED} at most are allowed": size > MAX_ADVANCED,
    }
    return _first(problems)


def _first(problems: Mapping[str, bool]) -> str | None:
    return next((problem for problem, is_there in problems.items() if is_there), None)


def plan(wanted: Sequence[Parameter], existing: Mapping[str, Existing], key: str) -> list[Write]:
    """Return what has to be written so that the account has what is wanted, in the order given.

    Args:
        wanted: the parameters as they should be.
        existing: those of them that are there, by name.
        key: the KMS key to use, as in `Existing`.
    """
    writes = []
    for parameter in wanted:
        there = existing.get(parameter.name)
        if changes := _changes(parameter, there, key):
            type_there = there.type if there else TYPE
            writes.append(Write(parameter.name, parameter.value, _tier(parameter, there), changes, type_there))
    return writes


def check_types(writes: Sequence[Write]) -> None:
    """Refuse writes that would change the type of a parameter.

    Raises:
        CommandError: some would; AWS refuses that.
    """
    others = [f"{write.name} is a {write.type}" for write in writes if write.type != TYPE]
    if others:
        raise CommandError(
            f"{', '.join(others)}, and a type cannot change: delete what is there, or take another prefix"
        )


def _tier(parameter: Parameter, there: Existing | None) -> str | None:
    if there is not None and there.tier != STANDARD:
        return there.tier  # AWS refuses to go back
    return ADVANCED if len(parameter.value.encode()) > MAX_STANDARD else None


def _changes(parameter: Parameter, there: Existing | None, key: str) -> tuple[str, ...]:
    if there is None:
        return ("new",)
    if there.type != TYPE:
        return ("type",)
    differs = {"value": there.value != parameter.value, "key": there.key != key}
    return tuple(name for name, is_different in differs.items() if is_different)
