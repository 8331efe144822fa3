"""Make a folder of installed packages the same, whichever tool installed them on whichever machine.

Installers leave traces: who installed, from where, scripts that start the builder's own Python, headers. They go, or
take one form, and each ``RECORD`` lists what is there, so that `importlib.metadata` tells the truth.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import io
import re
import shutil
from importlib.metadata import Distribution
from typing import TYPE_CHECKING

from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoint
    from pathlib import Path

    from fleece.cli.build.target import Target

_TRACES = ("INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json")

_COLUMNS = 3
"""Of ``RECORD``: path, hash, size."""

_EDITABLE = re.compile(rb'"editable"\s*:\s*true')
"""In ``direct_url.json`` (PEP 610)."""

_COMMAND = re.compile(r"\w[\w.-]*")
_FUNCTION = re.compile(r"[\w.]+\s*:\s*[\w.]+\s*(?:\[.*\]\s*)?")

_GLIBC = re.compile(rb"GLIBC_2\.(\d+)")
"""The versions of the C library's symbols, as a compiled file lists those that it uses."""

_SHEBANG = b"#!/usr/bin/env python3\n"
_ANY_PYTHON = re.compile(rb"\A(?:#!/bin/sh\n'''exec' [^\n]*\n' '''\n|#![^\n]*python[^\n/]*\n)")

_SCRIPT = """\
import sys
from {module} import {head}

if __name__ == "__main__":
    sys.exit({function}())
"""


def tidy(tree: Path) -> None:
    """Bring the packages in `tree` into the one form.

    Raises:
        CommandError: a package is installed as a link to its source, which would not be in the zip; or its metadata are
            damaged.
    """
    (tree / ".lock").unlink(missing_ok=True)
    for folder in list(tree.rglob("__pycache__")):
        shutil.rmtree(folder)
    headers = tree / "include"
    if headers.is_dir() and not (headers / "__init__.py").exists():
        shutil.rmtree(headers)
    for metadata in sorted(tree.glob("*.dist-info")):
        _refuse_editable(metadata)
        for name in _TRACES:
            (metadata / name).unlink(missing_ok=True)
        with _reading(metadata):
            _write_record(metadata, _plain_scripts(metadata))


def unsuitable(tree: Path, target: Target) -> list[str]:
    """Return, for each package in `tree` that does not run on `target`, its name and why.

    Raises:
        CommandError: a package's metadata are damaged.
    """
    found = []
    for wheel in sorted(tree.glob("*.dist-info/WHEEL")):
        with _reading(wheel.parent):
            tags = re.findall(r"^Tag:\s*(\S+)", wheel.read_text(encoding="utf-8"), re.MULTILINE)
            reason = target.refuses(tags) or _needs(wheel.parent, tags, target)
        if reason:
            name, _, version = wheel.parent.name.removesuffix(".dist-info").partition("-")
            found.append(f"{name} {version} ({reason})")
    return found


@contextlib.contextmanager
def _reading(metadata: Path) -> Iterator[None]:
    """Name the package whose metadata are no text, or no table, where they should be."""
    try:
        yield
    except (ValueError, csv.Error) as error:
        name = metadata.name.removesuffix(".dist-info")
        raise CommandError(f"the metadata of {name} cannot be read: {error}") from error


def _needs(metadata: Path, tags: list[str], target: Target) -> str | None:
    """Return what a package that was compiled for this build needs and `target` has not, or None.

    Its tags only say which machine it was compiled on; those of a wheel from an index have been checked by its author.
    """
    if not any("-linux_" in tag for tag in tags):
        return None
    files = (metadata.parent / path for path in _recorded(metadata) if re.search(r"\.so(?:\.|$)", path))
    versions = [int(found) for file in files if file.is_file() for found in _GLIBC.findall(file.read_bytes())]
    return target.lacks(max(versions, default=0))


def _refuse_editable(metadata: Path) -> None:
    origin = metadata / "direct_url.json"
    if origin.is_file() and _EDITABLE.search(origin.read_bytes()):
        name = metadata.name.partition("-")[0]
        raise CommandError(
            f"{name} is required as editable (-e), so that its code would not be in the zip: drop the -e"
        )


def _plain_scripts(metadata: Path) -> list[str]:
    """Write the package's scripts to run under the ``python3`` on PATH; return the paths of those made anew."""
    folder = metadata.parent / "bin"
    generated = {f"bin/{point.name}": point for point in _commands(metadata)}
    for point in generated.values():
        text = _SCRIPT.format(module=point.module, head=point.attr.partition(".")[0], function=point.attr)
        folder.mkdir(exist_ok=True)
        _write_script(folder / point.name, _SHEBANG + text.encode())
        (folder / f"{point.name}.exe").unlink(missing_ok=True)  # what pip makes on Windows
    for path in _recorded(metadata):
        script = metadata.parent / path
        if path.startswith("bin/") and path not in generated and script.is_file():
            _write_script(script, _ANY_PYTHON.sub(_SHEBANG, script.read_bytes(), count=1))
    return list(generated)


def _write_script(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o755)  # pip keeps the wheel's mode, uv does not


def _commands(metadata: Path) -> list[EntryPoint]:
    """Return the commands that the package declares."""
    points = Distribution.at(metadata).entry_points
    commands = [*points.select(group="console_scripts"), *points.select(group="gui_scripts")]
    return [point for point in commands if _COMMAND.fullmatch(point.name) and _FUNCTION.fullmatch(point.value)]


def _recorded(metadata: Path) -> dict[str, tuple[str, str]]:
    """Return hash and size by path, from ``RECORD``: as the wheel's author wrote it, so that nothing outside counts.

    Pip's paths to what lies beside the packages are led back into the folder.
    """
    record = metadata / "RECORD"
    if not record.is_file():
        return {}
    rows = csv.reader(record.read_text(encoding="utf-8").splitlines())
    found = {row[0].replace("\\", "/").removeprefix("../../"): (row[1], row[2]) for row in rows if len(row) == _COLUMNS}
    return {path: measured for path, measured in found.items() if ".." not in path.split("/") and path[:1] != "/"}


def _write_record(metadata: Path, scripts: list[str]) -> None:
    tree = metadata.parent
    own = f"{metadata.name}/RECORD"
    rows = [(own, "", "")]
    for path, (digest, size) in sorted({**_recorded(metadata), **dict.fromkeys(scripts, ("", ""))}.items()):
        if path == own or not (tree / path).is_file():
            continue
        rows.append((path, *_measured(tree / path)) if path.startswith("bin/") else (path, digest, size))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    (metadata / "RECORD").write_text(text.getvalue(), encoding="utf-8", newline="\n")


def _measured(path: Path) -> tuple[str, str]:
    content = path.read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"sha256={digest}", str(len(content))
