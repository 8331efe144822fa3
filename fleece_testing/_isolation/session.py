"""One isolated session: the guard in this process, and what its children need to have it too."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleece_testing._isolation import environment, guard
from fleece_testing._isolation.guard.child import REPORT
from fleece_testing._isolation.guard.hook import Guard
from fleece_testing._isolation.guard.places import COPY, Place
from fleece_testing._lifecycle import Startable
from fleece_testing._private_folder import private_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

_SITECUSTOMIZE = f"""\
import os
import sys

if sys.version_info >= (3, 8):  # the first with audit hooks
    from {COPY}.child import start

    start(os.path.dirname(__file__))
"""


@dataclass(frozen=True)
class Attempt:
    """What somebody tried to do outside of this machine.

    Attributes:
        what: the attempt in words, such as ``connect to 192.0.2.1:443``.
        place: the line that tried.
        how: how that line led to the attempt: ``at`` it, or ``in a thread started at`` it.
        test: the node id of the test for which the process was started, or that ran; "" outside of all tests.
        command: the command line of the child process that tried; "" for this process.
    """

    what: str
    place: Place
    how: str
    test: str
    command: str


class Isolation(Startable):
    """Nothing leaves this machine between `start` and `stop`, from this process and its children.

    Credentials, profiles and proxies in the environment are replaced meanwhile, and put back at the end.
    """

    def __init__(self) -> None:
        self._resources = ExitStack()
        self._folder: Path | None = None
        self._guard: Guard | None = None
        self._before: dict[str, str | None] = {}
        self._read = 0

    def start(self) -> Self:
        """Put up the guard and change the environment."""
        if self._folder is None:
            # In that of the session around this one, which takes it away when a worker of pytest-xdist cannot.
            around = Path(os.environ.get(environment.FOLDER, ""))
            parent = around if environment.FOLDER in os.environ and around.is_dir() else None
            self._folder = self._resources.enter_context(private_folder("fleece-isolate-", parent))
            _furnish(self._folder)
            changes = environment.changes(os.environ, str(self._folder))
            self._before = {name: os.environ.get(name) for name in changes}
            _apply(changes)
            self._guard = Guard(str(self._folder / REPORT))
            self._guard.start()
        return self

    def stop(self) -> None:
        """Let everything pass again, put the environment back and take the folder away."""
        folder, self._folder = self._folder, None
        if self._guard is not None:
            self._guard.stop()
            self._guard = None
        if folder is not None:
            _apply(self._before)
            self._resources.close()

    def attempts(self) -> list[Attempt]:
        """Return what has been tried since this was last asked, the oldest first."""
        if self._folder is None:
            return []
        with (self._folder / REPORT).open("rb") as report:
            report.seek(self._read)
            # The last line may be one that is being written.
            lines = [line for line in report if line.endswith(b"\n")]
        self._read += sum(map(len, lines))
        return [_attempt(json.loads(line)) for line in lines]


def _furnish(folder: Path) -> None:
    """Put into the folder what Python finds there when a child starts: a copy, which needs no fleece in the child."""
    shutil.copytree(Path(guard.__file__).parent, folder / COPY, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE, encoding="utf-8")
    (folder / REPORT).touch()


def _apply(changes: Mapping[str, str | None]) -> None:
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _attempt(record: dict[str, Any]) -> Attempt:
    return Attempt(
        what=record["what"],
        place=Place(*record["place"]),
        how=record["how"],
        test=record["test"].rpartition(" (")[0],  # pytest adds the phase, as in "test_it.py::test_it (call)"
        command="" if record["pid"] == os.getpid() else record["command"],
    )
