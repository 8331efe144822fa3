"""A command of a container, as a process group of this machine."""

from __future__ import annotations

import os
import posixpath
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from fleece_testing._docker.output import STDERR, STDOUT, Output
from fleece_testing._docker.toolchain import PATH
from fleece_testing._isolation.environment import handed_on
from fleece_testing._runtime_lifeline import Lifeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from fleece_testing._docker.tree import Tree

_LONGEST_FRAME = 16 * 1024  # the log driver's


class ProgramNotFoundError(Exception):
    """The command's program is not in the container; the message is the one that ``runc`` has for it."""


@dataclass(frozen=True)
class Command:
    """What is run in a container, in the container's own terms."""

    arguments: list[str]
    environment: Mapping[str, str]
    folder: str
    stdin: bool = False

    @property
    def variables(self) -> dict[str, str]:
        """The environment with what every container has, and a folder of its own for temporary files."""
        return {"PATH": PATH, "HOME": "/root", "TMPDIR": "/tmp", **self.environment}  # noqa: S108 (in its own tree)


class Process:
    """A running command. Its output goes to `output`, with this machine's paths turned back.

    Args:
        command: what to run.
        tree: the container's files.
        output: where its lines go; it is closed when the process has ended.
        on_exit: told the exit code, before the output is closed.

    Raises:
        ProgramNotFoundError: the program is not in the tree.
    """

    def __init__(self, command: Command, tree: Tree, output: Output, on_exit: Callable[[int], None]) -> None:
        self._tree = tree
        self._output = output
        self._on_exit = on_exit
        self._lifeline = Lifeline()
        try:
            self._popen = self._start(command, tree)
        except (OSError, ProgramNotFoundError) as error:
            self._lifeline.close()
            message = f'exec: "{command.arguments[0]}": {getattr(error, "strerror", None) or error}: unknown'
            raise ProgramNotFoundError(message) from error
        self._lifeline.tie(self._popen.pid)
        output.open()
        self._readers = [
            self._thread(self._read, stream, number)
            for stream, number in ((self._popen.stdout, STDOUT), (self._popen.stderr, STDERR))
        ]
        self._watcher = self._thread(self._watch)

    @property
    def pid(self) -> int:
        """The process's id on this machine."""
        return self._popen.pid

    def send(self, number: int) -> None:
        """Send a signal: SIGKILL to all processes, any other to the first, as to a container's process 1."""
        if number == signal.SIGKILL:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, number)
        self._popen.send_signal(number)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end of all that belongs to it, and return whether it came in time."""
        self._watcher.join(seconds)
        return not self._watcher.is_alive()

    def feed(self, data: bytes) -> None:
        """Write to its standard input; empty data closes it. When the process no longer reads, nothing happens."""
        stdin = self._popen.stdin
        with suppress(BrokenPipeError, ValueError):
            if stdin and data:
                stdin.write(data)
                stdin.flush()
            elif stdin:
                stdin.close()

    def _start(self, command: Command, tree: Tree) -> subprocess.Popen[bytes]:
        paths = tree.paths
        folder = paths.to_host(command.folder)
        return subprocess.Popen(  # noqa: S603 (it is what the stub is for)
            # The program by its path: a Python that is reached by a link finds its packages by that.
            [str(find_program(command, tree)), *paths.arguments(command.arguments)[1:]],
            cwd=folder,
            env=handed_on(os.environ, {name: paths.to_host(value) for name, value in command.variables.items()}),
            stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=(self._lifeline.end_of_child,),
        )

    def _read(self, stream: IO[bytes], number: int) -> None:
        with stream:
            for line in iter(lambda: stream.readline(_LONGEST_FRAME), b""):
                self._output.write(number, self._tree.to_container(line))

    def _watch(self) -> None:
        code = self._popen.wait()
        # As a container ends with its process 1.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        for reader in self._readers:
            reader.join()
        self.feed(b"")
        self._lifeline.close()
        self._on_exit(128 - code if code < 0 else code)
        self._output.close()

    def _thread(self, target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, name=f"container {self._popen.pid}", daemon=True)
        thread.start()
        return thread


def find_program(command: Command, tree: Tree) -> Path:
    """Return the file of a command's program: a path, or a name that is looked for in the container's PATH.

    Raises:
        ProgramNotFoundError: it is not there, or may not be executed.
    """
    name = command.arguments[0]
    if "/" in name:
        candidates = [posixpath.join(command.folder, name)]
        missing = f"stat {name}: no such file or directory"
    else:
        candidates = [posixpath.join(folder, name) for folder in command.variables["PATH"].split(":")]
        missing = "executable file not found in $PATH"
    for candidate in candidates:
        with suppress(OSError):
            file = tree.locate(candidate)
            if file.is_file() and os.access(file, os.X_OK):
                return file
            missing = "permission denied"
    raise ProgramNotFoundError(missing)
