"""A container: a private tree, a command, and what became of it; and further commands in it."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fleece_testing._docker.errors import EngineError
from fleece_testing._docker.names import new_id
from fleece_testing._docker.output import Output, now
from fleece_testing._docker.process import Command, Process, ProgramNotFoundError
from fleece_testing._private_folder import remove

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from fleece_testing._docker.images import Image
    from fleece_testing._docker.tree import Tree
    from fleece_testing._docker.volumes import Mount

_CANNOT_START = (
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
)


@dataclass(frozen=True)
class Specification:
    """What a container was created with."""

    image: Image
    image_name: str
    command: Command
    entrypoint: list[str]
    arguments: list[str]
    labels: Mapping[str, str]
    config: Mapping[str, Any]
    host_config: Mapping[str, Any]
    mounts: list[Mount]

    @property
    def auto_remove(self) -> bool:
        """Whether the container goes when its command has ended."""
        return bool(self.host_config.get("AutoRemove"))


@dataclass
class State:
    """Where a container is in its life; `exits` counts how often its command has ended."""

    status: str = "created"
    exit_code: int = 0
    error: str = ""
    started: dt.datetime | None = None
    finished: dt.datetime | None = None
    exits: int = 0
    removed: bool = False


@dataclass
class Exec:
    """A further command in a running container."""

    container: Container
    command: Command
    streams: frozenset[int]
    id: str = field(default_factory=new_id)
    output: Output = field(default_factory=Output)
    process: Process | None = None
    exit_code: int | None = None

    def start(self) -> None:
        """Run the command; a program that is not there is told in the output, as a real engine does.

        Raises:
            EngineError: it was started before.
        """
        if self.process is not None or self.exit_code is not None:
            raise EngineError(409, f"Error: Exec command {self.id} has already run")
        try:
            self.process = Process(self.command, self.container.tree, self.output, self._on_exit)
        except ProgramNotFoundError as error:
            self.exit_code = 126
            message = f"OCI runtime exec failed: exec failed: unable to start container process: {error}\r\n"
            self.output.write(1, message.encode())

    @property
    def running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self.process is not None and self.exit_code is None

    def _on_exit(self, code: int) -> None:
        self.exit_code = code


class Container:
    """One container.

    Args:
        name: without a slash.
        specification: what it was created with.
        tree: its own files.
        on_exit: told when its command has ended.
    """

    def __init__(
        self, name: str, specification: Specification, tree: Tree, on_exit: Callable[[Container], None]
    ) -> None:
        self.id = new_id()
        self.name = name
        self.specification = specification
        self.tree = tree
        self.created = now()
        self.state = State()
        self.output = Output()
        self.execs: dict[str, Exec] = {}
        self.changed = threading.Condition()
        self.process: Process | None = None
        self._on_exit = on_exit

    @property
    def running(self) -> bool:
        """Whether its command runs."""
        return self.state.status == "running"

    def start(self) -> bool:
        """Run the command, and return whether it did not run already.

        Raises:
            EngineError: the program is not in the container.
        """
        with self.changed:
            if self.running:
                return False
            command = self.specification.command
            environment = {"HOSTNAME": self.id[:12], **command.environment}
            try:
                started = Command(command.arguments, environment, command.folder, command.stdin)
                self.process = Process(started, self.tree, self.output, self._exited)
            except ProgramNotFoundError as error:
                self.state.exit_code = 127
                self.state.error = f"{_CANNOT_START}{error}"
                raise EngineError(400, self.state.error) from error
            self.state = State("running", started=now(), exits=self.state.exits)
            self.changed.notify_all()
        return True

    def signal(self, number: int) -> None:
        """Send a signal to the command.

        Raises:
            EngineError: it does not run.
        """
        if self.process is None or not self.running:
            raise EngineError(409, f"Cannot kill container: {self.id}: Container {self.id} is not running")
        self.process.send(number)

    def stop(self, seconds: float) -> bool:
        """Ask the command to end, make it end after that time, and return whether it ran."""
        process = self.process
        if process is None or not self.running:
            return False
        process.send(signal.SIGTERM)
        if not process.wait(seconds):
            process.send(signal.SIGKILL)
        process.wait()
        return True

    def kill(self) -> None:
        """Make all that runs in it end, and wait for that."""
        for process in (*(one.process for one in self.execs.values()), self.process):
            if process is not None:
                process.send(signal.SIGKILL)
                process.wait()

    def wait(self, condition: str) -> int:
        """Wait until it is ``not-running``, has exited (``next-exit``) or is ``removed``; return the exit code."""
        with self.changed:
            exits = self.state.exits
            self.changed.wait_for(
                lambda: (
                    self.state.removed
                    or (condition == "not-running" and not self.running)
                    or (condition == "next-exit" and self.state.exits > exits)
                )
            )
            return self.state.exit_code

    def wait_for_process(self) -> Process | None:
        """Wait until the command has been started; None when the container is removed before."""
        with self.changed:
            self.changed.wait_for(lambda: self.process is not None or self.state.removed)
            return self.process

    def dispose(self) -> None:
        """Remove its files, and tell those who wait that it is gone."""
        with self.changed:
            self.state.removed = True
            self.changed.notify_all()
        remove(self.tree.folder.parent)

    def _exited(self, code: int) -> None:
        for one in list(self.execs.values()):
            if one.process is not None and one.running:
                one.process.send(signal.SIGKILL)
        with self.changed:
            self.state.status, self.state.exit_code, self.state.finished = "exited", code, now()
            self.state.exits += 1
            self.changed.notify_all()
        self._on_exit(self)
