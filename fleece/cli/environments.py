"""``environments.yml``: the AWS accounts that a service lives in, and how to get into each.

The file is parsed for positions, so that a mistake is reported with its line and column, and never constructed: an
account that YAML would read as a number is seen as it was written.
"""

from __future__ import annotations

import dataclasses
import difflib
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from fleece import _endpoints
from fleece.cli import stages
from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_log = logging.getLogger(__name__)

_MAX_DEPTH = 50

PROVIDERS = ("rackspace", "profile", "environment", "static")
"""Where credentials can come from."""


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
                f"{self.path}: no environment {name!r}; {_nearest(name, list(self.environments))}"
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
            raise UsageError(f"{self.path}: no stage {name!r}; {_nearest(name, list(self.stages))}")
        return self[self.stages[stage]]


def load(path: str | Path, option: str = "--config") -> Environments:
    """Read and check an ``environments.yml``; unknown keys are warnings.

    Args:
        path: the file.
        option: what names another file, for the message when there is none.

    Raises:
        UsageError: there is no such file.
        EnvironmentsError: it is not YAML, or has a mistake.
    """
    path = Path(path)
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file; name one with {option}") from None
    return parse(text, path)


def parse(text: str | bytes, path: Path = Path("environments.yml")) -> Environments:
    """Check the text of an ``environments.yml``; `path` is what messages call it.

    Raises:
        EnvironmentsError: it is not YAML, or has a mistake.
    """
    return _Reader(path).read(text)


def _nearest(name: str, names: list[str]) -> str:
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

_CHECKS: dict[str, Callable[[str], str | None]] = {
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
_SECRET = frozenset({"secret_access_key"})


class _Reader:
    """Turns the nodes of one file into `Environments`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, text: str | bytes) -> Environments:
        root = self._compose(text)
        top = self._mapping(root, "the file", known=("environments", "stages"))
        if "environments" not in top:
            raise self._error(root, "'environments:' is missing")
        environments: dict[str, Environment] = {}
        for node in self._items(top["environments"], "'environments'"):
            environment = self._environment(node)
            if environment.name in environments:
                raise self._error(node, f"the environment {environment.name!r} is there twice")
            environments[environment.name] = environment
        return Environments(self._path, environments, self._stages(top.get("stages")))

    def _environment(self, node: yaml.Node) -> Environment:
        nodes = self._mapping(node, "an environment", known=_CHECKS)
        for key in ("name", "account"):
            if key not in nodes:
                raise self._error(node, f"an environment has no {key!r}")
        fields = {key: self._checked(key, nodes[key]) for key in _CHECKS if key in nodes}
        environment = Environment(**fields)
        self._check_provider(environment, nodes, node)
        return environment

    def _checked(self, key: str, node: yaml.Node) -> str:
        text = self._string(node, repr(key))
        problem = _CHECKS[key](text)
        if problem is not None:
            shown = "its value" if key in _SECRET else repr(text)
            raise self._error(node, f"{key!r}: {shown} {problem}")
        return text

    def _check_provider(self, environment: Environment, nodes: Mapping[str, yaml.Node], node: yaml.Node) -> None:
        if environment.provider == "profile" and environment.profile is None:
            raise self._error(
                node, "'provider: profile' needs the name of the profile, as in 'profile: my-sso-profile'"
            )
        if environment.provider == "static":
            url = environment.endpoint_url
            if url is None or not _endpoints.is_loopback(url):
                raise self._error(
                    nodes.get("endpoint_url", node),
                    "'provider: static' is for emulators: it needs an 'endpoint_url' on this machine, "
                    "such as http://127.0.0.1:4566",
                )

    def _stages(self, node: yaml.Node | None) -> dict[str, str]:
        found = {}
        for name, stage in (self._mapping(node, "'stages'") if node is not None else {}).items():
            keys = self._mapping(stage, f"the stage {name!r}", known=("environment", "key"))
            if "environment" not in keys:
                raise self._error(stage, f"the stage {name!r} has no 'environment'")
            found[name] = self._string(keys["environment"], "'environment'")
        return found

    def _compose(self, text: str | bytes) -> yaml.Node:
        try:
            root = yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise EnvironmentsError(f"{self._at(mark)} {error.problem or error.context}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise EnvironmentsError(f"{self._path}: is not a text file in UTF-8") from error
        if root is None:
            raise EnvironmentsError(f"{self._path}: is empty; it needs 'environments:'")
        return root

    def _mapping(self, node: yaml.Node, what: str, known: Any = None) -> dict[str, yaml.Node]:
        """Return the values of a mapping by key, each key once; with `known`, warn about keys that are not in it."""
        if not isinstance(node, yaml.MappingNode):
            raise self._error(node, f"{what} must be a mapping of keys to values")
        found: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise self._error(key_node, "merge keys (<<) are not supported here: write the keys out")
            key = self._string(key_node, "a key")
            if key in found:
                raise self._error(key_node, f"the key {key!r} is there twice")
            found[key] = value
            if known is not None and key not in known:
                _log.warning("%s unknown key %r; %s", self._at(key_node.start_mark), key, _nearest(key, list(known)))
        return found

    def _items(self, node: yaml.Node, what: str) -> Iterator[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._error(node, f"{what} must be a list")
        return iter(node.value)

    def _string(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, f"{what} must be a string")
        if node.tag != "tag:yaml.org,2002:str":
            raise self._error(node, f"{what} must be a string: put it in quotes")
        return str(node.value)

    def _error(self, node: yaml.Node, message: str) -> EnvironmentsError:
        return EnvironmentsError(f"{self._at(node.start_mark)} {message}")

    def _at(self, mark: yaml.Mark | None) -> str:
        return f"{self._path}:{mark.line + 1}:{mark.column + 1}:" if mark is not None else f"{self._path}:"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's safe loader, which stops at a depth that the file never has: libyaml would crash the process at some."""

    depth = 0

    def descend_resolver(self, current_node: yaml.Node | None, current_index: Any) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            mark = current_node.start_mark if current_node is not None else None
            raise yaml.MarkedYAMLError(problem="is nested too deeply", problem_mark=mark)
        super().descend_resolver(current_node, current_index)

    def ascend_resolver(self) -> None:
        self.depth -= 1
        super().ascend_resolver()
