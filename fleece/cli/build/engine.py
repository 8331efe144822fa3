"""A Docker engine, as far as a build needs one: images, and containers that are gone when it is done with them.

It imports the ``docker`` package, and is imported only once an engine is needed: an unchanged build needs none.
"""

from __future__ import annotations

import contextlib
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
import urllib3
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.utils import parse_repository_tag

from fleece.cli.build.container import Container
from fleece.cli.build.urls import mask
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from fleece.cli.build.containers import Containers

LABEL = "fleece.build"
"""What fleece's containers, and the images made of them, are labelled with; its value is the id of the base image."""

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
            raise _not_pulled(name, reason_of(error)) from error
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


def reason_of(error: BaseException) -> str:
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
