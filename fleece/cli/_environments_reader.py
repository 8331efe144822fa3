"""The text of an ``environments.yml`` to its `Environments`, or to a mistake with its line and column.

The text is parsed for positions and never constructed: an account that YAML would read as a number is seen as it was
written.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import yaml

from fleece import _endpoints
from fleece.cli.environments import CHECKS, Environment, Environments, EnvironmentsError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)

_MAX_DEPTH = 50
_SECRET = frozenset({"secret_access_key"})
_OF_PROVIDER = {"profile": "profile", "access_key_id": "static", "secret_access_key": "static"}
"""Keys that only one provider looks at."""


def read(text: str | bytes, path: Path) -> Environments:
    """Check the text of an ``environments.yml``; `path` is what messages call it.

    Raises:
        EnvironmentsError: it is not YAML, or has a mistake.
    """
    return _Reader(path).read(text)


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
        nodes = self._mapping(node, "an environment", known=CHECKS)
        for key in ("name", "account"):
            if key not in nodes:
                raise self._error(node, f"an environment has no {key!r}")
        fields = {key: self._checked(key, nodes[key]) for key in CHECKS if key in nodes}
        environment = Environment(**fields)
        self._check_provider(environment, nodes, node)
        return environment

    def _checked(self, key: str, node: yaml.Node) -> str:
        text = self._string(node, repr(key))
        problem = CHECKS[key](text)
        if problem is not None:
            shown = "its value" if key in _SECRET else repr(text)
            raise self._error(node, f"{key!r}: {shown} {problem}")
        return text

    def _check_provider(self, environment: Environment, nodes: Mapping[str, yaml.Node], node: yaml.Node) -> None:
        for key, provider in _OF_PROVIDER.items():
            if key in nodes and environment.provider != provider:
                place = self._at(nodes[key].start_mark)
                _log.warning("%s %r is not used: it is for 'provider: %s'", place, key, provider)
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
            raise EnvironmentsError(
                f"{self._path}: is not a text file in UTF-8, or has a control character in it"
            ) from error
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
                _log.warning("%s unknown key %r; %s", self._at(key_node.start_mark), key, nearest(key, list(known)))
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
