"""SnapStart: a process that has been initialised once, and is copied for each execution environment.

The copies are made by the system's ``fork``, in the process itself and past Python's own fork hooks
(`_runtime_boot`). So a copy has the memory, the state of the random number generators and the open descriptors of the
snapshot, and nothing has told it so but AWS's restore hooks: as on Lambda.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from fleece_testing._runtime_api import RuntimeAPI
from fleece_testing._runtime_process import Process, Program, kill_group

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment  # Python 3.11's, for mypy alone

    from fleece_testing._runtime_output import Output
    from fleece_testing._runtime_plan import Plan


class Snapshot:
    """A process that initialises the function, and then only makes copies of itself, one at a time."""

    def __init__(self, plan: Plan, output: Output) -> None:
        self._plan = plan
        self._output = output
        self._api = RuntimeAPI()
        self._program: Program | None = None

    def restore(self) -> Process:
        """Make a copy, as soon as there is what to copy; the copy before must have ended."""
        self._api = RuntimeAPI()
        if self._program is None or self._program.ended:
            self.end()
            self._program = self._boot()
        return Process(self._api, _Copy(self._program, self._connection))

    def end(self) -> None:
        """Kill the process that is copied, and let the server go; every copy must have ended."""
        program, self._program = self._program, None
        if program is not None:
            program.kill()
            program.wait()
            program.close()
            self._connection.close()

    def _boot(self) -> Program:
        self._connection, its_end = socket.socketpair()
        with its_end:
            try:
                return Program(self._plan, self._output.write_end, self._answer, its_end.fileno())
            except BaseException:
                self._connection.close()
                raise

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # The copies all ask at the address that was in the environment when the snapshot was taken.
        return self._api(environ, start_response)


class _Copy:
    """A process that the snapshot has made, and reports about: it is no child of this process."""

    def __init__(self, program: Program, connection: socket.socket) -> None:
        self._program = program
        self._reports = connection.makefile("r", encoding="ascii")
        self._pid: int | None = None
        with suppress(BrokenPipeError):  # the snapshot has ended just now, which `wait` will tell
            connection.sendall(b"\n")

    def wait(self) -> int:
        """Wait for its end and return its exit code; that of the snapshot, if that has ended and made no copy."""
        with self._reports:
            self._pid = self._report()
            exit_code = self._report()
        return self._program.wait() if exit_code is None else exit_code

    def _report(self) -> int | None:
        line = ""
        with suppress(ConnectionResetError):  # the snapshot has ended, and has not even read the byte above
            line = self._reports.readline()
        return int(line) if line else None

    def kill(self) -> None:
        """Kill it with all that it started; with the snapshot, if that has made no copy yet."""
        if self._pid is None:
            self._program.kill()
        else:
            kill_group(self._pid)

    def close(self) -> None:
        """Do nothing: the server is the snapshot's."""
