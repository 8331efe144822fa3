"""Environments that lead the command to the emulators."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fleece.cli.environments import Environment
from fleece_testing._arguments import check_names

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_ACCOUNT = "123456789012"  # the emulated AWS's own


def write_environments(folder: str | Path, endpoint_url: str, environments: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write an ``environments.yml`` whose environments have this endpoint, and return its path.

    Args:
        folder: where to write it.
        endpoint_url: the emulated AWS.
        environments: for each name the keys of that environment; ``account`` and ``endpoint_url`` have defaults, and a
            key that is None is left out.

    Raises:
        TypeError: an environment is not a dict, or has a key that environments do not have.

    Examples:
        >>> print(write_environments(tmp_path, "http://127.0.0.1:4566", {"staging": {}}).read_text())
        environments:
        - name: staging
          account: '123456789012'
          endpoint_url: http://127.0.0.1:4566
        <BLANKLINE>
    """
    path = Path(folder) / "environments.yml"
    entries = []
    for name, given in environments.items():
        _check(name, given)
        keys = {"name": name, "account": _ACCOUNT, "endpoint_url": endpoint_url, **given}
        entries.append({key: value for key, value in keys.items() if value is not None})
    path.write_text(yaml.safe_dump({"environments": entries}, sort_keys=False), encoding="utf-8")
    return path


def _check(name: str, given: Any) -> None:
    """See that these can be the keys of an environment; what they lead to is for the command to judge."""
    what = f"The environment {name!r}"
    if not isinstance(given, Mapping):
        raise TypeError(f"{what} is a dictionary of its keys, such as {{'account': '210987654321'}}, not {given!r}")
    check_names(what, Environment, given, "key")
