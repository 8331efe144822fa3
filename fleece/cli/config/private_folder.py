"""A folder for what is in clear for a while: nobody else can look into it, and it is gone when it is not needed."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

if sys.platform != "win32":
    import fcntl

_PREFIX = "fleece-edit-"
_KEPT = "fleece-kept-"


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder for the time of the block, in memory if the system has a place there.

    It is removed however the block ends; if the process is killed, the next call on this machine removes it. Signals
    must raise no more than one exception in the block: see `fleece.cli.endings`.

    Raises:
        OSError: it cannot be made.
    """
    for folder in _places():
        _remove_leftovers(folder)
    path = _places()[0] / f"{_PREFIX}{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        # Twice: one signal can interrupt one of them.
        stack.callback(shutil.rmtree, path, ignore_errors=True)
        stack.callback(shutil.rmtree, path, ignore_errors=True)
        path.mkdir(0o700)
        with _locked(path):
            yield path


def write_private(path: Path, content: bytes) -> None:
    """Make a file that only its owner can read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 (a descriptor)
        file.write(content)


def keep(path: Path) -> Path:
    """Let the private folder of a file stay, under another name, and return where the file is then."""
    path.chmod(0o600)  # an editor may have made a new one
    # Renamed, as nothing else is sure to work where the place is full.
    return path.parent.rename(path.parent.with_name(path.parent.name.replace(_PREFIX, _KEPT))) / path.name


def _places() -> list[Path]:
    """Return the folders in which private ones can be made, the best first."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    candidates = [runtime if os.path.isabs(runtime) else "", "/dev/shm", tempfile.gettempdir()]  # noqa: S108, PTH117
    return [Path(one) for one in candidates if one and os.access(one, os.W_OK | os.X_OK) and Path(one).is_dir()]


def _remove_leftovers(place: Path) -> None:
    """Remove the folders of processes that were killed: theirs are no longer locked."""
    for path in place.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and _is_abandoned(path):
                shutil.rmtree(path, ignore_errors=True)


def _is_abandoned(path: Path) -> bool:
    if sys.platform == "win32":
        return False  # nobody can tell
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder for as long as this process lives, at most; the system unlocks it when the process is killed."""
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
