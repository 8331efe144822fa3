"""The stub's images, and the registries that they are pulled from."""

import sys
import zipfile

import pytest
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound

from fleece_testing._docker.errors import EngineError
from fleece_testing._docker.names import parse_reference

NAME = "registry.example/team/build-python:latest-x86_64"


@pytest.mark.parametrize(
    ("text", "repository", "tag"),
    [
        ("c:1", "c", "1"),
        ("localhost:5000/a", "localhost:5000/a", "latest"),
        ("docker.io/library/python", "python", "latest"),
        (NAME, "registry.example/team/build-python", "latest-x86_64"),
    ],
)
def test_names_are_read(text, repository, tag):
    """A port is none of the tag, and the tag is ``latest`` when there is none."""
    reference = parse_reference(text)
    assert (reference.repository, reference.tag) == (repository, tag)


@pytest.mark.parametrize("text", ["", "UPPER", "a b", "a:", "a@sha256:1", "/a", "a//"])
def test_what_is_no_name_is_refused(text):
    """What names no image is a bad request."""
    with pytest.raises(EngineError, match="invalid reference format"):
        parse_reference(text)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("UPPER", {}, "No image can have the name 'UPPER', as it can public.ecr.aws/"),
        (NAME, {"wheels": "no-such"}, "There is no folder of wheels no-such"),
    ],
)
def test_an_image_that_cannot_be(fleece_docker, client, name, options, message):
    """A test that asks for what no image can be is told so, and there is no image."""
    with pytest.raises(ValueError, match=message):
        fleece_docker.image(name, **options)
    assert client.images.list() == []


def test_a_remote_image_has_to_be_pulled(fleece_docker, client):
    """Until it is pulled, with progress, it is not there; a second pull finds it up to date."""
    fleece_docker.image(NAME, remote=True)
    with pytest.raises(ImageNotFound):
        client.images.get(NAME)
    lines = list(client.api.pull(NAME, stream=True, decode=True))
    assert {"status": "Pull complete", "progressDetail": {}, "id": lines[1]["id"]} in lines
    assert lines[-1]["status"] == f"Status: Downloaded newer image for {NAME}"
    (digest,) = client.images.get(NAME).attrs["RepoDigests"]
    assert client.images.get(digest) == client.images.get(NAME)
    assert list(client.api.pull(NAME, stream=True, decode=True))[-1]["status"].startswith("Status: Image is up to date")


def test_a_tag_that_moved_is_another_image(fleece_docker, client):
    """Publishing a name again gives it another digest, which is found out by pulling."""
    fleece_docker.image(NAME)
    before = client.images.get(NAME)
    fleece_docker.image(NAME, remote=True)
    assert client.images.get(NAME) == before
    assert client.images.pull(*NAME.rsplit(":", 1)).attrs["RepoDigests"] != before.attrs["RepoDigests"]


def test_a_registry_may_want_a_login(fleece_docker, client):
    """Without a login, or with a wrong one, the pull fails as a real engine's does."""
    fleece_docker.image(NAME, remote=True, login=("user", "word"))
    with pytest.raises(APIError, match="no basic auth credentials"):
        client.api.pull(NAME)
    with pytest.raises(APIError, match="unauthorized: incorrect username or password"):
        client.api.pull(NAME, auth_config={"username": "user", "password": "wrong"})
    client.api.pull(NAME, auth_config={"username": "user", "password": "word"})
    assert client.images.get(NAME)
    assert [one.status for one in fleece_docker.log if one.operation == "pull"] == [500, 500, 200]


def test_what_a_registry_does_not_have(fleece_docker, client):
    """An unknown repository, an unknown tag and another architecture are told apart."""
    fleece_docker.image(NAME, remote=True, architecture="x86_64")
    with pytest.raises(NotFound, match=r"pull access denied for registry.example/nothing"):
        client.api.pull("registry.example/nothing")
    with pytest.raises(NotFound, match=r"manifest for registry.example/team/build-python:other not found"):
        client.api.pull("registry.example/team/build-python", tag="other")
    with pytest.raises(NotFound, match="no matching manifest for linux/arm64"):
        client.api.pull(NAME, platform="linux/arm64")


def test_an_image_has_what_it_was_given(fleece_docker, client):
    """Files, programs among them, variables, labels and the architecture."""
    files = {"/etc/word": "hello", "/usr/local/bin/say": '#!/bin/sh\necho "$1 $WORD"\n'}
    fleece_docker.image(NAME, files=files, environment={"WORD": "you"}, labels={"a": "b"}, architecture="arm64")
    assert client.containers.run(NAME, ["sh", "-c", 'say "$(cat /etc/word)"'], remove=True) == b"hello you\n"
    image = client.images.get(NAME)
    assert (image.labels, image.attrs["Architecture"]) == ({"a": "b"}, "arm64")


def test_pip_installs_from_a_folder_of_wheels(fleece_docker, client, tmp_path):
    """With wheels=, the image's pip needs no index."""
    with zipfile.ZipFile(tmp_path / "greeting-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("greeting.py", "")
        wheel.writestr("greeting-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        wheel.writestr("greeting-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("greeting-1.0.dist-info/RECORD", "")
    fleece_docker.image(NAME, wheels=tmp_path)
    command = "pip install -q greeting && python -c 'import greeting; print(greeting.__file__)'"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    installed = client.containers.run(NAME, ["sh", "-c", command], remove=True)
    assert installed == f"/var/lang/lib/{version}/site-packages/greeting.py\n".encode()


def test_packages_stay_in_their_image(fleece_docker, client):
    """What pip has put into one container is in its image, and in no other."""
    fleece_docker.image(NAME)
    site = "import sysconfig; print(sysconfig.get_path('purelib'))"
    script = f'echo \'word = 1\' >"$(python -c "{site}")/mine.py"'
    container = client.containers.create(NAME, ["sh", "-c", script])
    container.start()
    container.wait()
    container.commit("with-mine")
    command = ["python", "-c", "import mine; print(mine.word)"]
    assert client.containers.run("with-mine", command, entrypoint=[], remove=True) == b"1\n"
    with pytest.raises(ContainerError, match="No module named"):
        client.containers.run(NAME, command, remove=True)


@pytest.mark.parametrize(
    ("options", "missing"), [({"python": "3.99"}, "Python 3.99"), ({"programs": ["no-such"]}, "no-such")]
)
def test_what_this_machine_does_not_have(fleece_docker, options, missing):
    """A Python or a program that is not there is an error that says so."""
    with pytest.raises(ValueError, match=f"This machine has no {missing} for an image to have"):
        fleece_docker.image(NAME, **options)
