"""Make a folder of installed packages the same, whichever tool installed them on whichever machine.

Installers leave traces: who installed, from where, scripts that start the builder's own Python, headers. They go, or
take one form, and each ``RECORD`` lists what is there, so that `importlib.metadata` tells the truth.
"""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import json
import re
import shutil
from typing import TYPE_CHECKING

from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

    from fleece.cli.build.target import Target

_TRACES = ("INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json")

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
        CommandError: a package is installed as a link to its source, which would not be in the zip.
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
        _write_record(metadata, _plain_scripts(metadata))


def unsuitable(tree: Path, target: Target) -> list[str]:
    """Return, for each package in `tree` that does not run on `target`, its name and why."""
    found = []
    for wheel in sorted(tree.glob("*.dist-info/WHEEL")):
        tags = re.findall(r"^Tag:\s*(\S+)", wheel.read_text(encoding="utf-8"), re.MULTILINE)
        reason = target.refuses(tags)
        if reason:
            name, _, version = wheel.parent.name.removesuffix(".dist-info").partition("-")
            found.append(f"{name} {version} ({reason})")
    return found


def _refuse_editable(metadata: Path) -> None:
    origin = metadata / "direct_url.json"
    if origin.is_file() and json.loads(origin.read_text(encoding="utf-8")).get("dir_info", {}).get("editable"):
        name = metadata.name.partition("-")[0]
        raise CommandError(
            f"{name} is required as editable (-e), so that its code would not be in the zip: drop the -e"
        )


def _plain_scripts(metadata: Path) -> list[str]:
    """Write the package's scripts anew, to run under the ``python3`` on PATH; return their paths."""
    scripts = metadata.parent / "bin"
    generated = _entry_points(metadata)
    for name, reference in generated.items():
        module, _, function = reference.partition("[")[0].strip().partition(":")
        text = _SCRIPT.format(module=module.strip(), head=function.partition(".")[0].strip(), function=function.strip())
        (scripts / f"{name}.exe").unlink(missing_ok=True)
        scripts.mkdir(exist_ok=True)
        (scripts / name).write_bytes(_SHEBANG + text.encode())
        (scripts / name).chmod(0o755)
    paths = [f"bin/{name}" for name in generated]
    for path in _recorded(metadata):
        script = metadata.parent / path
        if path.startswith("bin/") and path not in paths and script.is_file():
            content = script.read_bytes()
            script.write_bytes(_ANY_PYTHON.sub(_SHEBANG, content, count=1))
    return paths


def _entry_points(metadata: Path) -> dict[str, str]:
    """Return the commands that the package declares, ``{"uvicorn": "uvicorn.main:main"}``."""
    parser = configparser.RawConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names are case-sensitive
    parser.read(metadata / "entry_points.txt", encoding="utf-8")
    sections = (section for section in ("console_scripts", "gui_scripts") if parser.has_section(section))
    return {
        name: reference
        for section in sections
        for name, reference in parser.items(section)
        if re.fullmatch(r"[\w.-]+", name) and re.match(r"[\w.]+\s*:\s*[\w.]+", reference)
    }


def _recorded(metadata: Path) -> dict[str, tuple[str, str]]:
    """Return hash and size by path, from ``RECORD``; pip's paths beside the packages are led back into the folder."""
    record = metadata / "RECORD"
    if not record.is_file():
        return {}
    rows = csv.reader(record.read_text(encoding="utf-8").splitlines())
    return {row[0].replace("\\", "/").removeprefix("../../"): (row[1], row[2]) for row in rows if len(row) == 3}  # noqa: PLR2004


def _write_record(metadata: Path, scripts: list[str]) -> None:
    tree = metadata.parent
    own = f"{metadata.name}/RECORD"
    rows = [(own, "", "")]
    for path, (digest, size) in sorted({**_recorded(metadata), **dict.fromkeys(scripts, ("", ""))}.items()):
        if path == own or ".." in path.split("/") or not (tree / path).is_file():
            continue
        rows.append((path, *_measured(tree / path)) if path.startswith("bin/") else (path, digest, size))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(sorted(rows))
    (metadata / "RECORD").write_text(text.getvalue(), encoding="utf-8", newline="\n")


def _measured(path: Path) -> tuple[str, str]:
    content = path.read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"sha256={digest}", str(len(content))
