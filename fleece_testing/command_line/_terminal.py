"""A program on a terminal of its own, and somebody who reads and types there."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from fleece_testing._lifecycle import Startable
from fleece_testing.command_line._launch import launch
from fleece_testing.command_line._result import Result
from fleece_testing.command_line._streams import Streams

if sys.platform != "win32":
    import fcntl
    import termios

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from typing import TypeVar

    from typing_extensions import Self

    T = TypeVar("T")

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_PIPES = frozenset({"stdout", "stderr"})
_TICK = 0.02  # seconds until the next look at whether the program has ended, which nothing readable tells
_GRACE = 3.0  # seconds that it has to end in once its terminal is gone


class Terminal(Startable):
    r"""A program on a pseudo-terminal that is its own: it can ask, and is interrupted and stopped by keys.

    The terminal is that of the block: at its end it is closed like a window, and whatever still runs there ends.
    It needs a POSIX system.

    Args:
        arguments: the program and its arguments.
        folder: where it runs.
        environment: its variables, by default this process's. ``TERM`` is ``xterm`` unless it is there, and ``LINES``
            and ``COLUMNS`` are taken away, as programs would believe them rather than the terminal.
        stdin: what the program reads from a file; by default stdin is the terminal.
        pipes: which of ``stdout`` and ``stderr`` are pipes; the others are the terminal.
        rows: the height of the window.
        columns: its width.
        timeout: seconds that `expect`, `send` and `wait` take at most, unless they say otherwise.

    Examples:
        >>> with Terminal(["sh", "-c", "printf 'Name? '; read name; echo $name $(stty size) >&2"]) as terminal:
        ...     asked = terminal.expect("Name? ")
        ...     terminal.resize(30, 100)
        ...     terminal.send("me\n")
        ...     result = terminal.wait()
        >>> result.exit_code, result.terminal
        (0, 'Name? me\r\nme 30 100\r\n')
        >>> with Terminal(["sh", "-c", "echo data; echo told >&2"], pipes=["stdout"]) as terminal:
        ...     result = terminal.wait()
        >>> result.stdout, result.stderr, terminal.text
        ('data\n', 'told\r\n', 'told\r\n')
    """

    CTRL_C: ClassVar = "\x03"
    CTRL_D: ClassVar = "\x04"
    CTRL_Z: ClassVar = "\x1a"
    CTRL_BACKSLASH: ClassVar = "\x1c"

    def __init__(
        self,
        arguments: Sequence[str | bytes],
        *,
        folder: str | Path = ".",
        environment: Mapping[str, str] | None = None,
        stdin: str | bytes | None = None,
        pipes: Collection[str] = (),
        rows: int = 24,
        columns: int = 80,
        timeout: float = 60,
    ) -> None:
        if isinstance(pipes, str) or not _PIPES.issuperset(pipes):
            raise ValueError(f"pipes has any of 'stdout' and 'stderr', as in pipes=['stdout'], not {pipes!r}")
        self.arguments = tuple(arguments)
        self._folder = Path(folder)
        given = os.environ if environment is None else environment
        sizes = ("LINES", "COLUMNS")
        self._environment = {"TERM": "xterm", **{name: given[name] for name in given if name not in sizes}}
        self._stdin = stdin.encode() if isinstance(stdin, str) else stdin
        self._pipes = frozenset(pipes)
        self._size = rows, columns
        self._timeout = timeout
        self._child: subprocess.Popen[bytes] | None = None
        self._position = 0
        self._open = False

    @property
    def text(self) -> str:
        """All that the terminal has shown so far, as far as `expect`, `send` and `wait` have read it."""
        return self._streams.texts["terminal"] if self._child else ""

    def start(self) -> Self:
        """Start the program.

        Raises:
            OSError: there is no such program, or this system has no pseudo-terminals.

        Examples:
            >>> terminal = Terminal(["cat"]).start()
            >>> terminal.send(terminal.CTRL_D)
            >>> terminal.wait().exit_code
            0
            >>> terminal.stop()
        """
        if self._child is None:
            if sys.platform == "win32":
                raise OSError("a terminal needs a POSIX system, such as Linux or macOS")
            self._master, self._slave = os.openpty()
            try:
                _set_size(self._master, *self._size)
                self._child = launch(
                    self.arguments,
                    self._slave,
                    folder=self._folder,
                    environment=self._environment,
                    stdin=self._stdin,
                    pipes=self._pipes,
                )
            except BaseException:
                os.close(self._master)
                os.close(self._slave)
                raise
            self._streams = self._streams_of(self._child)
            self._open = True
        return self

    def stop(self) -> None:
        """Close the terminal, and end what still runs there; stopping twice does nothing.

        Examples:
            >>> terminal = Terminal(["cat"]).start()
            >>> terminal.stop()
        """
        if self._child is None or not self._open:
            return
        self._open = False
        self._streams.close()
        foreground = self._foreground()
        os.close(self._master)  # the system hangs up
        os.close(self._slave)
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()
        try:
            self._child.wait(_GRACE)
        except subprocess.TimeoutExpired:
            for group in {foreground, self._child.pid}:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(group, signal.SIGKILL)
            self._child.wait()

    def expect(self, what: str | re.Pattern[str], timeout: float | None = None) -> re.Match[str]:
        """Wait until the terminal shows a text, or one that a pattern matches, after what was expected before.

        Raises:
            AssertionError: it did not, within the time or before the program ended.
        """
        pattern = re.compile(re.escape(what)) if isinstance(what, str) else what
        found = self._until(lambda: pattern.search(self.text, self._position), timeout)
        if found is None:
            raise AssertionError(f"{what!r} was not shown: {self._account()}")
        self._position = found.end()
        return found

    def send(self, keys: str | bytes, timeout: float | None = None) -> None:
        r"""Type on the terminal: text, ``\n`` for the Enter key, and keys such as `CTRL_C`.

        Wait with `expect` for what the program asks before you answer: it may throw away what is typed before that.

        Raises:
            AssertionError: the program has ended, or reads nothing.
        """
        left = keys.encode() if isinstance(keys, str) else keys

        def write() -> bool:
            nonlocal left
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(self._master, left) :]
            return not left

        if self._running().poll() is not None or self._until(write, timeout) is None:
            raise AssertionError(f"{keys!r} cannot be typed: {self._account()}")

    def resize(self, rows: int, columns: int) -> None:
        """Give the terminal's window another size, of which the programs in its foreground are told by SIGWINCH."""
        self._running()
        _set_size(self._master, rows, columns)

    def wait(self, timeout: float | None = None) -> Result:
        """Wait for the end of the program, and return what it did.

        Raises:
            AssertionError: it has not ended within the time.
        """
        child = self._running()
        self._until(lambda: None, timeout)
        if child.returncode is None:
            raise AssertionError(f"the program was to end: {self._account()}")
        streams = [self._streams.texts.get(name, self.text) for name in ("stdout", "stderr")]
        return Result(self.arguments, streams[0], streams[1], child.returncode, self.text)

    def _shown(self) -> str:
        return f"with {self.arguments!r}"

    def _streams_of(self, child: subprocess.Popen[bytes]) -> Streams:
        files = {"stdout": child.stdout, "stderr": child.stderr}
        pipes = {name: file.fileno() for name, file in files.items() if file is not None}
        return Streams({"terminal": self._master, **pipes})

    def _until(self, condition: Callable[[], T | None], timeout: float | None) -> T | None:
        """Read until the condition gives something, which is returned, or until the program or the time ends."""
        child = self._running()
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        while True:
            # Asked before reading: what an ended program has written can all be read. The terminal is kept open here
            # until then, as macOS throws away what nobody has read from one that nobody has open.
            ended = child.poll() is not None
            heard = self._streams.drain() if ended else self._streams.wait(_TICK)
            found = condition()
            if found or (ended and not heard) or time.monotonic() > deadline:
                return found or None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or not self._open:
            raise RuntimeError("the terminal is not open: use it within its with block, or between start() and stop()")
        return self._child

    def _foreground(self) -> int:
        """Return the process group that the keys go to; the program's own if nobody can tell."""
        try:
            return os.tcgetpgrp(self._master)
        except OSError:
            return self._running().pid

    def _account(self) -> str:
        """Tell what has become of the program, and what there is to see."""
        code = self._running().returncode
        state = "the program still runs" if code is None else f"the program has ended with {code}"
        piped = "".join(f"; {name}: {self._streams.texts[name]!r}" for name in sorted(self._pipes))
        return f"{state}; since what was expected last, the terminal showed {self.text[self._position :]!r}{piped}"


def _set_size(terminal: int, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
