"""A service, a folder of wheels made on the spot, and ``fleece build`` over them: no index, no network."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest

from fleece.cli.main import exit_code_of

RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a build ended with."""

    exit_code: int
    stdout: str
    stderr: str


def write_wheel(
    folder,
    name,
    version="1.0",
    files=None,
    *,
    requires=(),
    python=">=2",
    tag="py3-none-any",
    entry_points="",
    extra=None,
):
    """Write ``NAME-VERSION-TAG.whl`` with these files, by default one module, and return its path."""
    info = f"{name}-{version}.dist-info"
    content = dict(files if files is not None else {f"{name}.py": f"version = {version!r}\n"})
    fields = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Requires-Python: {python}"]
    content[f"{info}/METADATA"] = "\n".join([*fields, *(f"Requires-Dist: {one}" for one in requires), ""])
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n"
    if entry_points:
        content[f"{info}/entry_points.txt"] = entry_points
    content |= {f"{name}-{version}.data/{path}": text for path, text in (extra or {}).items()}
    record = "".join(f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in content.items())
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    path = Path(folder) / f"{name}-{version}-{tag}.whl"
    path.parent.mkdir(exist_ok=True, parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for entry, text in content.items():
            archive.writestr(entry, text)
    return path


def _digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def wheels(tmp_path):
    """Make wheels in the folder that the builds of this test install from: ``wheels("alpha", "1.0")``."""

    def make(name, version="1.0", files=None, **fields):
        return write_wheel(tmp_path / "wheels", name, version, files, **fields)

    make.folder = tmp_path / "wheels"
    make.folder.mkdir()
    return make


@pytest.fixture
def service(tmp_path):
    """Write a service: ``service("users", "alpha==1.0", {"handler.py": "..."})`` returns its folder."""

    def make(name="service", requirements="", files=None):
        source = tmp_path / name / "src"
        source.mkdir(parents=True)
        (source / "requirements.txt").write_text(requirements, encoding="utf-8")
        for path, text in (files or {"handler.py": "def main(event, context):\n    return event\n"}).items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_text(text, encoding="utf-8")
        return source.parent

    return make


@pytest.fixture
def offline(tmp_path, wheels, monkeypatch):
    """Have pip install from the test's wheels alone, without uv and without settings of this machine's."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels.folder), "PIP_CONFIG_FILE": os.devnull}
    settings |= {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return settings


@pytest.fixture
def build(offline, capfd):
    """Run ``fleece build --no-docker --python RUNNING`` in this process: ``build(folder, "--rebuild")``."""

    def run(*arguments, python=RUNNING):
        chosen = ["--python", python] if python else []
        code = exit_code_of(["build", "--no-docker", *chosen, *map(str, arguments)])
        output = capfd.readouterr()
        return Outcome(code, output.out, output.err)

    return run


@pytest.fixture
def entries():
    """Read a zip: its files' contents by path, ``entries(folder / "dist" / "lambda_function.zip")``."""

    def read(path):
        path = path / "dist" / "lambda_function.zip" if path.is_dir() else path
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    return read
