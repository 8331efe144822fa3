"""Run a Lambda function as Lambda does: in a process of its own, under AWS's own runtime client.

It works without pytest:

    with Runtime("dist.zip", "handler.main") as runtime:
        invocation = runtime.invoke({"id": 1})
        assert invocation.error is None
        assert invocation.result == {"statusCode": 200}

Not emulated: memory and CPU limits, extensions, freezing between invocations, and a file system that is read-only for
root (for any other user the unpacked zip is).
"""

from __future__ import annotations

import shutil
import sys
import threading
import uuid
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from fleece_testing._arguments import checked_text
from fleece_testing._arn import function_arn
from fleece_testing._lifecycle import Startable, not_started
from fleece_testing._runtime_api import FunctionError, Task
from fleece_testing._runtime_arguments import (
    checked_environment,
    checked_number,
    checked_path,
    checked_seconds,
    header,
    json_header,
    payload,
)
from fleece_testing._runtime_code import check_is_there, laid_out
from fleece_testing._runtime_outcome import InitError, Invocation, lines_of, parsed
from fleece_testing._runtime_output import Output
from fleece_testing._runtime_packages import inspect
from fleece_testing._runtime_plan import Plan, lambda_environment
from fleece_testing._runtime_process import Process
from fleece_testing._runtime_snapshot import Snapshot
from fleece_testing._runtime_workers import ENVIRONMENT_VARIABLE
from fleece_testing._trace_header import new_trace_header
from fleece_testing.xray_daemon import XRayDaemon

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

__all__ = ["FunctionError", "InitError", "Invocation", "Runtime"]

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


class Runtime(Startable):
    """A Lambda function that can be invoked.

    Args:
        code: the source folder, or a zip as it would be uploaded.
        handler: ``module.function``, as configured on the function.
        environment: more variables for the function, such as those of the other stubs' ``environment()``. They go over
            Lambda's own. Nothing of this process's environment, credentials above all, gets there by itself.
        python: the interpreter, as a path or a name on the PATH; it needs awslambdaric, of the ``testing`` extra.
        isolated: keep the interpreter's site-packages from the function, but for what Lambda provides (AWS's runtime
            client and boto3, with what they need), so that a package missing from the zip is missing. Default: yes for
            a zip, no for a folder.
        function_name: the function's name.
        function_version: ``$LATEST`` or a number.
        memory: the configured memory in MB: reported, not enforced.
        region: the region, which the environment and the function's ARN name.
        account: the account number in the ARN.
        init_timeout: how long the function may take to come up, in seconds.
        concurrency: over 1, a managed instance with that many worker processes; `invoke` may then be called from as
            many threads, and each worker's lines stay whole. Otherwise calls from several threads wait for each other.
        snapstart: initialise the function once, and have each of its processes be a copy of that, with AWS's hooks
            before the snapshot and after each restore; see `restore`. Not for managed instances.
        xray: the X-Ray daemon for its traces; ``None`` makes one.
        echo: write the function's output to this process's stdout too, after each invocation, where pytest shows it
            with a failing test and `fleece_logs` finds it.

    Raises:
        FileNotFoundError: at `start`, when there is no such code or interpreter.
        TypeError, ValueError: an argument that makes no sense, by its name; SnapStart with workers.
        ValueError: at `start`, when the file is not a zip, or the interpreter is not a Python or has no awslambdaric.
        InitError: at `start`, or at `invoke` when a new process has to be booted.

    Examples:
        >>> code = (tmp_path / "app.py").write_text("def main(event, context): return event['id'] + 1")
        >>> runtime = Runtime(tmp_path, "app.main", function_name="users", snapstart=True).start()
        >>> runtime.invoke({"id": 1}, deadline=20).result
        2
        >>> runtime.restore()
        >>> runtime.logs
        []
        >>> runtime.stop()
    """

    def __init__(
        self,
        code: str | Path,
        handler: str,
        *,
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
        isolated: bool | None = None,
        function_name: str = "test_function",
        function_version: str = "$LATEST",
        memory: int = 128,
        region: str = "us-east-1",
        account: str = "123456789012",
        init_timeout: float = 10.0,
        concurrency: int = 1,
        snapstart: bool = False,
        xray: XRayDaemon | None = None,
        echo: bool = True,
    ) -> None:
        workers = checked_number("concurrency", concurrency)
        if snapstart and workers > 1:
            raise ValueError("SnapStart is not for managed instances: give snapstart=True or a concurrency, not both")
        names = {"region": region, "account": account, "function_name": function_name, "handler": handler}
        for name, value in (names | {"function_version": function_version}).items():
            checked_text(name, value)
        if not (xray is None or isinstance(xray, XRayDaemon)):
            raise TypeError(f"xray must be an XRayDaemon: {xray!r} was given")
        self.arn = function_arn(region, account, function_name)
        self.xray = XRayDaemon() if xray is None else xray
        self._code = checked_path("code", code)
        self._handler = handler
        self._environment = checked_environment({} if environment is None else environment)
        self._python = shutil.which(python) or python
        self._isolated = self._code.is_file() if isolated is None else isolated
        self._settings: dict[str, Any] = {
            "function_name": function_name,
            "version": function_version,
            "memory": checked_number("memory", memory),
            "region": region,
            "concurrency": workers,
            "snapstart": snapstart,
        }
        self._init_timeout = checked_seconds("init_timeout", init_timeout)
        self._stops_xray = xray is None
        self._echo = echo
        self._workers = threading.BoundedSemaphore(workers)
        self._booting = threading.Lock()
        self._resources = ExitStack()
        self._plan: Plan | None = None
        self._output: Output | None = None
        self._snapshot: Snapshot | None = None
        self._process: Process | None = None

    # Running it

    def start(self) -> Self:
        """Unpack the code and boot a process; starting twice does nothing."""
        if self._plan is None:
            try:
                self._prepare()
                self._idle_process()
            except BaseException:
                self.stop()
                raise
        return self

    def stop(self) -> None:
        """End the process, with the calls that other threads wait for, and remove what was unpacked.

        Stopping twice does nothing.
        """
        self._plan = None  # nothing is booted from here on
        self._end_process()
        with ExitStack() as idle:
            for _ in range(self._settings["concurrency"]):
                idle.enter_context(self._workers)  # what the calls read from is closed below
            self._end_process()  # one that was being booted
            self._resources.close()
            self._snapshot = self._output = None

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    # Using it

    def invoke(
        self,
        event: Any = None,
        *,
        deadline: float = 30.0,
        trace_header: str | None = None,
        client_context: Mapping[str, Any] | None = None,
        identity: Mapping[str, str] | None = None,
        tenant_id: str | None = None,
    ) -> Invocation:
        """Invoke the function once and wait for its answer.

        The process is that of the last invocation, warm, unless that one timed out or ended its process.

        Args:
            event: the event, anything that JSON can say.
            deadline: the time that the function has, in seconds; then its process is killed. Lambda's own default is
                3, which a busy machine that runs tests may need for a function that does little.
            trace_header: the value of ``_X_AMZN_TRACE_ID``; ``""`` for none. Default: the one in `environment`, else a
                new trace, sampled.
            client_context: ``{"client": {...}, "custom": {...}, "env": {...}}``, as mobile SDKs send it.
            identity: ``{"cognitoIdentityId": ..., "cognitoIdentityPoolId": ...}``.
            tenant_id: the tenant, of functions that isolate tenants.

        Raises:
            InitError: a new process had to be booted, and did not come up.
            RuntimeError: the runtime has not been started.
            TypeError, ValueError: an argument that the function could not be told, by its name.
        """
        if trace_header is None:
            trace_header = self._environment.get("_X_AMZN_TRACE_ID") or new_trace_header()
        headers = {
            "Lambda-Runtime-Invoked-Function-Arn": self.arn,
            "Lambda-Runtime-Trace-Id": header("trace_header", trace_header),
            "Lambda-Runtime-Client-Context": json_header("client_context", client_context),
            "Lambda-Runtime-Cognito-Identity": json_header("identity", identity),
            "Lambda-Runtime-Aws-Tenant-Id": header("tenant_id", tenant_id),
        }
        sent = {name: value for name, value in headers.items() if value}
        task = Task(str(uuid.uuid4()), payload(event), sent, checked_seconds("deadline", deadline))
        return self._run(task, trace_header)

    def restore(self) -> None:
        """Go on in another process restored from the same snapshot, as if it were another execution environment.

        It has what the one before had when the snapshot was taken, and nothing that the one before did since: the
        module's state, that of the random number generators, and descriptors, so that the two share open connections.
        (On Lambda those are dead.) Only the main thread is copied. A process that timed out or ended is replaced by
        another copy too.

        Raises:
            InitError: the function did not come up, or a hook after the restore failed.
            RuntimeError: the runtime has not been started, or without ``snapstart``.
        """
        if not self._settings["snapstart"]:
            raise RuntimeError("There is no snapshot to restore: give Runtime snapstart=True")
        self._running_output()
        with self._workers, self._booting:
            self._end_process()
            self._process = self._boot()

    @property
    def logs(self) -> list[str]:
        """Every line that the function has written since `start`, its initialisation included."""
        return lines_of(self._running_output().since(0))

    # Inside

    def _shown(self) -> str:
        return f"{self.arn} ({self._handler} of {self._code})"

    def _prepare(self) -> None:
        check_is_there(self._code)
        interpreter = inspect(self._python)
        if self._stops_xray:
            self._resources.enter_context(self.xray)
        task, runtime = self._resources.enter_context(laid_out(self._code, interpreter.packages))
        workers = runtime.parent / "workers" if self._settings["concurrency"] > 1 else None
        self._output = Output(workers)
        self._resources.callback(self._output.close)
        environment = {
            **lambda_environment(python_version=interpreter.version, **self._settings),
            "AWS_XRAY_DAEMON_ADDRESS": self.xray.address,
            **({} if workers is None else {ENVIRONMENT_VARIABLE: str(workers)}),
            **self._environment,
        }
        self._plan = Plan(self._python, self._handler, task, runtime, self._isolated, environment)
        if self._settings["snapstart"]:
            self._snapshot = Snapshot(self._plan, self._output)
            self._resources.callback(self._snapshot.end)

    def _idle_process(self) -> Process:
        """Return the process if it waits for an event, else a new one."""
        with self._booting:
            process = self._process
            if process is not None:
                if process.api.wait_until_idle(self._init_timeout):
                    return process
                process.end()
            self._process = process = self._boot()
            return process

    def _boot(self) -> Process:
        if self._plan is None:
            raise not_started("The runtime")
        output = self._running_output()
        start = output.position()
        process = Process.boot(self._plan, output) if self._snapshot is None else self._snapshot.restore()
        error = process.wait_for_init(self._init_timeout)
        written = output.since(start)
        self._repeat(written)
        if error is not None:
            process.end()
            raise InitError(error, lines_of(written))
        return process

    def _run(self, task: Task, trace_header: str) -> Invocation:
        with self._workers:
            process = self._idle_process()
            output = self._running_output()
            start, traced = output.position(), len(self.xray.subsegments)
            error = process.run(task)
            written = output.since(start)
        self._repeat(written)
        return Invocation(
            request_id=task.request_id,
            result=parsed(task.payload),
            error=error,
            logs=lines_of(written),
            duration=task.duration,
            subsegments=[one for one in self.xray.subsegments[traced:] if one["trace_id"] in trace_header],
        )

    def _running_output(self) -> Output:
        if self._output is None:
            raise not_started("The runtime")
        return self._output

    def _repeat(self, written: str) -> None:
        if self._echo:
            # AWS's runtime client joins the lines of one record by carriage returns: a terminal would show the last.
            sys.stdout.write(written.replace("\r", "\n"))
