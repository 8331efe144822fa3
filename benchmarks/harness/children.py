"""Start the contestants' processes, and read their times."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from harness.errors import BenchmarkError
from harness.model import Command, Contestant, Evidence, Interpreters, Stage, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

from harness.model import Row

KEPT_VARIABLES = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")
"""What contestants see of this process's environment: settings of AWS, Python or fleece would change what they do."""

REHEARSAL_CALLS = 3
TIMEOUT_SECONDS = 300

Times: TypeAlias = "Mapping[str, float]"
"""Seconds by part; work that has no parts has one, named ``""``."""

_CHILD = Path(__file__).with_name("child.py")
_TIMED_STATEMENT = "import time; begin = time.process_time(); {code}; print(time.process_time() - begin)"
_MAX_MESSAGE = 2000
_NO_FILES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Company:
    """What starts the contestants of one row.

    Args:
        name: the row's name.
        row: the row.
        interpreters: where the contestants' environments are.
        stage: what the contestants talk to.
    """

    name: str
    row: Row
    interpreters: Interpreters
    stage: Stage

    def rehearse(self, contestant: Contestant) -> None:
        """Let a contestant do its work a few times, and check that it does. This also writes its bytecode.

        Raises:
            BenchmarkError: it does not do the work.
        """
        self.stage.received()
        calls = 1 if isinstance(contestant.measure, (Statement, Command)) else REHEARSAL_CALLS
        output, _ = self._perform(contestant, str(calls))
        evidence = Evidence(calls, output, tuple(self.stage.received()))
        try:
            contestant.check(evidence)
        except Exception as error:
            raise BenchmarkError(
                f"{self.name}: {contestant.name} does not do the work: {error!r}; seen: {evidence}"[:_MAX_MESSAGE]
            ) from error

    def perform(self, contestant: Contestant) -> Times:
        """Let a contestant do its work, in a process of its own, and return its times.

        Raises:
            BenchmarkError: the process failed.
        """
        _, times = self._perform(contestant)
        return times

    def _perform(self, contestant: Contestant, *calls: str) -> tuple[bytes, Times]:
        measure = contestant.measure
        python = self.interpreters.python(contestant.environment)
        if isinstance(measure, Statement):
            finished = self._start(contestant, [python, "-I", "-c", _TIMED_STATEMENT.format(code=measure.code)])
            return finished.output, {"": float(finished.output)}
        if isinstance(measure, Command):
            program, *arguments = measure.arguments
            finished = self._start(contestant, [python.parent / program, *arguments], measure.files)
            return finished.output, {"": finished.seconds[self.row.clock]}
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder, "times.json")
            finished = self._start(contestant, [python, "-I", _CHILD, self.name, contestant.name, result, *calls])
            return finished.output, json.loads(result.read_text(encoding="utf-8"))

    def _start(
        self, contestant: Contestant, arguments: Sequence[str | Path], files: Mapping[str, str] = _NO_FILES
    ) -> _Finished:
        kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
        variables = kept | dict(self.stage.variables) | dict(contestant.variables)
        try:
            finished = _run(arguments, variables, files)
        except OSError as error:
            raise BenchmarkError(f"{self.name}: {contestant.name} could not be run: {error}") from error
        if finished.status:
            said = finished.errors.decode(errors="replace").strip()[-_MAX_MESSAGE:]
            raise BenchmarkError(f"{self.name}: {contestant.name} ended with {finished.status}: {said}")
        return finished


@dataclass(frozen=True)
class _Finished:
    """A process that has ended, with what it wrote and the seconds that it took by each clock."""

    status: int
    output: bytes
    errors: bytes
    seconds: Mapping[str, float]


def _run(arguments: Sequence[str | Path], variables: Mapping[str, str], files: Mapping[str, str]) -> _Finished:
    """Run a process to its end, in a new folder that holds `files`. Its output goes to files: no reader disturbs it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
    ):
        for path, content in files.items():
            Path(folder, path).write_text(content, encoding="utf-8")
        begin = time.perf_counter()
        process = subprocess.Popen(arguments, env=variables, cwd=folder, stdout=output, stderr=errors)
        overdue = threading.Timer(TIMEOUT_SECONDS, process.kill)
        overdue.start()
        try:
            _, wait_status, usage = os.wait4(process.pid, 0)  # and not process.wait(), which tells no CPU time
            wall = time.perf_counter() - begin
        except BaseException:  # Ctrl-C
            process.kill()
            raise
        finally:
            overdue.cancel()
        process.returncode = os.waitstatus_to_exitcode(wait_status)
        output.seek(0)
        errors.seek(0)
        seconds = {"cpu": usage.ru_utime + usage.ru_stime, "wall": wall}
        return _Finished(process.returncode, output.read(), errors.read(), seconds)
