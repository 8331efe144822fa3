"""A real engine that ends in mid-build: one of its own for this file, which ``engine.sh`` has the programs for."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import docker
import pytest
from docker.errors import NotFound

SLOW = """def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    import time
    time.sleep(120)
"""


class Engine:
    """An engine with a network, processes and mounts of its own: when it ends, so do these, and nothing is left."""

    def __init__(self, folder):
        self.url = f"unix://{folder}/docker.sock"
        self._folder = folder
        self._process = None

    def start(self):
        """Start it, also after it was killed, and return a client once it answers."""
        apart = "unpacked exec unshare --net --pid --mount-proc --fork --kill-child"
        options = [f"--{name}={self._folder}/{name}" for name in ("data-root", "exec-root", "pidfile")]
        (self._folder / "pidfile").unlink(missing_ok=True)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", f'{apart} dockerd "$@"', "bash", *options, f"--host={self.url}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        with socket.socket(socket.AF_UNIX) as probe:
            while probe.connect_ex(f"{self._folder}/docker.sock"):
                assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
                time.sleep(0.05)
        return self.client()

    def client(self):
        """Return a client of it."""
        return docker.DockerClient(self.url, timeout=60)

    def end(self, number):
        """Send it a signal that ends it, and wait for that."""
        (daemon,) = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        os.kill(int(daemon), number)
        self._process.wait()


@pytest.fixture(scope="module")
def engine():
    """Give an engine that runs, and has the image of the other one."""
    folder = Path(tempfile.mkdtemp(prefix="fleece-"))
    made = Engine(folder)
    with contextlib.closing(docker.from_env()) as other, contextlib.closing(made.start()) as client:
        image = other.images.get(os.environ["FLEECE_TEST_IMAGE"])
        client.images.load(b"".join(image.save(named=True)))
    yield made
    made.end(signal.SIGKILL)
    shutil.rmtree(folder)


@pytest.fixture
def service(tmp_path):
    """Return the folder of a service whose requirement takes long to install, with the zip of an earlier build."""
    files = {
        "slow/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "slow/backend.py": SLOW,
        "src/requirements.txt": "./slow\n",
        "dist/lambda_function.zip": "previous",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_engine_that_ends_in_mid_build(engine, service, number):
    """Killed or told to end: one line says so, the zip of before stays, and the engine has no container once back."""
    with contextlib.closing(engine.client()) as client:
        name = os.environ["FLEECE_TEST_IMAGE"]
        python = client.containers.run(name, ["python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        command = [sys.executable, "-m", "fleece", "build", "--image", name, "--python", python.decode().strip(), "."]
        environment = {**os.environ, "DOCKER_HOST": engine.url, "XDG_CACHE_HOME": str(service / "cache")}
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=service, env=environment) as child:
            assert any(line.startswith("Processing ./slow") for line in child.stderr)
            assert client.containers.list(filters={"label": "fleece.build"})
            engine.end(number)
            last = child.stderr.read().splitlines()[-1]
    assert child.returncode == 1
    assert last.startswith(f"Error: the Docker engine at {engine.url} went away (")
    assert [one.name for one in (service / "dist").iterdir()] == ["lambda_function.zip"]
    assert (service / "dist" / "lambda_function.zip").read_text(encoding="utf-8") == "previous"
    assert list((service / "cache").rglob("tmp-*")) == []
    with contextlib.closing(engine.start()) as client:
        for container in client.containers.list(all=True, filters={"label": "fleece.build"}, ignore_removed=True):
            with contextlib.suppress(NotFound):
                container.wait(condition="removed")
        assert client.containers.list(all=True, filters={"label": "fleece.build"}) == []
