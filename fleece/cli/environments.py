"""``environments.yml``: the AWS accounts that a service lives in, and how to get into each.

Importing this module does not import yaml; reading a file does.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from fleece import _endpoints
from fleece.cli import stages
from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PROVIDERS = ("rackspace", "profile", "environment", "static")
"""Where credentials can come from."""

MAX_BYTES = 1 << 20
"""Largest file that is read; some ten thousand environments."""


class EnvironmentsError(CommandError):
    """``environments.yml`` has a mistake; the message begins with ``FILE:LINE:COLUMN:``."""


@dataclasses.dataclass(frozen=True)
class Environment:
    """An AWS account and how to get into it; the fields are the keys of the file."""

    name: str
    account: str
    role: str | None = None
    provider: str = "rackspace"
    profile: str | None = None
    role_session_name: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    rs_username_var: str | None = None
    rs_apikey_var: str | None = None
    access_key_id: str = "test"
    secret_access_key: str = dataclasses.field(default="test", repr=False)


@dataclasses.dataclass(frozen=True)
class Environments:
    """What an ``environments.yml`` says: its environments by name, and the stages that lead to them, in file order."""

    path: Path
    environments: Mapping[str, Environment]
    stages: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __getitem__(self, name: str) -> Environment:
        """Return the environment of that name.

        Raises:
            UsageError: there is none; the message names the nearest.
        """
        try:
            return self.environments[name]
        except KeyError:
            raise UsageError(
                f"{self.path}: no environment {name!r}; {nearest(name, list(self.environments))}"
            ) from None

    def of_stage(self, name: str) -> Environment:
        """Return the environment that a stage leads to.

        Raises:
            UsageError: no stage matches, or the one that does leads to an unknown environment.
            fleece.cli.stages.StageError: an expression is refused.
        """
        if not name:
            raise UsageError(f"{self.path}: the name of the stage is empty")
        stage = stages.match(name, self.stages)
        if stage is None:
            raise UsageError(f"{self.path}: no stage {name!r}; {nearest(name, list(self.stages))}")
        return self[self.stages[stage]]


def load(path: str | Path, option: str = "--config") -> Environments:
    """Read and check an ``environments.yml``; unknown keys are warnings.

    Args:
        path: the file.
        option: what names another file, for the message when there is none.

    Raises:
        UsageError: there is no such file.
        EnvironmentsError: it is not YAML, has a mistake, or is too large.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)  # and no more: it might be /dev/zero
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; name one with {option}") from None
    except IsADirectoryError:
        raise UsageError(f"{path}: is a folder; name a file with {option}") from None
    if len(text) > MAX_BYTES:
        raise EnvironmentsError(f"{path}: is larger than {MAX_BYTES >> 20} MiB, which cannot be a list of environments")
    return parse(text, path)


def parse(text: str | bytes, path: Path = Path("environments.yml")) -> Environments:
    """Check the text of an ``environments.yml``; `path` is what messages call it.

    Raises:
        EnvironmentsError: it is not YAML, or has a mistake.
    """
    from fleece.cli._environments_reader import read  # noqa: PLC0415 (imports yaml)

    return read(text, path)


def nearest(name: str, names: list[str]) -> str:
    """Return what to say about a name that is not among `names`."""
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"it has {', '.join(map(repr, names))}" if names else "it has none"


# What each key of an environment must look like, beyond being a string: a check that returns what is wrong.
def _matches(pattern: str, what: str) -> Callable[[str], str | None]:
    return lambda text: None if re.fullmatch(pattern, text, re.ASCII) else f"must be {what}"


account_problem = _matches(r"\d{12}", "the 12 digits of an AWS account")
role_problem = _matches(
    r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}|[\w+=,.@-][\w+=,.@/-]{0,511}", "the name or the ARN of a role"
)
session_name_problem = _matches(r"[\w+=,.@-]{2,64}", "2 to 64 letters, digits and _+=,.@-")
region_problem = _matches(r"[a-z]{2,}(-[a-z]+)+-\d+", "the name of an AWS region, such as eu-west-1")
_variable_problem = _matches(r"[A-Za-z_]\w*", "the name of an environment variable")
_any_text = _matches(r"(?s:.+)", "a string that is not empty")

CHECKS: dict[str, Callable[[str], str | None]] = {
    "name": _any_text,
    "account": account_problem,
    "role": role_problem,
    "provider": _matches("|".join(PROVIDERS), f"one of {', '.join(PROVIDERS)}"),
    "profile": _any_text,
    "role_session_name": session_name_problem,
    "region": region_problem,
    "endpoint_url": _endpoints.problem,
    "rs_username_var": _variable_problem,
    "rs_apikey_var": _variable_problem,
    "access_key_id": _any_text,
    "secret_access_key": _any_text,
}
