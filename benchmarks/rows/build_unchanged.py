"""``fleece build`` when nothing has changed, beside ``sam build --cached``.

Wall time of the whole command, on a service whose packages and function both have built before: fleece writes its zip
anew from the packages that it kept, SAM copies the packages that it kept and the source into a folder. Neither uses a
container.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.model import Command, Contestant, Environment, Evidence, Interpreters, Ratio, Row, SilentStage
from harness.peers import FLEECE_BUILD
from services.lambda_service import new_service, run, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator

SAM = Environment("sam", ("aws-sam-cli>=1.150", "pip"))

_IN_SERVICE = 'cd "$BENCHMARK_SERVICE" && exec {} 2>&1'
_FLEECE = '"$BENCHMARK_FLEECE" build --no-docker --python "$BENCHMARK_VERSION"'
_SAM = '"$BENCHMARK_SAM" build --cached'


@contextmanager
def service(interpreters: Interpreters) -> Iterator[SilentStage]:
    """Stage: a service that both have built once."""
    fleece, sam = interpreters.python(FLEECE_BUILD), interpreters.python(SAM)
    version = version_of(fleece)
    with new_service(version) as folder:
        variables = {
            "BENCHMARK_SERVICE": str(folder),
            "BENCHMARK_VERSION": version,
            "BENCHMARK_FLEECE": str(fleece.parent / "fleece"),
            "BENCHMARK_SAM": str(sam.parent / "sam"),
            "PATH": f"{sam.parent}{os.pathsep}{os.environ['PATH']}",  # where SAM looks for the function's Python
            "SAM_CLI_TELEMETRY": "0",
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        for command in (_FLEECE, _SAM):
            run(["/bin/sh", "-c", _IN_SERVICE.format(command)], variables={**os.environ, **variables})
        yield SilentStage(variables)


def check_fleece(evidence: Evidence) -> None:
    """Require that the zip was written, from the cache."""
    assert b"packages from the cache" in evidence.output
    assert b"dist/lambda_function.zip\n" in evidence.output


def check_sam(evidence: Evidence) -> None:
    """Require that SAM used what it kept, and succeeded."""
    assert b"Build Succeeded" in evidence.output
    assert b"Manifest is not changed" in evidence.output


ROW = Row(
    work="build, nothing changed",
    clock="wall",
    stage=service,
    contestants=(
        Contestant(
            "fleece build", FLEECE_BUILD, Command(("/bin/sh", "-c", _IN_SERVICE.format(_FLEECE))), check=check_fleece
        ),
        Contestant("sam build --cached", SAM, Command(("/bin/sh", "-c", _IN_SERVICE.format(_SAM))), check=check_sam),
    ),
    bars=(Ratio("fleece build", "sam build --cached", 0.3),),
)
