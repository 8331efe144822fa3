"""What a build makes of registries and of engines in trouble, which only the stub can be told to be."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile

import pytest


@pytest.fixture
def stub(engine, fleece_docker):
    """Give the stub, without the default image, which is only in its registry."""
    name = f"{engine.repository}:{engine.tag}"
    engine.client.images.remove(name)
    fleece_docker.image(name, remote=True)
    return fleece_docker


def operations(stub):
    """Return what the stub was asked to do."""
    return [one.operation for one in stub.log]


def test_an_image_that_is_not_there_is_pulled_once(build_in_docker, stub, wheels, service):
    """The first build fetches the image, and says so; what the engine has is not asked for again."""
    wheels("alpha")
    one, two = service("one", "alpha\n"), service("two", "alpha==1.0\n")
    outcome = build_in_docker(one)
    assert outcome.exit_code == 0
    assert "pulling public.ecr.aws/sam/build-python" in outcome.stderr
    assert build_in_docker(two).exit_code == 0
    assert operations(stub).count("pull") == 1


def test_a_newer_image_is_noticed_with_pull(build_in_docker, stub, engine, wheels, service):
    """--pull asks the registry: packages are installed anew when it has another image, and only then."""
    wheels("alpha")
    folder = service("users", "alpha\n")
    assert build_in_docker(folder).exit_code == 0
    assert "packages from the cache" in build_in_docker(folder, "--pull").stderr
    stub.image(f"{engine.repository}:{engine.tag}", remote=True)
    assert "packages installed" in build_in_docker(folder, "--pull").stderr


def test_the_platform_is_asked_for(build_in_docker, stub, engine, wheels, service):
    """The registry is asked for the image of Lambda's architecture, and its refusal is told."""
    wheels("alpha")
    name = f"{engine.repository}:{engine.tag}"
    other = {"x86_64": "arm64", "arm64": "x86_64"}[engine.architecture]
    outcome = build_in_docker(service("users", "alpha\n"), "--image", name, architecture=other)
    assert outcome.exit_code == 1
    assert f"the image {name} could not be pulled: no matching manifest for linux/" in outcome.stderr


def test_a_pull_that_stalls_can_be_interrupted(stub, engine, gate, wheels, service):
    """Ctrl-C ends the wait for a registry that sends no more."""
    wheels("alpha")
    gate.stalls_at = b"Pulling from"
    command = [sys.executable, "-m", "fleece", "build", "--python", engine.python]
    command += ["--architecture", engine.architecture, str(service("users", "alpha\n"))]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        told = child.stderr.readline()
        assert gate.stalled.wait(30)
        child.send_signal(signal.SIGINT)
        told += child.communicate(timeout=60)[1]
    assert child.returncode == 130
    assert told.startswith("pulling ")
    assert told.endswith("Error: interrupted\n")


SHOWING = "from fleece.cli import _progress, main; _progress.PATIENCE = _progress.INTERVAL = 0; main.main()"


@pytest.mark.usefixtures("stub")
def test_a_terminal_has_bars_and_a_log_has_lines(engine, wheels, service, monkeypatch):
    """Pulling and packing tell how far they are, and installing what pip says: plain lines where no terminal is."""
    wheels("alpha", files={f"alpha/m{number}.py": "" for number in range(9)})
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    command = [sys.executable, "-c", SHOWING, "build", "--python", engine.python, "--architecture", engine.architecture]
    command += [str(service("users", "alpha\n")), "--pull", "--rebuild"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    reader, writer = os.openpty()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=writer) as child:
        os.close(writer)
        shown = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error
            while piece := os.read(reader, 4096):
                shown += piece
    os.close(reader)
    assert child.returncode == 0
    for text in (lines, shown.decode()):
        assert text.index("pulling public.ecr.aws") < text.index("Successfully installed") < text.index("Packing")
    assert re.search(r"^Packing: 1 of 2\d$", lines, re.MULTILINE)
    assert "\r" not in lines
    assert re.search(r"Packing +\[#*-*\] +1/2\d", shown.decode())


IMPATIENT = "from fleece.cli import main; from fleece.cli.build import services; services._PATIENCE = 0.5; main.main()"


def test_an_engine_that_never_answers_can_be_interrupted(offline, service, tmp_path, monkeypatch):
    """Ctrl-C ends the wait for an engine that takes a request and says nothing; nothing is left in the cache."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(f"{folder}/deaf.sock")
        deaf.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/deaf.sock")
        command = [sys.executable, "-c", IMPATIENT, "build", str(service("users", "alpha\n"))]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
            asked, _ = deaf.accept()
            with asked:
                assert asked.recv(1000).startswith(b"GET ")
                child.send_signal(signal.SIGINT)
                told = child.communicate(timeout=60)[1]
    assert child.returncode == 130
    assert told.startswith("Warning: the engine does not answer: a container may be left")
    assert told.endswith("Error: interrupted\n")
    assert [one.name for one in (tmp_path / "cache").rglob("tmp-*")] == []


@pytest.mark.parametrize("status", [200, 500])
def test_a_pull_that_fails(build_in_docker, stub, wheels, service, status):
    """The registry's reason is told, whether it came at once or in the midst."""
    wheels("alpha")
    stub.fail("pull", status, "toomanyrequests: rate exceeded")
    outcome = build_in_docker(service("users", "alpha\n"))
    assert outcome.exit_code == 1
    assert "could not be pulled: toomanyrequests: rate exceeded; name another with --image" in outcome.stderr


def test_a_registry_that_wants_a_login(build_in_docker, stub, wheels, service):
    """The reason is the registry's."""
    wheels("alpha")
    stub.image("registry.example/build:1", remote=True, login=("user", "s3cr3t"))
    outcome = build_in_docker(service("users", "alpha\n"), "--image", "registry.example/build:1")
    assert outcome.exit_code == 1
    assert "no basic auth credentials" in outcome.stderr


def test_an_engine_that_refuses(build_in_docker, stub, engine, wheels, service):
    """What the engine says is told as it is."""
    wheels("alpha")
    stub.fail("create_container", 500, "write /var/lib/docker: no space left on device")
    outcome = build_in_docker(service("users", "alpha\n"))
    assert outcome.exit_code == 1
    last = outcome.stderr.strip().splitlines()[-1]
    assert last == "Error: the Docker engine refused: write /var/lib/docker: no space left on device"
    assert engine.left() == []


@pytest.mark.usefixtures("_unclosed_sockets")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("operation", ["pull", "exec_start", "get_archive"])
def test_an_engine_that_is_killed(build_in_docker, stub, engine, wheels, service, operation):
    """Whatever it was at: one line, no zip, and nothing is left once it is back."""
    wheels("alpha")
    stub.vanish(during=operation)
    folder = service("users", "alpha\n")
    outcome = build_in_docker(folder)
    assert outcome.exit_code == 1
    assert "Error: the Docker engine at unix://" in outcome.stderr
    assert not (folder / "dist").exists()
    stub.start()
    engine.await_removal()
    assert engine.left() == []


def test_an_image_without_python(build_in_docker, stub, wheels, service):
    """It is said that there is none."""
    wheels("alpha")
    stub.image("fleece-test/none:1", environment={"PATH": "/bin"})
    outcome = build_in_docker(service("users", "alpha\n"), "--image", "fleece-test/none:1")
    assert outcome.exit_code == 1
    assert "the image fleece-test/none:1 has no Python, and this build is for " in outcome.stderr


def test_an_image_that_cannot_be_started(build_in_docker, stub, engine, wheels, service):
    """What the image lacks is told, and that it wants another one."""
    wheels("alpha")
    stub.fail("start", 400, 'runc create failed: exec: "timeout": executable file not found in $PATH: unknown')
    outcome = build_in_docker(service("users", "alpha\n"))
    assert outcome.exit_code == 1
    assert "Error: the image has no timeout, which each distribution has in its coreutils, and " in outcome.stderr
    assert engine.left() == []


def test_retired_runtimes_have_their_own_image(build_in_docker, stub, wheels, service):
    """``--python36`` builds in the image that AWS made for it, with the warning that Lambda takes no more of these."""
    wheels("alpha")
    outcome = build_in_docker(service("users", "alpha\n"), python="3.6", architecture="x86_64")
    assert "Warning: Lambda no longer creates functions for python3.6" in outcome.stderr
    assert "pulling public.ecr.aws/sam/build-python3.6:latest-x86_64" in outcome.stderr
