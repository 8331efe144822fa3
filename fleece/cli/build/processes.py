"""Child processes whose output streams by, and which end when the build does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleece.cli.build.urls import mask
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TAIL = 200
"""How many of the last lines are kept, to look for the reason of a failure."""

_GRACE = 5.0
"""Seconds that a child has to end in, once asked to."""


@dataclass(frozen=True)
class Finished:
    """What a child left: its exit code, and the last lines that it wrote, stdout and stderr as they came."""

    exit_code: int
    tail: tuple[str, ...]


class Processes:
    """The children of one build. `stop` ends those that run, in whichever thread they were started."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run(self, command: Sequence[str], environment: Mapping[str, str], tell: Callable[[str], None]) -> Finished:
        """Run `command` to its end, and tell its output line by line, without the credentials in it.

        Raises:
            CommandError: the build was stopped.
            OSError: the program could not be started.
        """
        tail: deque[str] = deque(maxlen=TAIL)
        with self._start(command, environment) as child:
            try:
                for line in child.stdout or ():
                    tail.append(mask(line.rstrip()))
                    tell(tail[-1])
            finally:
                with self._lock:
                    self._running.discard(child)
        return Finished(child.returncode, tuple(tail))

    def stop(self) -> None:
        """End the children that run, with all that they started, and start no more."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for child in running:
            _signal(child, signal.SIGTERM)
        for child in running:
            try:
                child.wait(_GRACE)
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)

    def _start(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise CommandError("the build was stopped")
            child = subprocess.Popen(  # noqa: S603 (no shell; the arguments are fleece's own)
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # so that what it starts ends with it
            )
            self._running.add(child)
        return child


def _signal(child: subprocess.Popen[str], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(child.pid, number)
        else:
            child.terminate()
