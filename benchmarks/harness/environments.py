"""The environments that contestants run in: made by uv, from the index that the machine is configured for, and kept.

An environment's folder is named after what it was made from: the Python, the requirements and fleece's wheel. One that
was left half made has no `COMPLETE` file, and is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model import Environment

CHECKOUT = Path(__file__).parents[2]
WHEEL = "{fleece}"
"""In a requirement, stands for the wheel of the checkout; extras may follow: ``{fleece}[cli]``."""

COMPLETE = "complete"
UNUSED_DAYS = 1
_MAX_MESSAGE = 2000


class Environments:
    """Makes and finds environments under one folder.

    Args:
        folder: where they are kept; two runs may share it.
        python: a version or a path, as uv takes it.
    """

    def __init__(self, folder: Path, python: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._python = python
        self._made: dict[Environment, Path] = {}

    def python(self, environment: Environment) -> Path:
        """Return the Python of `environment`, which is made if need be.

        Raises:
            BenchmarkError: it cannot be made.
        """
        return self.folder(environment) / "bin" / "python"

    def folder(self, environment: Environment) -> Path:
        """Return the folder of `environment`, which is made if need be.

        Raises:
            BenchmarkError: it cannot be made.
        """
        if environment not in self._made:
            requirements = [self._expand(requirement) for requirement in environment.requirements]
            key = _digest(self._interpreter, self.python_version, *requirements)
            folder = self._folder / f"{environment.name}-{key}"
            with _locked(folder):
                if not (folder / COMPLETE).exists():
                    self._make(folder, requirements)
                os.utime(folder)
            self._made[environment] = folder
        return self._made[environment]

    def versions(self, environment: Environment) -> dict[str, str]:
        """Return the version of each package in `environment`."""
        answer = self._run("pip", "list", "--format", "json", "--python", str(self.python(environment)))
        return {package["name"]: package["version"] for package in json.loads(answer)}

    @cached_property
    def python_version(self) -> str:
        """The version of the Python that the environments are made with."""
        return subprocess.check_output([self._interpreter, "-c", "import sys; print(sys.version)"], text=True).strip()

    def remove_unused(self) -> None:
        """Remove the environments that no run has used for a day: those of wheels that have changed since."""
        oldest = time.time() - UNUSED_DAYS * 24 * 3600
        for folder in [path for path in self._folder.iterdir() if path.is_dir()]:
            with _locked(folder):
                if folder.exists() and folder.stat().st_mtime < oldest:
                    shutil.rmtree(folder)

    def _make(self, folder: Path, requirements: list[str]) -> None:
        self._run("venv", "--clear", "--quiet", "--python", self._interpreter, str(folder))
        if requirements:
            self._run("pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *requirements)
        (folder / COMPLETE).touch()

    def _expand(self, requirement: str) -> str:
        if not requirement.startswith(WHEEL):
            return requirement
        extras = requirement.removeprefix(WHEEL)
        return f"fleece{extras} @ {self._wheel.as_uri()}"

    @cached_property
    def _interpreter(self) -> str:
        """The path of the Python that the environments are made with."""
        return self._run("python", "find", self._python).strip()

    @cached_property
    def _wheel(self) -> Path:
        """The checkout's wheel, in a folder named after its content."""
        with tempfile.TemporaryDirectory(dir=self._folder) as made:
            self._run("build", "--quiet", "--wheel", "--python", self._interpreter, "--out-dir", made, str(CHECKOUT))
            (wheel,) = Path(made).glob("*.whl")
            folder = self._folder / f"wheel-{hashlib.sha256(wheel.read_bytes()).hexdigest()[:16]}"
            folder.mkdir(exist_ok=True)
            os.utime(folder)
            return wheel.replace(folder / wheel.name)

    def _run(self, *arguments: str) -> str:
        process = subprocess.run([sys.executable, "-m", "uv", *arguments], capture_output=True, text=True, check=False)
        if process.returncode:
            said = process.stderr.strip()[-_MAX_MESSAGE:]
            raise BenchmarkError(f"`uv {' '.join(arguments[:2])}` failed with {process.returncode}: {said}")
        return process.stdout


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Be the only one, among all runs, that makes or removes `folder`."""
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]
