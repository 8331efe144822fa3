"""A Docker engine, as far as a build needs one: images, and containers that are gone when it is done with them.

The only module that imports the ``docker`` package, and only once an engine is needed: an unchanged build needs none.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.utils import parse_repository_tag

from fleece.cli.build.processes import TAIL, Finished
from fleece.cli.build.urls import mask
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

LABEL = "fleece.build"
"""What fleece's containers, and the images made of them, are labelled with; its value is the id of the base image."""

_TIMEOUT = 300
"""Seconds that the engine may take for one answer, or be silent within one: it may copy a whole image for it."""

_LIFETIME = 4 * 3600
"""Seconds after which a container ends, and is removed by the engine, when nobody is left to remove it."""

_CONFLICT = 409

_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}


@dataclass(frozen=True)
class Image:
    """An image that the engine has.

    Attributes:
        id: made of its content.
        architecture: as Docker names it.
        base: the id of the image that fleece made it from; None for those of others.
    """

    id: str
    architecture: str
    base: str | None

    def suits(self, architecture: str) -> bool:
        """Whether it is for an architecture, as Lambda names it."""
        return self.architecture == _ARCHITECTURES[architecture]


class Containers:
    """The containers of one run of fleece; `stop` removes those that there are, and lets no more be made.

    Args:
        environment: ``DOCKER_HOST`` and its like are taken from it.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._stopped = False

    @contextlib.contextmanager
    def engine(self) -> Iterator[Engine]:
        """Give the engine, until the end of the ``with`` block; each thread wants its own.

        Raises:
            CommandError: there is none, or within the block it failed or went away; with its own reason.
        """
        try:
            client = docker.from_env(environment=dict(self._environment), timeout=_TIMEOUT)
        except (DockerException, requests.RequestException) as error:
            raise CommandError(
                f"no Docker engine answers at {self._host}: start it, name another with DOCKER_HOST, or pass "
                f"--no-docker ({_reason(error)})"
            ) from error
        with contextlib.closing(client):
            try:
                yield Engine(client.api, self)
            except APIError as error:
                self.check()
                raise CommandError(f"the Docker engine refused: {_reason(error)}") from error
            except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError) as error:
                self.check()
                raise CommandError(f"the Docker engine at {self._host} went away: {_reason(error)}") from error

    def check(self) -> None:
        """Go on, unless the build was stopped.

        Raises:
            CommandError: it was.
        """
        if self._stopped:
            raise CommandError("the build was stopped")

    def stop(self) -> None:
        """Remove the containers that there are, whatever runs in them, and let no more be made."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        if running:
            with contextlib.suppress(CommandError), self.engine() as engine:
                for container in running:
                    engine.remove(container)

    def add(self, container: str) -> None:
        """Have `stop` remove a container as well."""
        with self._lock:
            self._running.add(container)

    def discard(self, container: str) -> None:
        """Leave a container that is gone to nobody."""
        with self._lock:
            self._running.discard(container)

    @property
    def _host(self) -> str:
        return mask(self._environment.get("DOCKER_HOST") or "its usual place")


class Engine:
    """A connection to an engine; made by `Containers.engine`, which turns its exceptions into a `CommandError`."""

    def __init__(self, api: docker.APIClient, containers: Containers) -> None:
        self._api = api
        self._containers = containers

    def find_image(self, name: str) -> Image | None:
        """Return the image of that name or id, or None when the engine has none."""
        try:
            attributes = self._api.inspect_image(name)  # type: ignore[no-untyped-call]
        except ImageNotFound:
            return None
        labels = (attributes.get("Config") or {}).get("Labels") or {}
        return Image(attributes["Id"], attributes["Architecture"], labels.get(LABEL))

    def remove_image(self, image: str) -> None:
        """Remove an image, unless it is in use."""
        with contextlib.suppress(APIError):
            self._api.remove_image(image)

    def pull(self, name: str, architecture: str) -> Iterator[dict[str, object]]:
        """Fetch an image from its registry, and yield what the engine tells meanwhile.

        Raises:
            CommandError: it cannot be had; with the registry's own reason.
        """
        repository, tag = parse_repository_tag(name)
        platform = f"linux/{_ARCHITECTURES[architecture]}"
        try:
            events = self._api.pull(repository, tag or "latest", stream=True, decode=True, platform=platform)
            reason = ""
            for event in events:  # to the end, also after an error, or the connection would stay open
                self._containers.check()
                reason = str(event.get("error", reason))
                yield event
        except APIError as error:
            raise _not_pulled(name, _reason(error)) from error
        if reason:
            raise _not_pulled(name, reason)

    @contextlib.contextmanager
    def container(self, image: str, architecture: str, folder: str) -> Iterator[Container]:
        """Start a container in which commands can be run, until the end of the ``with`` block.

        It has no variables but the image's: what is in a container's configuration, its engine shows to everyone.

        Args:
            image: its id.
            architecture: as Lambda names it.
            folder: absolute path that commands start in; it is made.
        """
        self._containers.check()
        made: str = self._api.create_container(
            image,
            [str(_LIFETIME)],
            entrypoint=["sleep"],
            user="0",
            working_dir=folder,
            labels={LABEL: image},
            host_config=self._api.create_host_config(auto_remove=True),
            platform=f"linux/{_ARCHITECTURES[architecture]}",
        )["Id"]
        self._containers.add(made)
        try:
            self._start(made, architecture)
            yield Container(self._api, made, self._containers)
        finally:
            # An engine that is gone cannot remove it; the next one to start will.
            with contextlib.suppress(DockerException, requests.RequestException, urllib3.exceptions.HTTPError):
                self.remove(made)
            self._containers.discard(made)

    def remove(self, container: str) -> None:
        """Remove a container with its volumes, whatever runs in it, and return when it is gone."""
        try:
            self._api.remove_container(container, force=True, v=True)
        except NotFound:
            return
        except APIError as error:
            if error.response is None or error.response.status_code != _CONFLICT:
                raise
            with contextlib.suppress(NotFound):  # it is being removed, because it has ended
                self._api.wait(container, condition="removed")

    def _start(self, made: str, architecture: str) -> None:
        try:
            self._api.start(made)
        except APIError as error:
            if "exec format error" not in str(error.explanation):
                raise
            raise CommandError(
                f"this engine cannot run programs for {architecture}: install QEMU's for it (binfmt_misc), build on "
                "such a machine, or pass --no-docker"
            ) from error


class Container:
    """A container that runs; made by `Engine.container`."""

    def __init__(self, api: docker.APIClient, made: str, containers: Containers) -> None:
        self._api = api
        self._id = made
        self._containers = containers

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
        self._containers.check()
        while (state := self._api.exec_inspect(made))["Running"]:
            time.sleep(0.02)  # the end of the output comes a moment before the end of the command
        return Finished(state["ExitCode"], tuple(tail))

    def commit(self, repository: str, tag: str) -> str:
        """Keep the container's files as an image, and return its id."""
        return str(self._api.commit(self._id, repository, tag)["Id"])


def percents(events: Iterable[Mapping[str, object]]) -> Iterator[int]:
    """Yield each further percent of an image that has been downloaded, from what `Engine.pull` yields; 100 at the end.

    Its layers become known one after another, so that it begins too high; it never goes back.
    """
    done: dict[object, float] = {}
    totals: dict[object, float] = {}
    reached = 0
    for event in events:
        layer, detail = event.get("id"), event.get("progressDetail")
        if event.get("status") == "Downloading" and isinstance(detail, dict) and detail.get("total"):
            done[layer], totals[layer] = detail.get("current", 0), detail["total"]
        elif event.get("status") in {"Download complete", "Pull complete"} and layer in totals:
            done[layer] = totals[layer]
        percent = min(100, int(100 * sum(done.values()) / sum(totals.values()))) if totals else 0
        yield from range(reached + 1, percent + 1)
        reached = max(reached, percent)
    yield from range(reached + 1, 101)


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


def _reason(error: Exception) -> str:
    """Return the engine's own words, in one line and without credentials."""
    told = error.explanation if isinstance(error, APIError) and error.explanation else error
    return mask(" ".join(str(told).split()))


def _not_pulled(name: str, reason: str) -> CommandError:
    return CommandError(
        f"the image {name} could not be pulled: {mask(' '.join(reason.split()))}; name another with --image"
    )
