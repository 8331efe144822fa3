"""Bytecode for the target: which interpreter on this machine can make it, and how it is made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fleece.cli.build.processes import Processes
    from fleece.cli.build.target import Runtime

SCRIPT = Path(__file__).with_name("_compile_tree.py")
"""Compiles a folder, the first argument, into another, the second."""

OPTIONS = ("-s", "-S", "-W", "ignore")
"""Of the interpreter that runs the script."""

VARIABLES = {"PYTHONHASHSEED": "0"}
"""Up to Python 3.10 the order of a frozenset's items, which goes into the bytecode, hangs on the seed."""

_WHO = (
    "import sys; print(*sys.version_info[:2], sys.version_info[3], sys.implementation.name, sys.executable, sep='\\n')"
)


def find_interpreter(runtime: Runtime, environment: Mapping[str, str]) -> str | None:
    """Return the path of a released CPython of the runtime's minor version, or None when there is none.

    Looked for: the one that runs fleece, then ``pythonX.Y`` on PATH, then those that uv knows.
    """
    if not runtime.has_unchecked_bytecode:
        return None
    return next((found for one in _candidates(runtime, environment) if (found := _checked(one, runtime))), None)


def compile_tree(tree: Path, interpreter: str, processes: Processes, environment: Mapping[str, str]) -> None:
    """Write the bytecode of every module in `tree` beside it.

    Raises:
        CommandError: the interpreter failed.
    """
    clean = {name: value for name, value in environment.items() if not name.startswith("PYTHON")}
    command = [interpreter, *OPTIONS, str(SCRIPT), str(tree), str(tree)]
    lines: list[str] = []
    finished = processes.run(command, {**clean, **VARIABLES}, lines.append)
    if finished.exit_code:
        raise CommandError(f"{interpreter} could not compile the packages: {' '.join(lines[-1:])}")


def _candidates(runtime: Runtime, environment: Mapping[str, str]) -> Iterator[str]:
    if sys.version_info[:2] == runtime.version:
        yield sys.executable
    for folder in environment.get("PATH", "").split(os.pathsep):
        # Each folder in turn: the first may hold a stand-in (pyenv's) for a Python that is not there.
        found = shutil.which(f"python{runtime}", path=folder) if folder else None
        if found:
            yield found
    uv = shutil.which("uv", path=environment.get("PATH"))
    if uv:
        known = _output([uv, "python", "find", "--no-project", "--no-python-downloads", str(runtime)])
        if known:
            yield known.strip()


def _checked(interpreter: str, runtime: Runtime) -> str | None:
    answer = _output([interpreter, "-I", "-S", "-c", _WHO]).splitlines()
    wanted = [*map(str, runtime.version), "final", "cpython"]
    return answer[-1] if answer[:-1] == wanted else None


def _output(command: list[str]) -> str:
    try:
        finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return finished.stdout if finished.returncode == 0 else ""
