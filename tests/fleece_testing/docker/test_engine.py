"""The Docker stub itself: its log, its failures, its end, and what it refuses."""

import contextlib
import io
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import docker
import pytest
import urllib3
from docker.errors import APIError, ContainerError

from fleece_testing.docker_engine import OPERATIONS, DockerEngine

IMAGE = "example/python:3"


@pytest.fixture
def image(fleece_docker):
    """Return the name of an image that is there."""
    fleece_docker.image(IMAGE)
    return IMAGE


def is_alive(pid):
    """Whether a process runs, and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        "Z"
        not in subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    )


def wait_until(condition):
    """Wait for what comes in a moment."""
    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("It did not come")


def sleeper(client):
    """Start a container whose process runs on; return the container and the process's id."""
    container = client.containers.create(IMAGE, ["sh", "-c", "echo ready; sleep 300"])
    container.start()
    container.reload()
    return container, container.attrs["State"]["Pid"]


def test_log_has_the_requests(fleece_docker, client, image):
    """Each request is in the log, with the operation's name in the docker package."""
    client.containers.create(image, ["true"], name="one")
    (created,) = [one for one in fleece_docker.log if one.operation == "create_container"]
    assert (created.method, created.path, created.status) == ("POST", "/containers/create", 201)
    assert created.query == {"name": "one"}
    assert created.body["Cmd"] == ["true"]


def test_operations_are_the_docker_packages():
    """Each operation is a method of docker.APIClient."""
    assert [name for name in OPERATIONS if not hasattr(docker.APIClient, name)] == []


def test_failures_on_demand(fleece_docker, client, image):
    """The next answers fail as they are told to, and those after them do not."""
    fleece_docker.fail("create_container", 500, "no space left on device", times=2)
    for _ in range(2):
        with pytest.raises(APIError, match="no space left on device"):
            client.containers.create(image, ["true"])
    assert client.containers.create(image, ["true"])


def test_a_pull_may_fail_in_its_stream(fleece_docker, client):
    """Status 200 is a pull that had begun."""
    fleece_docker.image("example/remote", remote=True)
    fleece_docker.fail("pull", 200, "unexpected EOF")
    lines = list(client.api.pull("example/remote", tag="latest", stream=True, decode=True))
    assert lines[-1] == {"errorDetail": {"message": "unexpected EOF"}, "error": "unexpected EOF"}


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda one: one.fail("paint"), "no operation 'paint': use one of"),
        (lambda one: one.vanish("paint"), "no operation 'paint': use one of"),
        (lambda one: one.fail("start", 200), "Only pull can fail with status 200"),
        (lambda one: one.fail("pull", 302), "status is the number of an HTTP status, 400 to 599, not 302"),
        (lambda one: one.fail("pull", "gone"), "status is the number of an HTTP status, 400 to 599, not 'gone'"),
        (lambda one: one.fail("pull", times=0), "times is how many answers fail, one or more, not 0"),
    ],
)
def test_wrong_failures_are_refused(fleece_docker, act, message):
    """There are no failures of what is not there, and none that are no failure."""
    with pytest.raises(ValueError, match=message):
        act(fleece_docker)


def test_logs_of_a_time(client, image):
    """Of a container's lines, those that were written since or until a time can be asked for."""
    container = client.containers.create(image, ["echo", "line"])
    container.start()
    container.wait()
    between = time.time()
    container.start()
    container.wait()
    assert container.logs() == b"line\nline\n"
    assert container.logs(since=between) == container.logs(until=between) == b"line\n"
    assert container.logs(since=between, until=between) == b""


def test_an_engine_may_vanish_within_a_stream(fleece_docker, client, image):
    """The stream breaks after its first part, the process ends, and nobody listens any more; clear() brings it back."""
    container, pid = sleeper(client)
    fleece_docker.vanish(during="logs")
    # Not container.logs(), which asks about the container in between: whether that is answered is a matter of luck.
    url = client.api._url("/containers/{0}/logs?stdout=1&follow=1", container.id)
    with client.api._get(url, stream=True) as answer:
        assert answer.raw.read(14) == b"\x01\0\0\0\0\0\0\x06ready\n"
        with pytest.raises(urllib3.exceptions.ProtocolError):
            answer.raw.read()
    wait_until(lambda: not is_alive(pid))
    # Not client.ping(): the docker package leaks the socket that it cannot connect.
    assert not Path(fleece_docker.url.removeprefix("unix://")).exists()
    fleece_docker.clear()
    assert client.ping()


def test_an_engine_comes_back_with_what_it_had(fleece_docker, client, image):
    """After vanish() and start() the containers are there, ended."""
    container, _ = sleeper(client)
    fleece_docker.vanish()
    fleece_docker.start()
    container.reload()
    assert (container.status, container.attrs["State"]["ExitCode"]) == ("exited", 137)


def test_clear_forgets_everything(fleece_docker, client, image):
    """After clear() there is nothing, and the processes have ended."""
    _, pid = sleeper(client)
    client.volumes.create("one")
    fleece_docker.clear()
    assert (client.images.list(), client.containers.list(all=True), client.volumes.list()) == ([], [], [])
    assert not is_alive(pid)


def test_stop_leaves_nothing():
    """Its files, socket and processes are gone; stopping twice does nothing."""
    engine = DockerEngine().start()
    engine.image(IMAGE)
    folders = [Path(engine.environment()["DOCKER_CONFIG"]).parent, Path(engine.url.removeprefix("unix://")).parent]
    client = docker.DockerClient(engine.url)
    _, pid = sleeper(client)
    client.close()
    assert all(folder.is_dir() for folder in folders)
    engine.stop()
    engine.stop()
    assert not any(folder.exists() for folder in folders)
    assert not is_alive(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ends a killed process's children")
def test_a_folder_too_deep_for_a_socket(tmp_path, monkeypatch):
    """It is an error that says what to do, and leaves nothing behind."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pytest.raises(OSError, match=r"No socket can be made at .*: set TMPDIR to a shorter path"):
        DockerEngine().start()
    assert list(deep.iterdir()) == []


def test_processes_end_with_a_killed_engine():
    """When the process that holds the engine is killed, those of its containers end, and the next takes its files."""
    code = f"""
import docker
from fleece_testing.docker_engine import DockerEngine
engine = DockerEngine().start()
engine.image({IMAGE!r})
container = docker.DockerClient(engine.url).containers.run({IMAGE!r}, ["sleep", "300"], detach=True)
container.reload()
print(container.attrs["State"]["Pid"], engine.environment()["DOCKER_CONFIG"], engine.url, flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        pid, config, url = child.stdout.readline().split()
        child.kill()
    wait_until(lambda: not is_alive(int(pid)))
    folders = [Path(config).parent, Path(url.removeprefix("unix://")).parent]
    with DockerEngine():
        wait_until(lambda: not any(folder.exists() for folder in folders))  # another worker's may be at it


def test_what_is_not_emulated_says_so(client, image):
    """Other endpoints, and terminals, are answered with 501 and a message."""
    container = client.containers.create(image, ["true"])
    acts = (
        lambda: client.images.build(fileobj=io.BytesIO(b"FROM scratch")),
        lambda: client.containers.create(image, ["true"], tty=True),
        lambda: client.networks.create("shop"),
        client.networks.list,
        client.api.inspect_swarm,
        client.plugins.list,
        container.pause,
        container.top,
    )
    for act in acts:
        with pytest.raises(
            APIError, match=r"Docker stub does not emulate .*: test this against a real engine"
        ) as error:
            act()
        assert error.value.response.status_code == 501


def test_archives_stay_in_their_folder(client, image, tmp_path):
    """Members that lead out of the container are refused or stay within, whatever way they take."""
    container = client.containers.create(image, ["true"])
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
    hard = tarfile.TarInfo("hard")
    hard.type, hard.linkname = tarfile.LNKTYPE, "../../../../../../../../etc/passwd"
    for members in (["../../../../../../../../../tmp/out"], [link, "link/out"], [hard]):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for member in members:
                tar.addfile(tarfile.TarInfo(member) if isinstance(member, str) else member)
        with pytest.raises(APIError, match="Error processing tar file"):
            container.put_archive("/var/task", archive.getvalue())
    assert list(tmp_path.iterdir()) == []


def test_links_out_of_a_container_lead_nowhere(client, image, tmp_path):
    """A file of this machine that a link leads to, such as that of Python itself, cannot be got."""
    container = client.containers.create(image, ["true"])
    link = tarfile.TarInfo("up")
    link.type, link.linkname = tarfile.SYMTYPE, "../" * 20 + str(tmp_path)[1:]
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(link)
    container.put_archive("/var/task", archive.getvalue())
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(APIError, match="Could not find the file /var/task/up/secret"):
        container.get_archive("/var/task/up/secret")


def test_a_read_only_folder_is_a_copy(client, image, tmp_path):
    """What root writes to a read-only mount does not reach this machine."""
    (tmp_path / "file").write_text("given")
    mounts = {str(tmp_path): {"bind": "/in", "mode": "ro"}}
    with contextlib.suppress(ContainerError):  # to others than root it is forbidden
        client.containers.run(image, ["sh", "-c", "cat /in/file; echo lost >/in/file"], volumes=mounts, remove=True)
    assert (tmp_path / "file").read_text() == "given"


def test_a_volume_has_the_images_files_once(fleece_docker, client):
    """An empty volume is given what the image has there; one with files of its own keeps them."""
    fleece_docker.image(IMAGE, files={"/data/file": "the image's"})
    mounted = {"one": {"bind": "/data", "mode": "rw"}}
    write = ["sh", "-c", "cat /data/file; printf mine >/data/file"]
    assert client.containers.run(IMAGE, write, volumes=mounted, remove=True) == b"the image's"
    assert client.containers.run(IMAGE, ["cat", "/data/file"], volumes=mounted, remove=True) == b"mine"


def test_an_engine_has_to_be_started():
    """What needs a running engine says how to get one."""
    with pytest.raises(RuntimeError, match=r"The engine has not been started; call start\(\)"):
        DockerEngine().image(IMAGE)
