"""The engine that these tests run against: the stub, or a real one where ``engine.sh`` has started it."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile

import docker
import pytest

# What starts an engine of its own needs the programs that engine.sh unpacks.
collect_ignore = [] if "FLEECE_TEST_PROGRAMS" in os.environ else ["test_engine_ends.py"]


@pytest.fixture
def client(request):
    """Return a client of the engine; what the test leaves there is removed.

    With ``FLEECE_TEST_ENGINE=real`` an engine that does not answer fails the test.
    """
    is_real = os.environ.get("FLEECE_TEST_ENGINE") == "real"
    if not is_real:
        request.getfixturevalue("fleece_docker").image("fleece-test/base:python")
    with contextlib.closing(docker.from_env()) as made:
        images = {one.id for one in made.images.list()} if is_real else set()
        yield made
        if is_real:
            remove_all(made, images)


def remove_all(client, images_to_keep):
    """Remove the containers and volumes of these tests, and the images that were not there before."""
    for container in client.containers.list(all=True, filters={"label": "fleece-test"}):
        container.remove(force=True, v=True)
    for volume in client.volumes.list(filters={"label": "fleece-test"}):
        volume.remove(force=True)
    for image in client.images.list():
        if image.id not in images_to_keep:
            client.images.remove(image.id, force=True)


@pytest.fixture
def image():
    """Return the name of an image with a shell, Python and pip."""
    return os.environ.get("FLEECE_TEST_IMAGE", "fleece-test/base:python")


@pytest.fixture
def create(client, image):
    """Create containers of the image, or of another: ``create(["true"], environment={...})``."""

    def create_container(command, *, of=image, **options):
        options["labels"] = {"fleece-test": "", **options.get("labels", {})}
        return client.containers.create(of, command, **options)

    return create_container


@pytest.fixture
def run(create):
    """Run a command to its end; return its container."""

    def run_container(command, **options):
        container = create(command, **options)
        container.start()
        container.wait()
        return container

    return run_container


@pytest.fixture
def pack():
    """Make a tar archive of files: ``pack({"a/b.txt": b"..."})``."""

    def pack_files(files, *, mode=0o644):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(content), mode
                tar.addfile(member, io.BytesIO(content))
        return archive.getvalue()

    return pack_files


@pytest.fixture
def unpack():
    """Return the files of an archive that the engine gives: ``{"a/b.txt": b"..."}``."""

    def unpack_archive(archive):
        chunks, _ = archive
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            return {one.name: tar.extractfile(one).read() for one in tar if one.isreg()}

    return unpack_archive
