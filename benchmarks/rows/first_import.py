"""The first import of a function's packages: from fleece's zip, and from a plain ``zip -r`` of the same packages.

CPU time of a fresh interpreter that imports boto3, pydantic and requests from where the zip was unpacked with the times
that it tells, as Lambda does it, and where no bytecode can be written. What ``pip install --target`` compiles is stale
wherever the time of a source was odd, as a zip tells even seconds alone; what has its ``__pycache__`` removed, as is
often advised, has no bytecode at all.
"""

from __future__ import annotations

import os
import shutil
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.model import Command, Contestant, Environment, Evidence, Interpreters, Ratio, Row, SilentStage
from harness.peers import FLEECE_BUILD
from services.lambda_service import MODULES, new_service, run, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = Environment("plain", ("pip",))

_IMPORT = f"import {', '.join(MODULES)}; print(*(module.__file__ for module in ({', '.join(MODULES)})))"
_FROM = 'PYTHONPATH="$BENCHMARK_FOLDER/{}" exec "$BENCHMARK_PYTHON" -s -B -c "{}"'


@contextmanager
def functions(interpreters: Interpreters) -> Iterator[SilentStage]:
    """Stage: the same packages, unpacked from zips of each kind."""
    python, fleece = interpreters.python(PLAIN), interpreters.python(FLEECE_BUILD)
    version = version_of(python)
    with new_service(version) as folder:
        variables = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        run([fleece.parent / "fleece", "build", "--no-docker", "--python", version], folder, variables)
        unpack(folder / "dist/lambda_function.zip", folder / "fleece")
        requirements = folder / "src/requirements.txt"
        run([python, "-m", "pip", "install", "--quiet", "--target", folder / "plain", "--requirement", requirements])
        shutil.copytree(folder / "plain", folder / "bare", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("plain", "bare"):
            archive = shutil.make_archive(str(folder / f"{name}-package"), "zip", folder / name)
            shutil.rmtree(folder / name)
            unpack(Path(archive), folder / name)
        yield SilentStage({"BENCHMARK_FOLDER": str(folder), "BENCHMARK_PYTHON": str(python)})


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip with the times that it tells."""
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
        for entry in opened.infolist():
            if not entry.is_dir():
                changed = time.mktime((*entry.date_time, 0, 0, -1))
                os.utime(folder / entry.filename, (changed, changed))


def imports_from(name: str) -> Command:
    return Command(("/bin/sh", "-c", _FROM.format(name, _IMPORT)))


def check(evidence: Evidence) -> None:
    """Require that the modules are those of the zip, and that there are all of them."""
    places = evidence.output.decode().split()
    assert len(places) == len(MODULES)
    assert not any("site-packages" in place for place in places)


ROW = Row(
    work="first import of a function's packages",
    stage=functions,
    contestants=(
        Contestant("fleece build", PLAIN, imports_from("fleece"), check=check),
        Contestant("pip and zip -r", PLAIN, imports_from("plain"), check=check),
        Contestant("without bytecode", PLAIN, imports_from("bare"), check=check),
    ),
    bars=(
        Ratio("fleece build", "pip and zip -r", 0.6),
        Ratio("fleece build", "without bytecode"),
    ),
)
