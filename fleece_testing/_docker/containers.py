"""The containers of the engine."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from fleece_testing._docker.container import Container
from fleece_testing._docker.errors import EngineError
from fleece_testing._docker.names import new_id

if TYPE_CHECKING:
    from pathlib import Path

    from fleece_testing._docker.container import Exec, Specification
    from fleece_testing._docker.tree import Tree


class Containers:
    """The containers by id.

    Args:
        folder: where their trees are made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._containers: dict[str, Container] = {}

    def new_folder(self) -> Path:
        """Return a new folder, for the next container's tree and what belongs to it."""
        folder = self._folder / new_id()[:12]
        folder.mkdir(parents=True)
        return folder

    def create(self, name: str, specification: Specification, tree: Tree) -> Container:
        """Add a container.

        Raises:
            EngineError: its name is taken.
        """
        with self._lock:
            for other in self._containers.values():
                if other.name == name:
                    raise EngineError(
                        409,
                        f'Conflict. The container name "/{name}" is already in use by container "{other.id}". '
                        "You have to remove (or rename) that container to be able to reuse that name.",
                    )
            container = Container(name, specification, tree, self._exited)
            self._containers[container.id] = container
        return container

    def all(self) -> list[Container]:
        """Return the containers, the newest first."""
        with self._lock:
            return list(reversed(self._containers.values()))

    def find(self, name: str) -> Container:
        """Return the container of a name, an id or the beginning of one.

        Raises:
            EngineError: there is none.
        """
        with self._lock:
            called = name.removeprefix("/")
            found = [one for one in self._containers.values() if called == one.name]
            found = found or [one for one in self._containers.values() if one.id.startswith(called)]
        if len(found) != 1:
            raise EngineError(404, f"No such container: {name}")
        return found[0]

    def find_exec(self, name: str) -> Exec:
        """Return the exec of an id.

        Raises:
            EngineError: there is none.
        """
        for container in self.all():
            if name in container.execs:
                return container.execs[name]
        raise EngineError(404, f"No such exec instance: {name}")

    def remove(self, container: Container, *, force: bool = False) -> None:
        """Remove a container with its files.

        Raises:
            EngineError: it runs, and that is not forced.
        """
        if container.running and not force:
            raise EngineError(
                409,
                f"You cannot remove a running container {container.id}. "
                "Stop the container before attempting removal or force remove",
            )
        container.kill()
        self._forget(container)

    def _exited(self, container: Container) -> None:
        if container.specification.auto_remove:
            self._forget(container)

    def _forget(self, container: Container) -> None:
        with self._lock:
            known = self._containers.pop(container.id, None)
        if known is not None:
            container.dispose()
