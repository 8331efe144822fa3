"""``fleece build`` in Docker: the same tests in the stub and, under ``tox run -e docker``, in a real engine."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme
from docker.context import ContextAPI
from docker.errors import NotFound

from fleece_testing._docker import documents

OTHER_ARCHITECTURE = {"amd64": "arm64", "arm64": "x86_64"}[documents.architecture()]

DNF = """#!/bin/sh
echo "installing $*"
echo "$*" >>installed
env | grep ^PIP_FIND_LINKS >>installed
[ "$*" != "install -y nothing" ] || { echo "Error: Unable to find a match: nothing" >&2; exit 1; }
"""

BACKEND = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def zip_of(folder):
    """Return the bytes of a service's zip."""
    return (folder / "dist" / "lambda_function.zip").read_bytes()


@pytest.fixture
def project(tmp_path):
    """Write a project whose build does what the code says: ``project("slow", "import time; time.sleep(60)")``."""

    def make(name, code):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pyproject.toml").write_text(BACKEND, encoding="utf-8")
        (folder / "backend.py").write_text(
            f"def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):\n    {code}\n",
            encoding="utf-8",
        )

    return make


def test_the_zip_is_the_one_that_is_made_without_docker(build_in_docker, build, engine, wheels, service, tmp_path):
    """Docker and the host make the same bytes, in other folders, as other users, under another umask."""
    wheels(
        "alpha",
        files={"alpha/__init__.py": "x = {1, 2, 'a'}\n", "alpha/core.py": "def main():\n    pass\n"},
        requires=["beta>=1", f"gone ; python_version < '{engine.python}'"],
        entry_points="[console_scripts]\nalpha-run = alpha.core:main\n",
        extra={"scripts/tool": "#!python\nprint(1)\n", "scripts/more.py": "#!python\n", "data/share/alpha.txt": "x"},
    )
    wheels("beta")
    one, two = service("one", "alpha\n"), service("deeper/two", "alpha\n")
    outcome = build_in_docker(one)
    assert (outcome.exit_code, outcome.stdout) == (0, f"{one}/dist/lambda_function.zip\n"), outcome.stderr
    assert "Successfully installed alpha-1.0 beta-1.0" in outcome.stderr
    assert engine.left() == []
    before = os.umask(0o077)
    try:
        assert build(two, "--architecture", engine.architecture, python=engine.python).exit_code == 0
    finally:
        os.umask(before)
    assert zip_of(one) == zip_of(two)
    assert b"more.py" in zip_of(one)
    assert b"__pycache__/core.cpython-" in zip_of(one)


def test_an_unchanged_build_contacts_no_engine(build_in_docker, gate, wheels, service):
    """Nothing changed, or only the source: packages come from the cache, and the engine is asked nothing."""
    wheels("alpha")
    folder = service("users", "alpha\n")
    assert build_in_docker(folder).exit_code == 0
    first, asked = zip_of(folder), gate.connections
    assert asked > 0
    assert "packages from the cache" in build_in_docker(folder).stderr
    assert zip_of(folder) == first
    (folder / "src" / "handler.py").write_text("changed = 1\n", encoding="utf-8")
    assert "packages from the cache" in build_in_docker(folder).stderr
    assert zip_of(folder) != first
    assert gate.connections == asked


def test_what_changes_the_packages_misses_the_cache(build_in_docker, engine, wheels, service):
    """Another line of requirements, system package, image or setting of pip's is another build; so is --rebuild."""
    wheels("alpha")
    wheels("beta")
    engine.derive("fleece-test/other:1", {"usr/local/bin/dnf": DNF})
    folder = service("users", "alpha\n")
    assert "packages installed" in build_in_docker(folder).stderr
    image = ("--image", "fleece-test/other:1")
    for arguments in (["--rebuild"], image, [*image, "-d", "gcc"], [*image, "-d", "gcc,make"], ["--no-compile"]):
        assert "packages installed" in build_in_docker(folder, *arguments).stderr, arguments
    assert "packages from the cache" in build_in_docker(folder, *image, "-d", "make gcc").stderr
    (folder / "src" / "requirements.txt").write_text("alpha\nbeta\n", encoding="utf-8")
    assert "packages installed" in build_in_docker(folder).stderr
    assert engine.left() == []


def test_a_moved_tag_is_noticed_at_the_next_contact(build_in_docker, engine, wheels, service):
    """The image's id of the last contact counts until --rebuild or a miss looks again."""
    wheels("alpha")
    one, two = service("one", "alpha\n"), service("two", "alpha==1.0\n")
    assert build_in_docker(one).exit_code == 0
    engine.move(engine.derive("fleece-test/newer:1", {"mark": ""}))
    assert "packages from the cache" in build_in_docker(one).stderr
    assert "packages installed" in build_in_docker(two).stderr  # a miss, which looks
    assert "packages installed" in build_in_docker(one).stderr
    assert "packages from the cache" in build_in_docker(one).stderr


def test_system_packages_are_installed_once_and_see_no_setting_of_pips(build_in_docker, engine, wheels, service):
    """Their layer is kept for the next build, made without PIP_* variables, and made anew for another image."""
    wheels("alpha")
    wheels("beta")
    engine.move(engine.derive("fleece-test/dnf:1", {"usr/local/bin/dnf": DNF}))
    folder = service("users", "alpha\n")
    outcome = build_in_docker(folder, "-d", "libxml2-devel,gcc")
    assert outcome.exit_code == 0
    assert "installing install -y gcc libxml2-devel" in outcome.stderr
    (folder / "src" / "requirements.txt").write_text("beta\n", encoding="utf-8")
    outcome = build_in_docker(folder, "-d", "libxml2-devel,gcc")
    assert "Successfully installed beta-1.0" in outcome.stderr
    assert "installing" not in outcome.stderr
    (layer,) = engine.client.images.list("fleece-build")
    seen = engine.client.containers.run(layer.id, ["/installed"], entrypoint=["cat"], remove=True)
    assert seen == b"install -y gcc libxml2-devel\n"
    engine.move(engine.derive("fleece-test/dnf:2", {"usr/local/bin/dnf": DNF, "mark": ""}))
    assert "installing install -y gcc" in build_in_docker(folder, "--rebuild", "-d", "libxml2-devel,gcc").stderr
    assert len(engine.client.images.list("fleece-build")) == 1


@pytest.mark.parametrize(
    ("tool", "command"),
    [
        ("dnf", "install -y gcc"),
        ("microdnf", "install -y gcc"),
        ("yum", "install -y gcc"),
        ("apt-get", "install -y --no-install-recommends -- gcc"),
    ],
)
def test_each_package_manager_is_found(build_in_docker, engine, service, tool, command):
    """Whichever of the four the image has installs the system packages."""
    engine.move(engine.derive("fleece-test/tool:1", {f"usr/local/bin/{tool}": '#!/bin/sh\necho "ran $*"\n'}))
    outcome = build_in_docker(service("users", "nothing ; python_version < '3'\n"), "-d", "gcc")
    assert outcome.exit_code == 0
    assert f"ran {command}" in outcome.stderr


def test_a_system_package_that_is_not_there(build_in_docker, engine, wheels, service):
    """The package manager's own reason is told, and no layer is kept."""
    wheels("alpha")
    engine.move(engine.derive("fleece-test/dnf:1", {"usr/local/bin/dnf": DNF}))
    outcome = build_in_docker(service("users", "alpha\n"), "-d", "nothing")
    assert outcome.exit_code == 1
    assert "could not be installed into public.ecr.aws" in outcome.stderr
    assert outcome.stderr.strip().endswith("Error: Unable to find a match: nothing")
    assert engine.client.images.list("fleece-build") == []
    assert engine.left() == []


WAITING = """#!/bin/sh
echo "waiting"
while [ ! -e go ]; do sleep 0.05; done
"""


def test_system_packages_that_two_builds_install_at_once(engine, wheels, service):
    """Of two processes that both found no layer, the later one takes the other's: no image is left without a name."""
    wheels("alpha")
    engine.move(engine.derive("fleece-test/dnf:1", {"usr/local/bin/dnf": WAITING}))
    command = [sys.executable, "-m", "fleece", "build", "--python", engine.python, "-d", "gcc"]
    command += ["--architecture", engine.architecture]
    with contextlib.ExitStack() as ending:
        started = []
        for name in ("one", "two"):
            words = [*command, str(service(name, f"alpha # {name}\n"))]
            child = ending.enter_context(subprocess.Popen(words, stderr=subprocess.PIPE, text=True))
            assert "waiting\n" in child.stderr
            (container,) = set(engine.containers()) - {one for _, one in started}
            started.append((child, container))
        layers = []
        for child, container in started:
            engine.put(container, {"go": ""})
            told = child.communicate(timeout=60)[1]
            assert child.returncode == 0, told
            layers += engine.client.images.list(filters={"label": "fleece.build"})
    assert layers == [layers[0]] * 2
    assert layers[0].tags[0].startswith("fleece-build:")
    assert engine.left() == []


def test_files_that_requirements_name_go_along(build_in_docker, wheels, service, entries, tmp_path, monkeypatch):
    """Nested files, constraints, projects beside the service and pip's own settings reach the container."""
    wheels("alpha", "1.0")
    wheels("alpha", "2.0")
    wheels("beta", "1.0")
    (tmp_path / "limits.txt").write_text("alpha<2\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONSTRAINT", "limits.txt")
    monkeypatch.setenv("FLEECE_TEST_NAME", "beta")
    near = tmp_path / "near"
    near.mkdir()
    wheel = wheels("near", "1.0")
    wheel.rename(near / wheel.name)
    folder = service("users", f"-r more.txt\n./near/{wheel.name}\n${{FLEECE_TEST_NAME}}==1.0\n")
    (folder / "src" / "more.txt").write_text("alpha\n", encoding="utf-8")
    outcome = build_in_docker(folder)
    assert outcome.exit_code == 0, outcome.stderr
    packed = entries(folder)
    assert packed["alpha.py"] == b"version = '1.0'\n"
    assert {"beta.py", "near.py"} <= set(packed)


PYLOCK = """lock-version = "1.0"
created-by = "tests"

[[packages]]
name = "alpha"
version = "1.0"
[[packages.wheels]]
url = "http://127.0.0.1/alpha-1.0-py3-none-any.whl"
hashes = {{sha256 = "{}"}}
"""


def pipfile_lock(digest):
    """Return the text of a ``Pipfile.lock`` with one package."""
    package = {"version": "==1.0", "hashes": [f"sha256:{digest}"]}
    return json.dumps({"_meta": {}, "default": {"alpha": package}, "develop": {}})


@pytest.mark.parametrize(("name", "lock"), [("Pipfile.lock", pipfile_lock), ("pylock.toml", PYLOCK.format)])
def test_hashes_of_a_lock_are_enforced(build_in_docker, wheels, service, entries, name, lock):
    """A lock's wheel is installed when its hash is right, and refused otherwise."""
    path = wheels("alpha")
    folder = service("users")
    (folder / "src" / "requirements.txt").unlink()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for hashed, code in ((digest, 0), ("0" * 64, 1)):
        (folder / name).write_text(lock(hashed), encoding="utf-8")
        outcome = build_in_docker(folder)
        assert outcome.exit_code == code
    assert "alpha.py" in entries(folder)
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in outcome.stderr


def test_packages_with_and_without_hashes_share_a_namespace(build_in_docker, wheels, service, entries):
    """What has hashes is installed apart from what has none; folders that both have are put together."""
    alpha = wheels("alpha", files={"shared/alpha.py": ""}, extra={"scripts/one": "#!python\n"})
    beta = wheels("beta", files={"shared/beta.py": ""}, extra={"scripts/two": "#!python\n"})
    folder = service("users")
    packages = {
        "alpha": {"version": "==1.0", "hashes": [f"sha256:{hashlib.sha256(alpha.read_bytes()).hexdigest()}"]},
        "beta": {"file": beta.as_uri()},
    }
    (folder / "Pipfile.lock").write_text(json.dumps({"_meta": {}, "default": packages}), encoding="utf-8")
    for way in ([], ["--no-docker"]):
        outcome = build_in_docker(folder, "-p", folder, *way)
        assert outcome.exit_code == 0, outcome.stderr
        assert {"shared/alpha.py", "shared/beta.py", "bin/one", "bin/two"} <= set(entries(folder))


def test_the_images_python_is_checked(build_in_docker, engine, wheels, service):
    """An image with another Python than the one that is built for is refused, with both named."""
    wheels("alpha")
    other = "3.13" if engine.python != "3.13" else "3.12"
    name = f"{engine.repository}:{engine.tag}"
    outcome = build_in_docker(service("users", "alpha\n"), "--image", name, python=other)
    assert outcome.exit_code == 1
    assert f"the image {name} has Python {engine.python}, and this build is for {other}" in outcome.stderr
    assert engine.left() == []


def test_an_image_without_a_shell(build_in_docker, engine, wheels, service):
    """It is said that nothing can be built in it, and nothing is left."""
    wheels("alpha")
    engine.derive("fleece-test/shell:1", {"usr/local/bin/sh": "#!/no/such/shell\n"})
    outcome = build_in_docker(service("users", "alpha\n"), "--image", "fleece-test/shell:1")
    assert outcome.exit_code == 1
    last = outcome.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: the image fleece-test/shell:1 has no shell (sh) that runs, and cannot be built in: ")
    assert engine.left() == []


def test_the_images_architecture_is_checked(build_in_docker, engine, wheels, service):
    """An image for another machine than Lambda's is refused before anything runs in it."""
    wheels("alpha")
    name = f"{engine.repository}:{engine.tag}"
    folder = service("users", "alpha\n")
    outcome = build_in_docker(folder, "--image", name, architecture=OTHER_ARCHITECTURE)
    assert outcome.exit_code == 1
    assert f"and this build for {OTHER_ARCHITECTURE}: fetch that one with --pull" in outcome.stderr


def test_an_image_that_cannot_be_had(build_in_docker, wheels, service):
    """The registry's own reason is told."""
    wheels("alpha")
    outcome = build_in_docker(service("users", "alpha\n"), "--image", "127.0.0.1:9/fleece-test/nothing")
    assert outcome.exit_code == 1
    assert "the image 127.0.0.1:9/fleece-test/nothing could not be pulled: " in outcome.stderr
    assert "could not be pulled: ;" not in outcome.stderr


@pytest.mark.usefixtures("_unclosed_sockets")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_no_engine(build_in_docker, wheels, service, monkeypatch):
    """Where none answers, the line says where it was looked for, why, and what to do."""
    wheels("alpha")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    outcome = build_in_docker(service("users", "alpha\n"))
    assert outcome.exit_code == 1
    last = outcome.stderr.strip().splitlines()[-1]
    where = "unix:///nowhere/docker.sock (No such file or directory)"
    assert (
        last
        == f"Error: no Docker engine answers at {where}: start it, name another with DOCKER_HOST, or pass --no-docker"
    )


@pytest.fixture
def contexts(monkeypatch, tmp_path):
    """Give the folder of Docker's own settings, of a user who names the engine by a context; ``default`` at first."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text("{}")
    return tmp_path / "docker"


WHAT_TO_DO = ": choose another with `docker context use` or DOCKER_CONTEXT, or name an engine with DOCKER_HOST"


@pytest.mark.usefixtures("_unclosed_sockets")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_context(build_in_docker, wheels, service, monkeypatch, request):
    """The engine that is built on is that of the context, be it the current one or that of ``DOCKER_CONTEXT``."""
    wheels("alpha")
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    settings = request.getfixturevalue("contexts")
    ContextAPI.create_context("near", host=host)
    ContextAPI.create_context("far", host="unix:///nowhere/docker.sock")
    monkeypatch.setenv("DOCKER_CONTEXT", "near")
    folder = service("users", "alpha\n")
    assert build_in_docker(folder).exit_code == 0
    monkeypatch.setenv("DOCKER_CONTEXT", "far")
    failed = build_in_docker(folder)
    assert failed.exit_code == 1
    assert "Error: no Docker engine answers at the context far (No such file or directory): " in failed.stderr
    monkeypatch.delenv("DOCKER_CONTEXT")
    (settings / "config.json").write_text('{"currentContext": "near"}')
    assert build_in_docker(folder).exit_code == 0


@pytest.mark.usefixtures("engine")
def test_an_unknown_context(build_in_docker, service, monkeypatch, contexts):
    """What ``docker`` would refuse is refused: no build goes to another engine than the one that was named."""
    folder = service("users", "alpha\n")
    (contexts / "config.json").write_text('{"currentContext": "gone"}')
    for name in ("gone", "elsewhere"):
        outcome = build_in_docker(folder)
        assert outcome.exit_code == 1
        assert outcome.stderr.splitlines()[-1] == f"Error: there is no Docker context {name}{WHAT_TO_DO}"
        monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("damaged", ["{", "[]", "{}", '{"Endpoints": {"docker": 1}}'])
def test_a_damaged_context(build_in_docker, service, monkeypatch, contexts, damaged):
    """A context's file that is none is told by the context's name."""
    ContextAPI.create_context("near", host="unix:///nowhere/docker.sock")
    (meta,) = contexts.glob("contexts/meta/*/meta.json")
    meta.write_text(damaged)
    monkeypatch.setenv("DOCKER_CONTEXT", "near")
    outcome = build_in_docker(service("users", "alpha\n"))
    assert outcome.exit_code == 1
    assert outcome.stderr.splitlines()[-1] == f"Error: the Docker context near cannot be read{WHAT_TO_DO}"


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("endpoints", [{"kubernetes": {}}, {"docker": {"Host": ""}}, {"docker": {"Host": 1}}])
def test_a_context_without_an_engine(build_in_docker, service, monkeypatch, contexts, endpoints):
    """A context that names none is refused, as the package would go to the default engine."""
    ContextAPI.create_context("near", host="unix:///nowhere/docker.sock")
    (meta,) = contexts.glob("contexts/meta/*/meta.json")
    meta.write_text(json.dumps({"Name": "near", "Metadata": {}, "Endpoints": endpoints}))
    monkeypatch.setenv("DOCKER_CONTEXT", "near")
    outcome = build_in_docker(service("users", "alpha\n"))
    assert outcome.exit_code == 1
    assert outcome.stderr.splitlines()[-1] == f"Error: the Docker context near names no engine{WHAT_TO_DO}"


@pytest.mark.usefixtures("engine")
def test_certificates_that_are_not_there(build_in_docker, service, monkeypatch, tmp_path):
    """The variable that asks for them is named, and the file."""
    folder = service("users", "alpha\n")
    monkeypatch.setenv("HOME", str(tmp_path))

    def missing(name, asking):
        outcome = build_in_docker(folder)
        assert outcome.exit_code == 1
        last = outcome.stderr.splitlines()[-1]
        assert last.startswith(f"Error: there is no file {name}, which {asking} asks for: name the folder of ")

    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    missing(tmp_path / ".docker" / "cert.pem", "DOCKER_TLS_VERIFY")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    for name in ("cert.pem", "key.pem", "ca.pem"):
        missing(tmp_path / name, "DOCKER_CERT_PATH")
        (tmp_path / name).touch()


@pytest.mark.usefixtures("engine", "_unclosed_sockets")
@pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")
@pytest.mark.parametrize("verify", [None, "", "1"])
def test_an_engine_with_another_certificate(build_in_docker, service, monkeypatch, tmp_path, verify):
    """An engine's certificate is verified whether ``DOCKER_TLS_VERIFY`` says so or not: it is given passwords."""
    ours, theirs = trustme.CA(), trustme.CA()
    ours.cert_pem.write_to_path(tmp_path / "ca.pem")
    mine = ours.issue_cert("user@example.com")
    mine.private_key_pem.write_to_path(tmp_path / "key.pem")
    mine.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    for name in ("DOCKER_TLS_VERIFY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # the last two overrule the package
        monkeypatch.delenv(name, raising=False)
    if verify is not None:
        monkeypatch.setenv("DOCKER_TLS_VERIFY", verify)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.issue_cert("127.0.0.1").configure_cert(context)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server, ThreadPoolExecutor(1) as pool:

        def greet():
            connection, _ = server.accept()
            with contextlib.closing(connection), context.wrap_socket(connection, server_side=True) as greeted:
                return greeted.recv(1)

        heard = pool.submit(greet)
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.getsockname()[1]}")
        outcome = build_in_docker(service("users", "alpha\n"))
        with pytest.raises(ssl.SSLError):
            heard.result(30)
    assert outcome.exit_code == 1
    assert "certificate verify failed" in outcome.stderr.splitlines()[-1]


def test_a_requirement_that_does_not_exist(build_in_docker, engine, service):
    """Pip's own reason is told, the previous zip stays, nothing is left."""
    folder = service("users", "nowhere==1.0\n")
    (folder / "dist").mkdir()
    (folder / "dist" / "lambda_function.zip").write_bytes(b"previous")
    outcome = build_in_docker(folder)
    assert outcome.exit_code == 1
    assert "requirements.txt could not be installed: " in outcome.stderr.splitlines()[-1]
    assert outcome.stderr.strip().endswith("No matching distribution found for nowhere==1.0")
    assert [(one.name, one.read_bytes()) for one in (folder / "dist").iterdir()] == [
        ("lambda_function.zip", b"previous")
    ]
    assert engine.left() == []


def test_a_compiler_that_fails(build_in_docker, engine, project, service):
    """Its first error is in the reason, before pip's own."""
    project("broken", "raise SystemExit('src/alpha.c:1:10: fatal error: Python.h: No such file or directory')")
    outcome = build_in_docker(service("users", "./broken\n"))
    assert outcome.exit_code == 1
    last = outcome.stderr.strip().splitlines()[-1]
    assert "could not be installed: src/alpha.c:1:10: fatal error: Python.h: No such file or directory" in last
    assert engine.left() == []


@pytest.mark.usefixtures("_unclosed_sockets")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_an_engine_that_goes_in_mid_build(build_in_docker, engine, gate, wheels, service):
    """The message says so; the previous zip stays, no file of this build does, and no container where it was."""
    wheels("alpha")
    folder = service("users", "alpha\n")
    assert build_in_docker(folder).exit_code == 0
    first = zip_of(folder)
    gate.shuts_at = b"Processing "
    outcome = build_in_docker(folder, "--rebuild")
    assert outcome.exit_code == 1
    last = outcome.stderr.strip().splitlines()[-1]
    assert last.startswith(f"Error: the Docker engine at {gate.url} went away (Connection refused): start it")
    assert zip_of(folder) == first
    assert [one.name for one in Path("cache").rglob("tmp-*")] == []
    engine.await_removal()
    assert engine.left() == []


@pytest.mark.skipif(sys.platform != "linux", reason="the system's connections are read from /proc")
def test_an_engine_elsewhere_is_asked_whether_it_is_there(engine, tcp_gate, wheels, service):
    """While an engine on another machine is silent, the system probes its connections: no build waits for ever."""
    wheels("alpha")
    tcp_gate.stalls_at = b"Processing "
    command = [sys.executable, "-m", "fleece", "build", "--python", engine.python]
    command += ["--architecture", engine.architecture, str(service("users", "alpha\n"))]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
        assert tcp_gate.stalled.wait(60)
        port = f":{int(tcp_gate.url.rpartition(':')[2]):04X}"
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        timers = [line[5][:2] for line in lines if line[2].endswith(port) and line[3] == "01"]
        tcp_gate.shut()
        told = child.communicate(timeout=60)[1]
    assert set(timers) == {"02"}  # keepalive's
    assert child.returncode == 1
    assert f"the Docker engine at {tcp_gate.url} went away" in told
    engine.await_removal()


@pytest.fixture
def interrupted(engine, project, service):
    """Send a signal to a build while pip works: gives its exit code and stderr."""

    def interrupt(number):
        project("slow", "import time; time.sleep(120)")
        folder = service("users", "./slow\n")
        (folder / "dist").mkdir()
        (folder / "dist" / "lambda_function.zip").write_bytes(b"previous")
        command = [sys.executable, "-m", "fleece", "build", "--python", engine.python]
        command += ["--architecture", engine.architecture, str(folder)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as child:
            told = []
            for line in child.stderr:
                told.append(line)
                if line.startswith("Processing "):
                    break
            assert len(engine.containers()) == 1
            child.send_signal(number)
            told.append(child.stderr.read())
        assert [(one.name, one.read_bytes()) for one in (folder / "dist").iterdir()] == [
            ("lambda_function.zip", b"previous")
        ]
        return child.returncode, "".join(told)

    return interrupt


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_interrupted_build_leaves_nothing(number, code, interrupted, engine, tmp_path):
    """SIGTERM and Ctrl-C in the midst of pip's work: exit code, previous zip, no container, no file."""
    returned, told = interrupted(number)
    assert returned == code
    assert "Traceback" not in told
    assert list((tmp_path / "cache" / "fleece" / "build").glob("tmp-*")) == []
    assert engine.left() == []


def test_a_build_that_is_killed_leaves_no_container(interrupted, engine):
    """SIGKILL leaves fleece no moment to clean up; the container ends all the same, with what runs in it."""
    returned, _ = interrupted(signal.SIGKILL)
    assert returned == -signal.SIGKILL
    engine.await_removal()
    assert engine.left() == []


def test_two_builds_at_once(engine, wheels, service):
    """Two processes that build the same at the same time both succeed, with the same bytes."""
    wheels("alpha")
    folders = [service("one", "alpha\n"), service("two", "alpha\n")]
    command = [sys.executable, "-m", "fleece", "build", "--python", engine.python]
    command += ["--architecture", engine.architecture]
    started = [subprocess.Popen([*command, str(folder)], stderr=subprocess.PIPE, text=True) for folder in folders]
    told = [child.communicate()[1] for child in started]
    assert [child.returncode for child in started] == [0, 0], told
    assert zip_of(folders[0]) == zip_of(folders[1])
    assert engine.left() == []


def test_several_services_share_image_and_packages(build_in_docker, engine, wheels, service):
    """Side by side, packages that two of them need are installed once."""
    wheels("alpha")
    wheels("beta")
    folders = [service("one", "alpha\n"), service("two", "alpha\n"), service("three", "beta\n")]
    outcome = build_in_docker(*folders)
    assert outcome.exit_code == 0
    assert outcome.stdout.splitlines() == [f"{folder}/dist/lambda_function.zip" for folder in folders]
    assert outcome.stderr.count("Successfully installed alpha") == 1
    assert engine.left() == []


TELLING = """#!/bin/sh
env >told
echo "$*" >>told
"""

PASSWORD = "p@ss/s3cr3t+w0rd%"


def forms_of(password):
    """Return a password as it may be met: as it is, in URLs, in headers."""
    encoded = [base64.b64encode(text.encode()).rstrip(b"=") for text in (password, f"user:{password}")]
    return [b"s3cr3t", password.encode(), quote(password, safe="").encode(), *encoded]


@pytest.mark.fleece_expects_refusal  # a server asks for its address's name, here that of a real engine's bridge
def test_credentials_stay_nowhere(build_in_docker, engine, wheels, project, service, index, entries, monkeypatch):
    """A password in PIP_INDEX_URL opens the index, and is found nowhere afterwards, in whichever form.

    Not in the output (with debugging on, and of a build that prints it), the zips, the cache, the containers'
    configuration while they ran, nor in the history, configuration and layers of the image that is left.
    """
    wheels("alpha")
    engine.move(engine.derive("fleece-test/dnf:1", {"usr/local/bin/dnf": TELLING}))
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("FLEECE_DEBUG", "1")
    folder = service("users", "alpha\n")
    project("loud", "import os; raise SystemExit(os.environ['PIP_INDEX_URL'])")
    configurations = []
    inspect = threading.Event()

    def look():
        while not inspect.wait(0.05):
            with contextlib.suppress(NotFound):  # gone while it is looked at
                configurations.extend(str(one.attrs).encode() for one in engine.containers())

    looking = threading.Thread(target=look)
    looking.start()
    with index(engine.host) as (address, sent):
        monkeypatch.setenv("PIP_INDEX_URL", f"http://user:{quote(PASSWORD, safe='')}@{address}/simple")
        monkeypatch.setenv("PIP_TRUSTED_HOST", engine.host)
        outcome = build_in_docker(folder, "-d", "gcc")
        (folder / "src" / "requirements.txt").write_text("alpha\n./loud\n", encoding="utf-8")
        failed = build_in_docker(folder, "-d", "gcc")
    inspect.set()
    looking.join()
    assert (outcome.exit_code, failed.exit_code) == (0, 1)
    assert "Basic " + base64.b64encode(f"user:{PASSWORD}".encode()).decode() in sent
    (image,) = engine.client.images.list("fleece-build")
    layers = engine.layers(image)
    kept = [path for path in (*Path("cache").rglob("*"), *folder.rglob("*")) if path.is_file()]
    zipped = [content for path in kept if path.suffix == ".zip" for content in entries(path).values()]
    # That these are looked into at all.
    assert f"http://****@{address}/simple" in failed.stderr.partition("./loud")[2]
    assert any(b"install -y gcc" in layer for layer in layers)
    assert configurations
    assert zipped.count(b"version = '1.0'\n") == 2  # of the cache, and of the function
    told = [str(one).encode() for one in (outcome, failed, image.attrs, image.history())]
    places = [*told, *configurations, *layers, *zipped, *(path.read_bytes() for path in kept)]
    assert not [place for place in places if any(form in place for form in forms_of(PASSWORD))]
    assert engine.left() == []


def test_the_zip_boots_under_awss_runtime_client(build_in_docker, engine, wheels, service, fleece_runtime):
    """A zip that was built in Docker runs as a function, its packages imported from their bytecode."""
    wheels("alpha", files={"alpha.py": "def where():\n    return __cached__\n"})
    source = "import alpha\n\ndef main(event, context):\n    return {'event': event, 'cached': alpha.where()}\n"
    folder = service("users", "alpha\n", {"handler.py": source})
    assert build_in_docker(folder).exit_code == 0
    invocation = fleece_runtime(folder / "dist" / "lambda_function.zip", "handler.main").invoke({"id": 1})
    assert invocation.error is None
    assert invocation.result["event"] == {"id": 1}
    assert "__pycache__/alpha.cpython-" in invocation.result["cached"]


COMPILED = """import importlib, json

def main(event, context):
    modules = [importlib.import_module(name) for name in event]
    orjson, pydantic, *rest = modules
    order = pydantic.create_model("Order", count=int).model_validate({"count": "5"})
    total = int(rest[0].arange(order.count).sum()) if rest else sum(range(order.count))
    elsewhere = [module.__file__ for module in modules if "site-packages" in module.__file__]
    return orjson.loads(orjson.dumps({"total": total, "elsewhere": elsewhere}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="packages that are compiled for this machine")
def test_packages_with_compiled_parts_boot(build_in_docker, engine, wheels, service, fleece_runtime):
    """Pydantic and orjson, and numpy where the engine is real, run from a zip that was built in Docker or without."""
    assert engine.python == f"{sys.version_info[0]}.{sys.version_info[1]}", "run this by the Python of the image"
    names = ["orjson", "pydantic", *(["numpy"] if engine.stub is None else [])]
    for name in (*names, "pydantic-core", "annotated-types", "typing-extensions", "typing-inspection"):
        wheels.repack(name)
    folder = service("users", "\n".join(names), {"handler.py": COMPILED})
    for way in ([], ["--no-docker"]):
        outcome = build_in_docker(folder, *way)
        assert outcome.exit_code == 0, outcome.stderr
        invocation = fleece_runtime(folder / "dist" / "lambda_function.zip", "handler.main").invoke(names)
        assert (invocation.error, invocation.result) == (None, {"total": 10, "elsewhere": []})
