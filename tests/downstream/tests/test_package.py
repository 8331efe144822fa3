"""The tool that packages the service, with a Docker engine that is none."""

import docker.errors
import package
import pytest


@pytest.fixture
def source(pytestconfig):
    """Name the folder of the service's source."""
    return pytestconfig.rootpath / "src"


def test_the_package_works(source, tmp_path, fleece_docker, fleece_events, fleece_runtime, cloud):
    """The image is pulled, and what its container has written can be deployed."""
    fleece_docker.image(package.IMAGE, remote=True)
    path = package.package(source, tmp_path)
    assert "pull" in [request.operation for request in fleece_docker.log]
    runtime = fleece_runtime(path, "handler.main", environment={"BUCKET": "orders"}, isolated=False)
    assert runtime.invoke(fleece_events.http("GET", "/orders/7"), deadline=30).result["statusCode"] == 404


def test_a_registry_that_is_down(source, tmp_path, fleece_docker):
    """What the engine says of it is what the user is told."""
    fleece_docker.image(package.IMAGE, remote=True)
    fleece_docker.fail("pull", 503, "the registry is down")
    with pytest.raises(docker.errors.APIError, match="the registry is down"):
        package.package(source, tmp_path)
    assert not list(tmp_path.iterdir())
