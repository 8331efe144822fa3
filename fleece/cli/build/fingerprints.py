"""What tells a change in local files that packages come from: wheels in a folder, a project beside the service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_UNREAD = frozenset({"__pycache__", "build", "dist"})
"""Folders of a project that its package is not made from."""


def fingerprints(paths: Iterable[Path]) -> list[str]:
    """Return a line for each file at or below `paths`, with its size and its time of change.

    Not its content: a folder of wheels may be gigabytes. At worst, packages are installed again.
    """
    return [_line(file) for path in dict.fromkeys(paths) for file in _files(path)]


def local_path(place: str) -> Path | None:
    """Return the path that a ``file:`` URL or a plain path names, or None for an address elsewhere."""
    parts = urlsplit(place)
    if parts.scheme == "file":
        from urllib.request import url2pathname  # noqa: PLC0415 (it loads http.client, and is rarely needed)

        return Path(url2pathname(parts.path))
    return None if "://" in place else Path(place)


def _line(file: Path) -> str:
    status = file.stat()
    return f"{file} {status.st_size} {status.st_mtime_ns}"


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _UNREAD)
        yield from (Path(folder, name) for name in sorted(names) if Path(folder, name).is_file())
