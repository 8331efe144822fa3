"""Whether this machine can build in Docker without a registry."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleece.cli.build.target import Target

_USUAL_HOST = "unix:///var/run/docker.sock"
_PATIENCE = 5
"""Seconds for an engine to answer."""


def has_build_image(target: Target, environ: Mapping[str, str]) -> bool:
    """Whether a Docker engine answers, and has the image that ``fleece build`` would build in.

    Args:
        target: what is built for.
        environ: leads to the engine.
    """
    host = environ.get("DOCKER_HOST") or _USUAL_HOST
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():
        return False  # the docker package would take longer to say so, and leave a socket open
    # The packages of the extra `cli`, which the rest of fleece_testing does without.
    import docker  # noqa: PLC0415
    import requests  # noqa: PLC0415
    from docker.errors import DockerException  # noqa: PLC0415

    from fleece.cli.build.docker import default_image  # noqa: PLC0415

    try:
        with contextlib.closing(docker.from_env(environment=dict(environ), timeout=_PATIENCE)) as client:
            client.images.get(default_image(target))
    except (DockerException, requests.RequestException):
        return False
    return True
