"""A Docker engine, as far as a build needs one: images, and containers that are gone when it is done with them.

It imports the ``docker`` package, and is imported only once an engine is needed: an unchanged build needs none.
"""

from __future__ import annotations

import contextlib
import textwrap
import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.utils import parse_repository_tag

from fleece.cli.build import certificates, contexts
from fleece.cli.build.container import Container
from fleece.cli.build.keepalive import probe
from fleece.cli.build.urls import mask
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LABEL = "fleece.build"
"""What fleece's containers, and the images made of them, are labelled with; its value is the id of the base image."""

_TIMEOUT = 300
"""Seconds that the engine may take for one answer, or be silent within one: it may copy a whole image for it."""

_LAST_TIMEOUT = 10
"""The same, when all that is wanted of it is to remove what a build that was stopped has left."""

_LIFETIME = 4 * 3600
"""Seconds after which a container ends in any case."""

_KEEPER = ["timeout", str(_LIFETIME), "cat"]
"""What a container runs while it waits for commands: it ends with what it reads, which is held open from here."""

_LONGEST_REASON = 1000
"""Characters: what answers in an engine's place may do so with a page."""

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
        self._answers: weakref.WeakSet[requests.Response] = weakref.WeakSet()
        self._stopped = False

    @contextlib.contextmanager
    def engine(self, timeout: int = _TIMEOUT) -> Iterator[Engine]:
        """Give the engine, until the end of the ``with`` block; each thread wants its own.

        Args:
            timeout: seconds for one answer.

        Raises:
            CommandError: there is none, or within the block it failed or went away; with its own reason.
        """
        try:
            contexts.check(self._environment)
            certificates.check(self._environment)
            client = docker.from_env(environment=dict(self._environment), timeout=timeout)
        except (DockerException, requests.RequestException) as error:
            raise CommandError(
                f"no Docker engine answers at {self._host} ({_reason(error)}): start it, name another with "
                "DOCKER_HOST, or pass --no-docker"
            ) from error
        client.api.hooks["response"].append(self._remember)
        probe(client.api, client.api.base_url)
        with contextlib.closing(client):
            try:
                yield Engine(client.api, self)
            except APIError as error:
                self.check()
                raise CommandError(f"the Docker engine refused: {_reason(error)}") from error
            except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError) as error:
                self.check()
                raise CommandError(
                    f"the Docker engine at {self._host} went away ({_reason(error)}): start it again, and repeat the "
                    "build"
                ) from error

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
            running, answers = list(self._running), list(self._answers)
        for answer in answers:
            with contextlib.suppress(AttributeError, ValueError, RuntimeError, OSError):  # it has ended; an old urllib3
                answer.raw.shutdown()  # wakes the thread that waits for more of it
        if running:
            with contextlib.suppress(CommandError), self.engine(_LAST_TIMEOUT) as engine:
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

    def _remember(self, answer: requests.Response, *_: object, **__: object) -> None:
        with self._lock:
            self._answers.add(answer)

    @property
    def _host(self) -> str:
        if host := self._environment.get("DOCKER_HOST"):
            return mask(host)
        context = self._environment.get("DOCKER_CONTEXT")
        return f"the context {context}" if context else "its usual place"


class Engine:
    """A connection to an engine; made by `Containers.engine`, which turns its exceptions into a `CommandError`."""

    def __init__(self, api: docker.APIClient, containers: Containers) -> None:
        self._api = api
        self._containers = containers

    def find_image(self, name: str) -> Image | None:
        """Return the image of that name or id, or None when the engine has none."""
        try:
            attributes = self._api.inspect_image(name)
        except ImageNotFound:
            return None
        labels = (attributes.get("Config") or {}).get("Labels") or {}
        return Image(attributes["Id"], attributes["Architecture"], labels.get(LABEL))

    def name_image(self, image: str, name: str) -> None:
        """Have a name, with its tag, stand for an image."""
        self._api.tag(image, *parse_repository_tag(name))

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

        It has no variables but the image's: what is in a container's configuration, its engine shows to everyone. Its
        engine removes it also when this process is killed.

        Args:
            image: its id.
            architecture: as Lambda names it.
            folder: absolute path that commands start in; it is made.
        """
        self._containers.check()
        made: str = self._api.create_container(
            image,
            _KEEPER[1:],
            entrypoint=_KEEPER[:1],
            stdin_open=True,
            user="0",
            working_dir=folder,
            labels={LABEL: image},
            host_config=self._api.create_host_config(auto_remove=True),
            platform=f"linux/{_ARCHITECTURES[architecture]}",
        )["Id"]
        self._containers.add(made)
        try:
            with self._held(made):
                self._start(made, architecture)
                yield Container(self._api, made, self._containers.check)
        finally:
            # An engine that is gone cannot remove it; when it is back, it will.
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

    @contextlib.contextmanager
    def _held(self, made: str) -> Iterator[None]:
        """Be the one from whom the container reads, so that it ends with the connection, and that with this process."""
        connection = self._api.attach_socket(made, params={"stdin": 1, "stream": 1})
        with contextlib.closing(connection._response):  # noqa: SLF001 (closing the socket alone leaves that open)
            yield

    def _start(self, made: str, architecture: str) -> None:
        try:
            self._api.start(made)
        except APIError as error:
            reason = str(error.explanation)
            if "exec format error" in reason:
                raise CommandError(
                    f"this engine cannot run programs for {architecture}: install QEMU's for it (binfmt_misc), "
                    "build on such a machine, or pass --no-docker"
                ) from error
            if "executable file not found" in reason:
                raise CommandError(
                    f"the image has no {_KEEPER[0]}, which each distribution has in its coreutils, and cannot be built "
                    "in: choose another with --image"
                ) from error
            raise


def _reason(error: BaseException) -> str:
    """Return why, in one line and without credentials: the engine's own words, or the system's."""
    if isinstance(error, APIError) and error.explanation:
        return _in_line(error.explanation)
    behind = error
    while behind.__context__ is not None and not getattr(behind, "strerror", None):
        behind = behind.__context__
    return _in_line(getattr(behind, "strerror", None) or error)


def _in_line(words: object) -> str:
    return mask(textwrap.shorten(str(words), _LONGEST_REASON))


def _not_pulled(name: str, reason: str) -> CommandError:
    return CommandError(f"the image {name} could not be pulled: {_in_line(reason)}; name another with --image")
