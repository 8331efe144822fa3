"""When the demo builds in Docker as well: an engine answers, and has the image."""

from __future__ import annotations

import gc
import os

from fleece.cli.build.target import target_for
from fleece_testing.local.build_image import has_build_image

TARGET = target_for("3.13", "x86_64")


def test_an_engine_with_the_image(fleece_docker):
    """Only the image of the Python and architecture will do."""
    assert not has_build_image(TARGET, os.environ)
    fleece_docker.image("public.ecr.aws/sam/build-python3.13:latest-arm64")
    assert not has_build_image(TARGET, os.environ)
    fleece_docker.image("public.ecr.aws/sam/build-python3.13:latest-x86_64")
    assert has_build_image(TARGET, os.environ)


def test_no_engine():
    """Where none is, there is none to build in, and nothing is left open by looking."""
    assert not has_build_image(TARGET, {"DOCKER_HOST": "unix:///nowhere/docker.sock"})
    gc.collect()
