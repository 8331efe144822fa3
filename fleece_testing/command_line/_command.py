"""The command, in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fleece_testing._arguments import checked_mapping, checked_text
from fleece_testing.command_line._result import Result, text_of
from fleece_testing.command_line._terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_COMMAND = (sys.executable, "-m", "fleece")


class CommandLine:
    """Runs ``fleece`` in a folder: ``CommandLine(folder)("config", "export").stdout``.

    The command has this process's environment, but for endpoints of AWS, which it takes from ``environments.yml``
    alone, and keeps its cache in the folder. But for `terminal`, it has no terminal, so it asks nothing.

    Args:
        folder: where it runs.
        in_process: run it in this process, unless a call says otherwise; it takes a fraction of the time.

    Examples:
        >>> fleece = CommandLine(tmp_path)
        >>> result = fleece("config", "render", "prod", env={"FLEECE_DEBUG": None})
        >>> result.exit_code, result.stdout
        (2, '')
        >>> fleece("config", "render", "prod", in_process=True).stderr == result.stderr
        True
        >>> "AWS_ENDPOINT_URL" in fleece.environment({"AWS_PROFILE": None})
        False
    """

    def __init__(self, folder: str | Path, *, in_process: bool = False) -> None:
        self.folder = Path(folder)
        self.in_process = in_process

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r}, in_process={self.in_process})"

    def __call__(
        self,
        *arguments: str | bytes | os.PathLike[str],
        stdin: str | bytes = b"",
        env: Mapping[str, str | None] | None = None,
        timeout: float = 60,
        in_process: bool | None = None,
    ) -> Result:
        """Run the command to its end, without a terminal.

        Args:
            arguments: what follows ``fleece``.
            stdin: what it can read.
            env: variables that are added, or with None taken away.
            timeout: seconds, for a child; in this process it has the time that the test has.
            in_process: whether it runs in this process, by default as the `CommandLine` says. Environment, working
                folder, streams, signal handlers and logging are put back afterwards. ``fleece run`` becomes the program
                that it runs, so it needs a child.

        Raises:
            subprocess.TimeoutExpired: the child took longer, and was killed with what it had started.
            RuntimeError: in this process, the command would become another program.
            TypeError: an argument or a variable is nothing that a program can be given.
        """
        given = _checked(arguments)
        data = stdin.encode() if isinstance(stdin, str) else stdin
        if self.in_process if in_process is None else in_process:
            from fleece_testing.command_line import _in_process  # noqa: PLC0415 (imports the command and click)

            return _in_process.run(given, data, self.environment(env), self.folder)
        return self._run_child(given, data, self.environment(env), timeout)

    def terminal(
        self,
        *arguments: str | bytes | os.PathLike[str],
        stdin: str | bytes | None = None,
        pipes: Collection[str] = (),
        env: Mapping[str, str | None] | None = None,
        rows: int = 24,
        columns: int = 80,
        timeout: float = 60,
    ) -> Terminal:
        """Return a terminal for a ``with`` block, in which the command runs and can ask; the options are `Terminal`'s.

        Examples:
            >>> options = {"env": {"RS_USERNAME": "me", "RS_API_KEY": None}, "pipes": ["stdout"]}
            >>> with fleece_cli.terminal("run", "-a", "123456789012", "--export", "json", **options) as terminal:
            ...     asked = terminal.expect("Rackspace API key of me: ")
            ...     terminal.send(terminal.CTRL_C)
            ...     result = terminal.wait()
            >>> result.exit_code, result.stdout
            (130, '')
        """
        return Terminal(
            [*_COMMAND, *_checked(arguments)],
            folder=self.folder,
            environment=self.environment(env),
            stdin=stdin,
            pipes=pipes,
            rows=rows,
            columns=columns,
            timeout=timeout,
        )

    def environment(self, changes: Mapping[str, str | None] | None = None) -> dict[str, str]:
        """Return the variables that the command is run with; `changes` are added, or with None taken away.

        Raises:
            TypeError: a variable is neither text nor None.
        """
        for name, value in checked_mapping("env", changes).items():
            if value is not None:
                checked_text(f"env[{name!r}]", value)
        variables: dict[str, str | None] = {
            name: value for name, value in os.environ.items() if not name.startswith("AWS_ENDPOINT_URL")
        }
        variables |= {"XDG_CACHE_HOME": str(self.folder / ".cache"), **(changes or {})}
        return {name: value for name, value in variables.items() if value is not None}

    def _run_child(
        self, arguments: tuple[str | bytes, ...], stdin: bytes, environment: Mapping[str, str], timeout: float
    ) -> Result:
        with subprocess.Popen(  # noqa: S603 (this interpreter and fleece)
            [*_COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=environment,
            start_new_session=True,  # without the terminal of whoever runs the tests
        ) as child:
            try:
                stdout, stderr = child.communicate(stdin, timeout)
            except BaseException:  # an interrupted test run, too
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                raise
        return Result(arguments, text_of(stdout), text_of(stderr), child.returncode)


def _checked(arguments: tuple[str | bytes | os.PathLike[str], ...]) -> tuple[str | bytes, ...]:
    for argument in arguments:
        if not isinstance(argument, (str, bytes, os.PathLike)):
            raise TypeError(
                f"Each argument of the command is text or a path, as on a command line: {argument!r} was given"
            )
    return tuple(os.fspath(argument) for argument in arguments)
