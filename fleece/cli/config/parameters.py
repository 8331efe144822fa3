"""Values as parameters of Parameter Store: their names, their texts, and which of them have to be written.

The limits are those of PutParameter in the Systems Manager API reference, and of "Requirements and constraints for
parameter names" in its user guide.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from typing import TYPE_CHECKING, NamedTuple

from fleece.cli.config.output import to_json
from fleece.cli.config.tree import Dict, Leaf, as_data, place
from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fleece.cli.config.render import Rendered
    from fleece.cli.config.tree import Path, Tree

_log = logging.getLogger(__name__)

TYPE = "SecureString"
DEFAULT_KEY = "alias/aws/ssm"

MAX_NAME = 1011
"""Longest name, in characters."""

MAX_LEVELS = 15
"""Most levels of a name, itself included."""

MAX_STANDARD, MAX_ADVANCED = 4096, 8192
"""Longest values of the two tiers, in bytes; the advanced one is charged for."""


class Parameter(NamedTuple):
    """A parameter as it should be: its name, its text, and the path of the value that it has."""

    name: str
    value: str
    path: Path


class Existing(NamedTuple):
    """A parameter as it is in the account; `key` is an ARN, or `DEFAULT_KEY`."""

    value: str
    type: str
    tier: str
    key: str


@dataclasses.dataclass(frozen=True)
class Write:
    """A parameter to write, and why: ``new``, or which of value and key differ."""

    name: str
    value: str = dataclasses.field(repr=False)
    advanced: bool
    why: str


def parameters(rendered: Rendered, prefix: str) -> list[Parameter]:
    """Return the values of a stage as parameters below `prefix`; nested dictionaries become levels of the name.

    Raises:
        UsageError: the prefix cannot begin a name.
        CommandError: a value cannot be a parameter; the message names it.
    """
    if not prefix.startswith("/"):
        raise UsageError(f"the prefix {prefix!r} must begin with a slash, as in /service/stage")
    if not isinstance(rendered.tree, Dict):
        raise CommandError("config is no dictionary for this stage, so its values have no names")
    found = list(_flat(rendered, rendered.tree, prefix.rstrip("/"), ("config",)))
    for parameter in found:
        problem = _problem(parameter)
        if problem:
            raise CommandError(f"{place(parameter.path)} cannot be the parameter {parameter.name}: {problem}")
    return found


def _flat(rendered: Rendered, tree: Dict, prefix: str, path: Path) -> Iterator[Parameter]:
    for key, item in tree.items.items():
        here = (*path, key)
        if "/" in key or not key:
            raise CommandError(f"{place(here)} cannot be a parameter: a key must have characters, and no slash")
        if isinstance(item, Dict):
            yield from _flat(rendered, item, f"{prefix}/{key}", here)
        else:
            yield Parameter(f"{prefix}/{key}", _text(rendered, item, here), here)


def _text(rendered: Rendered, item: Tree, path: Path) -> str:
    if not isinstance(item, Leaf):
        return to_json(as_data(item, rendered.value), indent=None)
    value = rendered.value(item)
    if value is None:
        _log.warning("%s is null, and is written as the text 'null'", place(path))
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else item.written


def _problem(parameter: Parameter) -> str | None:
    levels = parameter.name.removeprefix("/").split("/")
    size = len(parameter.value.encode())
    problems = {
        "a name can have letters, digits and .-_ only": not re.fullmatch(r"[a-zA-Z0-9_.\-/]+", parameter.name),
        "two slashes follow each other": "" in levels,
        "names that begin with aws or ssm are AWS's own": levels[0].lower().startswith(("aws", "ssm")),
        f"the name has more than {MAX_NAME} characters": len(parameter.name) > MAX_NAME,
        f"the name has more than {MAX_LEVELS} levels": len(levels) > MAX_LEVELS,
        "Parameter Store takes no empty values": not parameter.value,
        "Parameter Store takes no {{ in values": "{{" in parameter.value,
        f"the value has {size} bytes, {MAX_ADVANCED} at most are allowed": size > MAX_ADVANCED,
    }
    return next((problem for problem, is_there in problems.items() if is_there), None)


def plan(wanted: Sequence[Parameter], existing: Mapping[str, Existing], key: str) -> list[Write]:
    """Return what has to be written so that the account has what is wanted, in the order given.

    Args:
        wanted: the parameters as they should be.
        existing: those of them that are there, by name.
        key: the KMS key to use, as in `Existing`.

    Raises:
        CommandError: one is there with another type, which cannot be changed.
    """
    writes = []
    for parameter in wanted:
        there = existing.get(parameter.name)
        if there is not None and there.type != TYPE:
            raise CommandError(
                f"{parameter.name} is a {there.type}, and a type cannot change: delete it, or take another prefix"
            )
        why = _difference(parameter, there, key)
        if why:
            # Once advanced, always advanced: AWS refuses to go back.
            advanced = len(parameter.value.encode()) > MAX_STANDARD or (there is not None and there.tier == "Advanced")
            writes.append(Write(parameter.name, parameter.value, advanced, why))
    return writes


def _difference(parameter: Parameter, there: Existing | None, key: str) -> str:
    if there is None:
        return "new"
    differs = {"value": there.value != parameter.value, "key": there.key != key}
    return " and ".join(name for name, is_different in differs.items() if is_different)
