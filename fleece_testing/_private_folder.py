"""Temporary folders that are gone in the end; where a process was killed, the next one removes what it has left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = "in-use"


@contextlib.contextmanager
def private_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Yield a new folder for this user alone, gone afterwards; remove those whose processes were killed.

    Args:
        prefix: what the names of all folders for this purpose begin with, and of no others.
        parent: the folder to make it in, by default the one for temporary files.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        # The kernel drops the lock with the process, however that ends. It is held before it has the name that others
        # look for.
        with (folder / "new").open("x") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / "new").rename(folder / _LOCK)
            _remove_abandoned(folder.parent, prefix)
            yield folder
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder, also one with folders in it that are read-only, as a function's are; no error if it is gone."""
    for inner, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            Path(inner).chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path, prefix: str) -> None:
    for folder in parent.glob(f"{prefix}*"):
        # Gone meanwhile, in use, or another user's.
        with contextlib.suppress(OSError), (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if folder.lstat().st_uid == os.geteuid():
                remove(folder)
