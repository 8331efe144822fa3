"""A function's process: AWS's runtime client in a child of its own, with the Runtime API that it asks."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleece_testing import _runtime_boot
from fleece_testing._environment import NO_OTHER_SOURCES
from fleece_testing._http import LoopbackServer
from fleece_testing._runtime_api import FunctionError, RuntimeAPI, Task
from fleece_testing._runtime_lifeline import Lifeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleece_testing._runtime_output import Output

_INHERITED = ("LD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True)
class Plan:
    """What to run: everything about the process that stays the same from one boot to the next.

    Attributes:
        python: the interpreter.
        handler: ``module.function``.
        task: the function's folder, ``/var/task`` on Lambda.
        runtime: the folder of the packages that the runtime provides.
        isolated: whether the interpreter's own site-packages are out of reach.
        environment: the variables, complete but for what this module adds.
    """

    python: str
    handler: str
    task: Path
    runtime: Path
    isolated: bool
    environment: Mapping[str, str]

    def command(self) -> list[str]:
        """Return the child's arguments."""
        flags = ["-B", "-S"] if self.isolated else ["-B"]
        return [self.python, *flags, _runtime_boot.__file__, self.handler]

    def variables(self, api: str) -> dict[str, str]:
        """Return the child's whole environment: that of Lambda, and nothing of this process that is not needed."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        path = str(self.runtime) if self.isolated else os.environ.get("PYTHONPATH", "")
        return {
            **inherited,
            "PATH": os.pathsep.join([str(Path(self.python).parent), "/usr/local/bin", "/usr/bin", "/bin", "/opt/bin"]),
            **({"PYTHONPATH": path} if path else {}),
            "LAMBDA_TASK_ROOT": str(self.task),
            "LAMBDA_RUNTIME_DIR": str(self.runtime),
            "_HANDLER": self.handler,
            **self.environment,
            "AWS_LAMBDA_RUNTIME_API": api,
        }


class Process:
    """One child, from its boot to its end; a new one is made after each end, as Lambda does."""

    def __init__(self, plan: Plan, output: Output) -> None:
        self.api = RuntimeAPI()
        self._server = LoopbackServer(self.api).start()
        self._lifeline = Lifeline()
        try:
            self._child = subprocess.Popen(  # noqa: S603 (the tester's own code, without a shell)
                plan.command(),
                cwd=plan.task,
                env=plan.variables(f"{self._server.host}:{self._server.port}"),
                stdin=subprocess.DEVNULL,
                stdout=output.write_end,
                stderr=output.write_end,
                start_new_session=True,
                pass_fds=[self._lifeline.end_of_child],
            )
        except BaseException:
            self._lifeline.close()
            self._server.stop()
            raise
        self._lifeline.tie(self._child.pid)
        self._watcher = threading.Thread(target=self._watch, name="fleece_testing runtime process", daemon=True)
        self._watcher.start()

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
        code = self._child.wait()
        reason = "Runtime exited without providing a reason"
        if code > 0:
            reason = f"Runtime exited with error: exit status {code}"
        elif code < 0:
            reason = f"Runtime exited with error: signal: {(signal.strsignal(-code) or str(-code)).lower()}"
        about = "" if task is None else f"RequestId: {task.request_id} "
        return FunctionError("Runtime.ExitError", f"{about}Error: {reason}")

    def end(self) -> None:
        """Kill the process with all that it started, and let the server and the threads go."""
        if self._watcher.is_alive():
            self._kill_all()
            self._watcher.join()
        self._lifeline.close()
        self._server.stop()
        self.api.join()

    def _watch(self) -> None:
        self._child.wait()
        self._kill_all()
        self.api.end()

    def _kill_all(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)


def _timeout(task: Task) -> FunctionError:
    return FunctionError(
        "Sandbox.Timedout", f"RequestId: {task.request_id} Error: Task timed out after {task.deadline:.2f} seconds"
    )


def lambda_environment(
    *, function_name: str, version: str, memory: int, region: str, python_version: str, concurrency: int
) -> dict[str, str]:
    """Return the variables that Lambda sets, but for those that depend on where the code lies.

    There are no credentials, and boto3 finds none: what it would look at next is switched off.
    """
    day = time.strftime("%Y/%m/%d", time.gmtime())
    environment = {
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{python_version}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "AWS_LAMBDA_FUNCTION_NAME": function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function_name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{day}/[{version}]{secrets.token_hex(16)}",
        "AWS_REGION": region,
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        **NO_OTHER_SOURCES,
    }
    if concurrency > 1:  # a managed instance, which always logs JSON
        environment["AWS_LAMBDA_INITIALIZATION_TYPE"] = "lambda-managed-instances"
        environment["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        environment["AWS_LAMBDA_MAX_CONCURRENCY"] = str(concurrency)
    return environment
