"""The installed ``fleece`` command as a child process, and environments that lead it to the emulators."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleece_testing._extras import require

require("The fleece command", "click", "yaml", extra="cli")

import yaml  # noqa: E402 (after the hint)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CommandLine", "Result", "write_environments"]

_ACCOUNT = "123456789012"  # the emulated AWS's own


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command did: its output, undecodable bytes as surrogates, and its exit code (negative: a signal).

    Examples:
        >>> Result(("config",), '{"a": 1}', "", 0).json()
        {'a': 1}
    """

    arguments: tuple[str | bytes, ...]
    stdout: str
    stderr: str
    exit_code: int

    def json(self) -> Any:
        """Return the one JSON document on stdout.

        Raises:
            ValueError: stdout is not one; the message has all that the command said.
        """
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise ValueError(f"stdout is not JSON: {error}; {self}") from error


class CommandLine:
    """Runs ``fleece`` in a folder: ``CommandLine(folder)("config", "export").stdout``.

    The child has this process's environment, but for endpoints of AWS, which the command takes from
    ``environments.yml`` alone, and keeps its cache in the folder. It has no terminal, so it asks nothing.

    Examples:
        >>> fleece = CommandLine(tmp_path)
        >>> result = fleece("config", "render", "prod", env={"FLEECE_DEBUG": None})
        >>> result.exit_code, result.stdout
        (2, '')
        >>> "AWS_ENDPOINT_URL" in fleece.environment({"AWS_PROFILE": None})
        False
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def __call__(
        self,
        *arguments: str | bytes | os.PathLike[str],
        stdin: str | bytes = b"",
        env: Mapping[str, str | None] | None = None,
        timeout: float = 60,
    ) -> Result:
        """Run the command to its end.

        Args:
            arguments: what follows ``fleece``.
            stdin: what it can read.
            env: variables that are added, or with None taken away.
            timeout: seconds.

        Raises:
            subprocess.TimeoutExpired: it took longer, and was killed with what it had started.
        """
        given = tuple(os.fspath(argument) for argument in arguments)
        with subprocess.Popen(  # noqa: S603 (this interpreter and fleece)
            [sys.executable, "-m", "fleece", *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self.environment(env),
            start_new_session=True,  # without the terminal of whoever runs the tests
        ) as child:
            try:
                stdout, stderr = child.communicate(stdin.encode() if isinstance(stdin, str) else stdin, timeout)
            except BaseException:  # an interrupted test run, too
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                raise
        return Result(given, _text(stdout), _text(stderr), child.returncode)

    def environment(self, changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """Return the variables that the command is run with."""
        variables: dict[str, str | None] = {
            name: value for name, value in os.environ.items() if not name.startswith("AWS_ENDPOINT_URL")
        }
        variables |= {"XDG_CACHE_HOME": str(self.folder / ".cache"), **(changes or {})}
        return {name: value for name, value in variables.items() if value is not None}


def write_environments(folder: str | Path, endpoint_url: str, environments: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write an ``environments.yml`` whose environments have this endpoint, and return its path.

    Args:
        folder: where to write it.
        endpoint_url: the emulated AWS.
        environments: for each name the keys of that environment; ``account`` and ``endpoint_url`` have defaults, and a
            key that is None is left out.

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
        keys = {"name": name, "account": _ACCOUNT, "endpoint_url": endpoint_url, **given}
        entries.append({key: value for key, value in keys.items() if value is not None})
    path.write_text(yaml.safe_dump({"environments": entries}, sort_keys=False), encoding="utf-8")
    return path


def _text(output: bytes) -> str:
    return output.decode("utf-8", "surrogateescape")
