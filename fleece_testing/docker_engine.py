"""A stand-in for a Docker engine, for programs that use the ``docker`` package: the Engine API on a unix socket.

What it answers is what Docker 20.10 (API 1.41) answers; the same tests run against both. Images, volumes and archives
are real files in private folders, and a container's command is a real process of this machine. It is no sandbox:

- A container's paths are translated, not confined. Absolute paths at the beginning of a word, in arguments and in the
  values of variables, are led into the container's own folder; in the output they are turned back. A path that a
  program has in itself (``/etc/hosts``), or reads from a file, is this machine's.
- Its programs are this machine's, the basic ones that `PROGRAMS` lists, and a Python with pip in ``/var/lang``.
- Users, limits, capabilities and networks are kept and shown, and have no effect: a process is this user's.
- What is mounted read-only is a copy.

What it does not do (terminals, builds, networks, events, ...) is answered with status 501 and a message that says so.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from fleece_testing._arguments import check_status, check_times
from fleece_testing._docker import documents
from fleece_testing._docker.application import OPERATIONS, Application, Fault, Received
from fleece_testing._docker.errors import EngineError
from fleece_testing._docker.images import Image, ImageConfig, Layer
from fleece_testing._docker.names import Reference, new_id, parse_reference
from fleece_testing._docker.server import UnixServer
from fleece_testing._docker.state import State
from fleece_testing._docker.toolchain import PATH, PROGRAMS, Toolchain
from fleece_testing._lifecycle import Startable, not_started
from fleece_testing._private_folder import private_folder, remove

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from typing_extensions import Self

__all__ = ["OPERATIONS", "PROGRAMS", "DockerEngine", "Received"]

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


class DockerEngine(Startable):
    """A Docker engine with no images to begin with.

    Examples:
        >>> import docker
        >>> engine = DockerEngine().start()
        >>> image = engine.image("example/python:3", files={"/hello.txt": "Hello"})
        >>> client = docker.DockerClient(engine.url)
        >>> client.containers.run("example/python:3", ["cat", "/hello.txt"], remove=True)
        b'Hello'
        >>> sorted(engine.environment())
        ['DOCKER_CONFIG', 'DOCKER_HOST']
        >>> {"sh", "cat"} <= set(PROGRAMS)
        True

        Failures on demand, and an engine that is gone and comes back, empty:

        >>> "pull" in OPERATIONS
        True
        >>> engine.fail("pull", 503, "The registry is down")
        >>> engine.vanish()
        >>> engine.clear()
        >>> client.images.list()
        []
        >>> client.close()
        >>> engine.stop()

    Attributes:
        log: the requests that it answered, the oldest first.
    """

    def __init__(self) -> None:
        self.log: list[Received] = []
        self._server = UnixServer(self)
        self._resources = ExitStack()
        self._folder: Path | None = None
        self._toolchain: Toolchain | None = None
        self._state: State | None = None
        self._application: Application | None = None

    def start(self) -> Self:
        """Listen. After `vanish` it is there again, with what it had, as a daemon that was started anew.

        Raises:
            OSError: the path of the folder for temporary files is too long for a socket.
        """
        if self._folder is None:
            self._folder = self._resources.enter_context(private_folder("fleece-docker-")).resolve()
            (self._folder / "config").mkdir()
            self._toolchain = Toolchain(self._folder / "t")
            self.clear()
        try:
            self._server.start()
        except OSError:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End all processes, stop listening, and remove all files; stopping twice does nothing."""
        self.vanish()
        self._server.stop()
        self._folder = self._toolchain = self._state = self._application = None
        self._resources.close()

    def clear(self) -> None:
        """Forget images, containers, volumes, failures and requests; after `vanish`, listen again.

        The first image of a Python costs about 0.2 s, each further one 20 ms, and forgetting them 10 ms.
        """
        folder, toolchain = self._started()
        if self._state is not None:
            self._end_processes()
            remove(self._state.folder)
        self.log.clear()
        self._state = State.empty(folder / new_id()[:6], toolchain)
        self._application = Application(self._state, self.log, self.vanish)
        if self._server.started:
            self._server.start()

    @property
    def url(self) -> str:
        """The value of ``DOCKER_HOST`` that leads to it: ``unix:///...``."""
        return f"unix://{self._server.path}"

    def environment(self) -> dict[str, str]:
        """Return the variables that lead clients to it, and away from the user's own Docker configuration."""
        folder, _ = self._started()
        return {"DOCKER_HOST": self.url, "DOCKER_CONFIG": str(folder / "config")}

    def image(
        self,
        name: str,
        *,
        python: str | None = None,
        architecture: str | None = None,
        files: Mapping[str, str | bytes] | None = None,
        wheels: str | Path | None = None,
        programs: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
        entrypoint: Iterable[str] | None = None,
        remote: bool = False,
        login: tuple[str, str] | None = None,
    ) -> str:
        """Add an image, with this machine's basic programs and a Python; return its id.

        A name that stood for another image moves to this one, with another digest.

        Args:
            name: such as ``public.ecr.aws/sam/build-python3.12:latest-x86_64``.
            python: version of its Python, which this machine must have; by default that of this process.
            architecture: ``x86_64`` or ``arm64``, this machine's by default. Programs run as this machine runs them.
            files: content by absolute path; one that begins with ``#!`` is a program.
            wheels: a folder of wheels that its pip installs from, and from nowhere else.
            programs: further programs of this machine that it has: ``["gcc"]``.
            environment: its variables, beside ``PATH`` and ``LANG``.
            labels: its labels.
            entrypoint: what comes before each command.
            remote: it is in its registry, and has to be pulled.
            login: user name and password without which the registry does not give it.

        Raises:
            ValueError: this machine has no such Python or program, there are no wheels, or no image has such a name.
        """
        reference = _reference(name)
        if wheels is not None and not Path(wheels).is_dir():
            raise ValueError(f"There is no folder of wheels {wheels}")
        state = self._running_state()
        tree = state.toolchain.new_tree(state.new_image_folder(), python, programs)
        variables = {"PATH": PATH, "LANG": "en_US.UTF-8", **(environment or {})}
        for path, content in (files or {}).items():
            tree.write(path, content.encode() if isinstance(content, str) else content)
        if wheels is not None:
            shutil.copytree(wheels, tree.folder / "opt/wheels")
            variables |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/opt/wheels"}
        config = ImageConfig(
            variables,
            command=("/bin/sh",),
            entrypoint=tuple(entrypoint) if entrypoint is not None else None,
            working_dir="/var/task",
            labels=dict(labels or {}),
        )
        image = Image(
            tree,
            documents.architecture() if architecture is None else documents.docker_architecture(architecture),
            config,
            (Layer("fleece_testing", tree.size()),),
            digest=f"sha256:{new_id()}",
            repository=reference.repository,
        )
        state.registries.publish(reference, image, login)
        if not remote:
            state.images.add(image, reference)
        return image.id

    def fail(self, operation: str, status: int = 500, message: str = "failed on purpose", times: int = 1) -> None:
        """Spoil the next answers of an operation; failures set one after another happen in that order.

        Args:
            operation: one of `OPERATIONS`, such as ``pull``, ``create_container`` or ``start``.
            status: the HTTP status; with 200 a pull fails in its stream, after it has begun.
            message: what the client is told.
            times: how many answers.

        Raises:
            ValueError: there is no such operation, it has no stream to fail in, or it cannot fail so.
        """
        if status == 200 and operation != "pull":  # noqa: PLR2004 (HTTP's)
            raise ValueError(f"Only pull can fail with status 200, within its stream: give {operation} another one")
        if status != 200:  # noqa: PLR2004 (as above)
            check_status(status)
        check_times(times)
        self._running_application().spoil(operation, Fault(status, message), times)

    def vanish(self, during: str | None = None) -> None:
        """Be gone, as an engine that was killed: its socket, its connections, and what runs in its containers.

        `start` and `clear` bring it back.

        Args:
            during: not now, but within the next answer to this operation: 0.3 s after the first part that is sent.

        Raises:
            ValueError: there is no such operation.
        """
        if during is not None:
            self._running_application().spoil(during, Fault(None), 1)
            return
        self._server.vanish()
        self._end_processes()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        return self._running_application()(environ, start_response)

    def _end_processes(self) -> None:
        if self._state is not None:
            for container in self._state.containers.all():
                container.kill()

    def _started(self) -> tuple[Path, Toolchain]:
        if self._folder is None or self._toolchain is None:
            raise not_started("The engine")
        return self._folder, self._toolchain

    def _running_state(self) -> State:
        self._started()
        assert self._state is not None
        return self._state

    def _running_application(self) -> Application:
        self._started()
        assert self._application is not None
        return self._application


def _reference(name: str) -> Reference:
    try:
        return parse_reference(name)
    except EngineError:
        example = "public.ecr.aws/sam/build-python3.13:latest"
    raise ValueError(f"No image can have the name {name!r}, as it can {example}")
