"""A service, a folder of wheels made on the spot, and ``fleece build`` over them: no index, no network."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import functools
import gc
import gzip
import hashlib
import importlib.metadata
import io
import ipaddress
import os
import re
import socket
import sys
import tarfile
import tempfile
import threading
import warnings
import zipfile
from pathlib import Path

import docker
import pytest
from docker.errors import NotFound
from werkzeug.serving import make_server

from fleece.cli.main import exit_code_of
from fleece_testing._http import QuietRequestHandler

RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a build ended with."""

    exit_code: int
    stdout: str
    stderr: str


def write_wheel(
    folder,
    name,
    version="1.0",
    files=None,
    *,
    requires=(),
    python=">=2",
    tag="py3-none-any",
    entry_points="",
    extra=None,
):
    """Write ``NAME-VERSION-TAG.whl`` with these files, by default one module, and return its path."""
    info = f"{name}-{version}.dist-info"
    content = dict(files if files is not None else {f"{name}.py": f"version = {version!r}\n"})
    fields = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Requires-Python: {python}"]
    content[f"{info}/METADATA"] = "\n".join([*fields, *(f"Requires-Dist: {one}" for one in requires), ""])
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n"
    if entry_points:
        content[f"{info}/entry_points.txt"] = entry_points
    content |= {f"{name}-{version}.data/{path}": text for path, text in (extra or {}).items()}
    record = "".join(f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in content.items())
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    path = Path(folder) / f"{name}-{version}-{tag}.whl"
    path.parent.mkdir(exist_ok=True, parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for entry, text in content.items():
            archive.writestr(entry, text)
    return path


def _digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def wheels(tmp_path):
    """Make wheels in the folder that the builds of this test install from: ``wheels("alpha", "1.0")``."""

    def make(name, version="1.0", files=None, **fields):
        return write_wheel(tmp_path / "wheels", name, version, files, **fields)

    make.repack = lambda name: repack(make.folder, name)
    make.folder = tmp_path / "wheels"
    make.folder.mkdir()
    return make


def repack(folder, name):
    """Make a wheel of a package that is installed beside the tests: what its author built, compiled parts and all."""
    package = importlib.metadata.distribution(name)
    (tag, *_) = re.findall(r"^Tag: (\S+)", package.read_text("WHEEL"), re.MULTILINE)
    files = [one for one in package.files if ".." not in one.parts and one.suffix != ".pyc" and one.name != "RECORD"]
    (info,) = {one.parts[0] for one in files if one.name == "WHEEL"}
    with zipfile.ZipFile(folder / f"{info.removesuffix('.dist-info')}-{tag}.whl", "w") as archive:
        for file in files:
            archive.write(file.locate(), str(file))
        archive.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in files))


@pytest.fixture
def service(tmp_path):
    """Write a service: ``service("users", "alpha==1.0", {"handler.py": "..."})`` returns its folder."""

    def make(name="service", requirements="", files=None):
        source = tmp_path / name / "src"
        source.mkdir(parents=True)
        (source / "requirements.txt").write_text(requirements, encoding="utf-8")
        for path, text in (files or {"handler.py": "def main(event, context):\n    return event\n"}).items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_text(text, encoding="utf-8")
        return source.parent

    return make


@pytest.fixture
def offline(tmp_path, wheels, monkeypatch):
    """Have pip install from the test's wheels alone, without uv and without settings of this machine's."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels.folder), "PIP_CONFIG_FILE": os.devnull}
    settings |= {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return settings


@pytest.fixture
def build(offline, capfd):
    """Run ``fleece build --no-docker --python RUNNING`` in this process: ``build(folder, "--rebuild")``."""

    def run(*arguments, python=RUNNING):
        chosen = ["--python", python] if python else []
        code = exit_code_of(["build", "--no-docker", *chosen, *map(str, arguments)])
        output = capfd.readouterr()
        return Outcome(code, output.out, output.err)

    return run


@pytest.fixture
def entries():
    """Read a zip: its files' contents by path, ``entries(folder / "dist" / "lambda_function.zip")``."""

    def read(path):
        path = path / "dist" / "lambda_function.zip" if path.is_dir() else path
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    return read


@pytest.fixture
def index(wheels):
    """Serve the wheels of the test as a package index that asks for a password, within a ``with`` block.

    Gives its address without the scheme, and the set of the ``Authorization`` headers that came.
    """

    @contextlib.contextmanager
    def serve(host="127.0.0.1"):
        sent = []

        def answer(environ, start_response):
            sent.append(environ.get("HTTP_AUTHORIZATION"))
            if "HTTP_AUTHORIZATION" not in environ:
                start_response("401 Unauthorized", [("WWW-Authenticate", "Basic"), ("Content-Length", "0")])
                return []
            path = wheels.folder / environ["PATH_INFO"].rpartition("/")[2]
            if path.suffix == ".whl":
                kind, body = "application/octet-stream", path.read_bytes()
            else:
                links = "".join(f'<a href="/{one.name}">{one.name}</a>' for one in wheels.folder.iterdir())
                kind, body = "text/html", f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
            start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
            return [body]

        server = make_server(host, 0, answer, threaded=True, request_handler=QuietRequestHandler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"{host}:{server.server_port}", sent
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    return serve


@pytest.fixture
def engine(request, offline):
    """Give the engine that the test builds in: the stub, or the real one that ``FLEECE_TEST_ENGINE=real`` announces.

    It has AWS's image for the Python that `Engine.python` says; a real one that does not answer fails the test.
    """
    is_real = os.environ.get("FLEECE_TEST_ENGINE") == "real"
    stub = None if is_real else request.getfixturevalue("fleece_docker")
    name = os.environ.get("FLEECE_TEST_IMAGE", "fleece-test/base:python")
    if stub is not None:
        stub.image(name)
    with contextlib.closing(docker.from_env(timeout=120)) as client:
        images = {tag for image in client.images.list() for tag in image.tags}
        made = Engine(client, client.images.get(name), stub)
        yield made
        if is_real:
            for container in made.containers():
                container.remove(force=True)
            for image in client.images.list():
                for tag in image.tags or [image.id]:
                    if tag not in images and (image.tags or image.labels):
                        client.images.remove(tag, force=True)


class Engine:
    """An engine with a base image, seen through the ``docker`` package; `stub` is None for a real one."""

    def __init__(self, client, base, stub):
        self.client = client
        self.stub = stub
        self.python = python_of(client, base.id) if stub is None else RUNNING
        self.architecture = {"amd64": "x86_64"}.get(base.attrs["Architecture"], base.attrs["Architecture"])
        self.base = base
        self.repository = f"public.ecr.aws/sam/build-python{self.python}"
        self.tag = f"latest-{self.architecture}"
        base.tag(self.repository, self.tag)

    @property
    def host(self):
        """The address of this machine that a container reaches."""
        if self.stub is not None:
            return "127.0.0.1"
        (settings,) = self.client.networks.get("bridge").attrs["IPAM"]["Config"]
        return str(ipaddress.ip_network(settings["Subnet"])[1])

    def put(self, container, files):
        """Put files, which are programs, into a container."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for path, text in files.items():
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(text.encode()), 0o755
                tar.addfile(member, io.BytesIO(text.encode()))
        container.put_archive("/", archive.getvalue())

    def derive(self, name, files):
        """Make the image `name` of the base and further files, which are programs; return its id."""
        container = self.client.containers.create(self.base.id, ["true"], labels={"fleece-test": ""})
        self.put(container, files)
        image = container.commit(*name.rsplit(":", 1))
        container.remove()
        return image.id

    def layers(self, image):
        """Return what `docker save` gives of an image, unpacked; of the stub, which saves none, its files as one."""
        if self.stub is not None:
            container = self.client.containers.create(image.id, ["true"], labels={"fleece.build": ""})
            chunks, _ = container.get_archive("/")
            files = b"".join(chunks)
            container.remove()
            return [files]
        with tarfile.open(fileobj=io.BytesIO(b"".join(image.save()))) as saved:
            parts = [saved.extractfile(member).read() for member in saved if member.isreg()]
        return [gzip.decompress(part) if part.startswith(b"\x1f\x8b") else part for part in parts]

    def move(self, image):
        """Let the default image's name stand for another image."""
        self.client.images.get(image).tag(self.repository, self.tag)

    def containers(self):
        """Return what is left of builds: containers, whatever became of them."""
        return self.client.containers.list(all=True, filters={"label": "fleece.build"}, ignore_removed=True)

    def await_removal(self):
        """Wait until the containers are gone that the engine itself removes, because their build is no more."""
        for container in self.containers():
            with contextlib.suppress(NotFound):
                container.wait(condition="removed")

    def left(self):
        """Return the names of containers and volumes that are left."""
        return [one.name for one in (*self.containers(), *self.client.volumes.list())]


@functools.cache
def python_of(client, image):
    """Return the version of a real image's Python."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return client.containers.run(image, ["python3", "-c", code], remove=True).decode().strip()


@pytest.fixture
def _unclosed_sockets(caplog):
    """Pass over the sockets that the docker package drops when it cannot connect with them."""
    yield
    caplog.get_records("call").clear()  # they hold the error, and this the socket
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def build_in_docker(engine, capfd):
    """Run ``fleece build`` for the engine's Python and architecture in this process, into its default image."""

    def run(*arguments, python=engine.python, architecture=engine.architecture):
        words = ["build", "--python", python, "--architecture", architecture, *map(str, arguments)]
        code = exit_code_of(words)
        output = capfd.readouterr()
        return Outcome(code, output.out, output.err)

    return run


@pytest.fixture
def gate(engine, monkeypatch):
    """Stand between fleece and the engine: see `Gate`."""
    with contextlib.closing(Gate(os.environ["DOCKER_HOST"].removeprefix("unix://"))) as made:
        monkeypatch.setenv("DOCKER_HOST", made.url)
        yield made


@pytest.fixture
def tcp_gate(engine, monkeypatch):
    """Stand between fleece and the engine, as if it were on another machine: see `Gate`."""
    with contextlib.closing(Gate(os.environ["DOCKER_HOST"].removeprefix("unix://"), tcp=True)) as made:
        monkeypatch.setenv("DOCKER_HOST", made.url)
        yield made


class Gate:
    """A socket in front of an engine's: counts what comes, and can shut as if the engine had gone.

    Attributes:
        url: for ``DOCKER_HOST``: a unix socket, or one of TCP, as of an engine on another machine.
        connections: how many there were.
        shuts_at: what the engine says at which it shuts.
        stalls_at: what the engine says after which nothing more comes through, until it is shut.
        stalled: set once that is so.
    """

    def __init__(self, upstream, *, tcp=False):
        self.connections = 0
        self.shuts_at = self.stalls_at = None
        self._shut, self.stalled = threading.Event(), threading.Event()
        self._upstream = upstream
        self._folder = tempfile.TemporaryDirectory(prefix="fleece-")
        self._sockets = []
        self._threads = []
        if tcp:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(f"{self._folder.name}/gate.sock")
            self._listener.listen()
            self.url = f"unix://{self._folder.name}/gate.sock"
        self._start(self._accept)

    def close(self):
        """End."""
        self.shut()
        for thread in self._threads:
            thread.join()
        for one in (*self._sockets, self._listener):
            one.close()
        self._folder.cleanup()

    def shut(self):
        """Be gone: neither take connections nor keep those that there are."""
        self._shut.set()
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _start(self, target, *arguments):
        self._threads.append(threading.Thread(target=target, args=arguments))
        self._threads[-1].start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._upstream)
                self._sockets += [client, server]
                self._start(self._pump, client, server, None, None)
                self._start(self._pump, server, client, self.shuts_at, self.stalls_at)

    def _pump(self, source, destination, shuts_at, stalls_at):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                destination.sendall(data)
                if shuts_at is not None and shuts_at in data:
                    self.shut()
                if stalls_at is not None and stalls_at in data:
                    self.stalled.set()
                    self._shut.wait()
        with contextlib.suppress(OSError):
            destination.shutdown(socket.SHUT_WR)
