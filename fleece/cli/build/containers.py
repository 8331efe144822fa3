"""The containers of one run of fleece, and the way to the engine that has them: none is left, however the run ends."""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException

from fleece.cli.build import certificates, contexts
from fleece.cli.build.engine import Engine, reason_of
from fleece.cli.build.keepalive import probe
from fleece.cli.build.urls import mask
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TIMEOUT = 300
"""Seconds that the engine may take for one answer, or be silent within one: it may copy a whole image for it."""

_LAST_TIMEOUT = 10
"""The same, when all that is wanted of it is to remove what a build that was stopped has left."""


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
            client = docker.from_env(environment=certificates.verified(self._environment), timeout=timeout)
        except (DockerException, requests.RequestException) as error:
            raise CommandError(
                f"no Docker engine answers at {self._host} ({reason_of(error)}): start it, name another with "
                "DOCKER_HOST, or pass --no-docker"
            ) from error
        client.api.hooks["response"].append(self._remember)
        probe(client.api, client.api.base_url)
        with contextlib.closing(client):
            try:
                yield Engine(client.api, self)
            except APIError as error:
                self.check()
                raise CommandError(f"the Docker engine refused: {reason_of(error)}") from error
            except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError) as error:
                self.check()
                raise CommandError(
                    f"the Docker engine at {self._host} went away ({reason_of(error)}): start it again, and repeat the "
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
