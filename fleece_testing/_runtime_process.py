"""A function's process: AWS's runtime client in a child of its own, with the Runtime API that it asks."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from fleece_testing._http import LoopbackServer, QuietRequestHandler
from fleece_testing._runtime_api import FunctionError, RuntimeAPI, Task
from fleece_testing._runtime_lifeline import Lifeline

if TYPE_CHECKING:
    from io import BufferedIOBase
    from wsgiref.types import WSGIApplication  # Python 3.11's, for mypy alone

    from fleece_testing._runtime_output import Output
    from fleece_testing._runtime_plan import Plan


class Child(Protocol):
    """A process that has been started."""

    def wait(self) -> int:
        """Wait for its end, and return its exit code, or the number of the signal that ended it, below zero."""

    def kill(self) -> None:
        """Kill it with all that it started."""

    def close(self) -> None:
        """Let go what it needed, once it has ended."""


class Program:
    """AWS's runtime client in a child, and the server of the Runtime API that it asks.

    Args:
        plan: what to run.
        output: the descriptor that its stdout and stderr go to.
        app: the Runtime API.
        snapshots: the program's end of the connection to a `fleece_testing._runtime_snapshot.Snapshot`.
    """

    def __init__(self, plan: Plan, output: int, app: WSGIApplication, snapshots: int | None = None) -> None:
        self._server = LoopbackServer(app, request_handler=_RequestHandler).start()
        self._address = f"{self._server.host}:{self._server.port}"
        self._lifeline = Lifeline()
        mine = [self._lifeline.end_of_child, *([] if snapshots is None else [snapshots])]
        try:
            self._child = subprocess.Popen(  # noqa: S603 (the tester's own code, without a shell)
                [*plan.command(), *([] if snapshots is None else map(str, mine))],
                cwd=plan.task,
                env=plan.variables(self._address),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=mine,
            )
        except BaseException:
            self.close()
            raise
        self._lifeline.tie(self._child.pid)

    @property
    def ended(self) -> bool:
        """Whether the process is no more."""
        return self._child.poll() is not None

    def wait(self) -> int:
        """Wait for its end, and return its exit code, or the number of the signal that ended it, below zero."""
        return self._child.wait()

    def kill(self) -> None:
        """Kill it with all that it started."""
        kill_group(self._child.pid)

    def close(self) -> None:
        """Let the server go, once the process has ended, and what it has left behind; closing twice does nothing."""
        self._lifeline.close()
        address, self._address = self._address, ""
        if address:  # while the port is still this server's
            _kill_started_with(f"AWS_LAMBDA_RUNTIME_API={address}")
        self._server.stop()


class Process:
    """The process of one execution environment, to its end; a new one is made after each end, as Lambda does."""

    def __init__(self, api: RuntimeAPI, child: Child) -> None:
        self.api = api
        self._child = child
        self._exit_code = 0
        self._watcher = threading.Thread(target=self._watch, name="fleece_testing runtime process", daemon=True)
        self._watcher.start()

    @classmethod
    def boot(cls, plan: Plan, output: Output) -> Process:
        """Start a program of its own for it."""
        api = RuntimeAPI()
        return cls(api, Program(plan, output.write_end, api))

    def wait_for_init(self, timeout: float) -> FunctionError | None:
        """Wait until the function can be invoked; what is returned is why it cannot."""
        if self.api.wait_until_idle(timeout):
            return None
        if self.api.init_error is not None:
            return self.api.init_error
        if self.api.ended:
            return self._exit_error()
        return FunctionError("Sandbox.Timedout", f"Error: Init timed out after {timeout:.2f} seconds")

    def run(self, task: Task) -> FunctionError | None:
        """Run one invocation to its end, and return its error, be it the function's or Lambda's own."""
        self.api.submit(task)
        self.api.wait(task)
        if task.ended is None:
            crashed = self.api.ended
            self.end()
            task.end(error=self._exit_error(task) if crashed else _timeout(task))
        return task.error

    def _exit_error(self, task: Task | None = None) -> FunctionError:
        """Return what Lambda reports when the process has ended by itself."""
        self._watcher.join()
        reason = "Runtime exited without providing a reason"
        if self._exit_code > 0:
            reason = f"Runtime exited with error: exit status {self._exit_code}"
        elif self._exit_code < 0:
            name = signal.strsignal(-self._exit_code) or str(-self._exit_code)
            reason = f"Runtime exited with error: signal: {name.lower()}"
        about = "" if task is None else f"RequestId: {task.request_id} "
        return FunctionError("Runtime.ExitError", f"{about}Error: {reason}")

    def end(self) -> None:
        """Kill the process with all that it started, and let the server and the threads go."""
        if self._watcher.is_alive():
            self._child.kill()
            self._watcher.join()
        self._child.close()
        self.api.join()

    def _watch(self) -> None:
        self._exit_code = self._child.wait()
        self._child.kill()
        self.api.end()


def kill_group(leader: int) -> None:
    """Kill a process group, if there is (still) one."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _kill_started_with(variable: str) -> None:
    """Kill what has left the process group, known by a variable that it was started with; on Linux alone."""
    wanted = b"\0%s\0" % variable.encode()
    for process in Path("/proc").glob("[1-9]*"):
        with suppress(OSError):  # another user's, or gone
            if wanted in b"\0%s" % (process / "environ").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


class _WithoutLongLines:
    """A stream whose lines end where the limit for them does, which Python's HTTP server would refuse."""

    def __init__(self, stream: BufferedIOBase) -> None:
        self._stream = stream

    def readline(self, limit: int) -> bytes:
        line = self._stream.readline(limit)
        if len(line) < limit:
            return line
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = self._stream.readline(limit)
        return line[: limit - len(b"\r\n") - 1] + b"\r\n"


class _RequestHandler(QuietRequestHandler):
    """Take the runtime client's headers, one of which has a traceback for X-Ray: up to 1 MB, and nobody reads it."""

    def parse_request(self) -> bool:
        stream: BufferedIOBase = self.rfile
        self.rfile = cast("BufferedIOBase", _WithoutLongLines(stream))  # one method of it is used
        try:
            return super().parse_request()
        finally:
            self.rfile = stream


def _timeout(task: Task) -> FunctionError:
    return FunctionError(
        "Sandbox.Timedout", f"RequestId: {task.request_id} Error: Task timed out after {task.deadline:.2f} seconds"
    )
