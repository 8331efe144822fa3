"""A client of the Docker stub."""

from __future__ import annotations

import contextlib

import docker
import pytest


@pytest.fixture
def client(fleece_docker):
    """Return the docker package's client, led to the stub by its environment."""
    with contextlib.closing(docker.from_env()) as made:
        yield made
