"""What to run for a function: the command and the whole environment, as pure data."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleece_testing import _runtime_boot
from fleece_testing._environment import NO_OTHER_SOURCES
from fleece_testing._isolation.environment import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

_INHERITED = ("LD_LIBRARY_PATH", "TMPDIR", FOLDER)


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
        if self.isolated and FOLDER in os.environ:  # the tests are, and the function is to be as well
            path = os.pathsep.join([os.environ[FOLDER], path])
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


def lambda_environment(
    *,
    function_name: str,
    version: str,
    memory: int,
    region: str,
    python_version: str,
    concurrency: int,
    snapstart: bool,
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
    if snapstart:
        environment["AWS_LAMBDA_INITIALIZATION_TYPE"] = "snap-start"
    if concurrency > 1:  # a managed instance, which always logs JSON
        environment["AWS_LAMBDA_INITIALIZATION_TYPE"] = "lambda-managed-instances"
        environment["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
        environment["AWS_LAMBDA_MAX_CONCURRENCY"] = str(concurrency)
    return environment
