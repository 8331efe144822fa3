"""The demo: the example service goes through its life, offline, and each step's result is checked.

Nothing is simulated that could be real: the commands are the ``fleece`` command in child processes, the function is the
built zip under AWS's own runtime client, and what is printed is what they printed.
"""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from fleece_testing._http import LoopbackServer
from fleece_testing._text import printable
from fleece_testing.local.demo_checks import StepFailedError
from fleece_testing.local.demo_steps import STEPS
from fleece_testing.local.directory import Directory
from fleece_testing.local.resources import ResourcesError, read_resources
from fleece_testing.local.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rich.console import Console

    from fleece_testing.runtime import Invocation


@dataclass
class Demo:
    """The state that the steps share.

    Attributes:
        console: where everything is shown.
        source: the folder ``localstack`` of a checkout.
        work: a folder for a copy of it; nothing is written anywhere else.
        wheels: a folder of wheels, to build from with no package index; None leaves pip as it is configured.
        stack: the local stack; started and stopped by the caller.
    """

    console: Console
    source: Path
    work: Path
    wheels: Path | None
    stack: Stack
    directory: Directory = field(default_factory=Directory)
    environ: dict[str, str] = field(default_factory=dict)
    invocations: list[Invocation] = field(default_factory=list)

    @property
    def service(self) -> Path:
        """The copy of the example service that the demo works on."""
        return self.work / "service"

    @property
    def zip(self) -> Path:
        """The package that the build step makes."""
        return self.service / "dist" / "lambda_function.zip"

    def run(self, *arguments: str, stdin: str = "", source: str | None = None, limit: int = 40) -> str:
        """Run the ``fleece`` command as a user would, show it and what it says on stderr, and return its stdout.

        Args:
            arguments: of the command.
            stdin: what it reads.
            source: where that comes from, as it is to be shown.
            limit: how many lines of stderr to show at most.

        Raises:
            StepFailedError: it ended with another exit code than 0.
        """
        shown = shlex.join(["fleece", *arguments]).replace(sys.executable, "python")
        self.console.print(Text(f"$ {shown}" + (f" < {source}" if source else ""), style="bold"))
        done = subprocess.run(  # noqa: S603 (our own command line)
            [sys.executable, "-m", "fleece", *arguments],
            cwd=self.work,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        self.show(done.stderr, style="dim", limit=limit)
        if done.returncode != 0:
            raise StepFailedError(f"fleece {arguments[0]} ended with exit code {done.returncode}: {_last(done.stderr)}")
        return done.stdout

    def show(self, text: str, style: str = "", limit: int = 40) -> None:
        """Print others' text as it is, long lines cut at the edge, and no more than `limit` lines."""
        lines = text.splitlines()
        for line in lines[:limit]:
            self.console.print(Text(printable(line), style=style), no_wrap=True, overflow="ellipsis", crop=True)
        if len(lines) > limit:
            self.console.print(Text(f"... {len(lines) - limit} more lines", style="dim"))


def run_demo(console: Console, source: Path, work: Path, wheels: Path | None, stack: Stack | None = None) -> int:
    """Run all steps; stop at the first that fails.

    Args:
        console: where everything is shown.
        source: the folder ``localstack`` of a checkout.
        work: a folder of its own, the caller's to remove.
        wheels: a folder of wheels to build from, or None.
        stack: another stack than the embedded one.

    Returns:
        The exit code: 0 when every step did what it should, else 1.
    """
    try:
        stack = stack or Stack(read_resources(source / "resources.yml"))
    except ResourcesError as error:
        console.print(Text(str(error), style="red"))
        return 1
    demo = Demo(console, source, work, wheels, stack)
    began = time.perf_counter()
    finished: list[tuple[str, str, float]] = []
    with contextlib.ExitStack() as running:
        directory = running.enter_context(LoopbackServer(demo.directory))
        running.callback(stack.stop)  # started by the first step
        demo.directory.url = directory.url
        for number, (title, step) in enumerate(STEPS.items(), 1):
            console.rule(Text(f"{number}. {title}", style="bold"), align="left")
            start = time.perf_counter()
            result = _outcome(demo, number, step)
            if result is None:
                return 1
            finished.append((title, result, time.perf_counter() - start))
            console.print(Text(f"✓ {result} ({finished[-1][2]:.1f} s)\n", style="green"))
    console.rule(Text("All steps did what they should", style="bold green"), align="left")
    console.print(_closing_table(finished, time.perf_counter() - began))
    return 0


def _outcome(demo: Demo, number: int, step: Callable[[Demo], str]) -> str | None:
    """Take one step and return what it says it achieved; or tell why it failed, and return None."""
    try:
        return step(demo)
    except StepFailedError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 (any fault of a part is this step's failure, and told as one)
        reason = f"{type(error).__name__}: {error}"
    demo.console.print(Text(f"✗ Step {number} failed: {reason}", style="bold red"))
    return None


def _closing_table(finished: list[tuple[str, str, float]], total: float) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("step")
    table.add_column("result")
    table.add_column("seconds", justify="right")
    for title, result, seconds in finished:
        table.add_row(title.partition(":")[0], result, f"{seconds:.1f}")
    table.add_row("", Text("in all", style="bold"), Text(f"{total:.1f}", style="bold"))
    return table


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
