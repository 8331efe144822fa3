"""A container that runs: files in, commands, files out."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from typing import IO, TYPE_CHECKING, Any

from docker.errors import DockerException

from fleece.cli.build.processes import TAIL, Finished
from fleece.cli.build.urls import mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import docker


class Container:
    """A container that runs; made by `fleece.cli.build.engine.Engine.container`.

    Args:
        api: the engine's.
        made: the container's id.
        check: raises where the build was stopped.
    """

    def __init__(self, api: docker.APIClient, made: str, check: Callable[[], None]) -> None:
        self._api = api
        self._id = made
        self._check = check

    def put(self, archive: IO[bytes]) -> None:
        """Unpack an archive at the container's root."""
        self._api.put_archive(self._id, "/", archive)

    def get(self, folder: str) -> Iterator[bytes]:
        """Yield an archive of what is in a folder."""
        chunks, _ = self._api.get_archive(self._id, f"{folder}/.")
        return iter(chunks)

    def run(self, command: Sequence[str], environment: Mapping[str, str], tell: Callable[[str], None]) -> Finished:
        """Run a command to its end, and tell its output line by line, without the credentials in it.

        Args:
            command: a program and its arguments.
            environment: variables for this command alone, which the engine keeps nowhere.
            tell: takes each line.
        """
        tail: deque[str] = deque(maxlen=TAIL)
        made = self._api.exec_create(self._id, list(command), environment=dict(environment))["Id"]
        output = self._api.exec_start(made, stream=True)
        try:
            for line in _lines(output):
                tail.append(mask(line))
                tell(tail[-1])
        finally:
            _close(output)
        self._check()
        while (state := self._api.exec_inspect(made))["Running"]:
            time.sleep(0.02)  # the end of the output comes a moment before the end of the command
        return Finished(state["ExitCode"], tuple(tail))

    def commit(self) -> str:
        """Keep the container's files as an image without a name, and return its id."""
        return str(self._api.commit(self._id)["Id"])


def _close(output: Any) -> None:
    """Close a stream of the docker package, and the connection, which that leaves open."""
    with contextlib.suppress(DockerException, OSError):  # over ssh it cannot be closed alone; the engine may be gone
        output.close()
    output._response.close()  # noqa: SLF001


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").rstrip()
    if rest:
        yield rest.decode("utf-8", "replace").rstrip()
