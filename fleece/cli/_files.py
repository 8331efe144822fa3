"""Files that are replaced whole: whoever reads one, and whenever, sees all of the old or all of the new."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import stat
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

if sys.platform != "win32":
    import fcntl

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Replace the file at `path` by one with this content, in one step that a kill or a power cut cannot halve.

    The new content is on the disk before the name points to it. The mode of a file that is there is kept, its owner and
    group where the system lets us; a new one gets what the umask leaves of 0666. A symbolic link stays, and the file
    that it leads to is replaced. What interrupts this, Ctrl-C for instance, leaves no other file behind.

    Raises:
        OSError: the folder is not there or not writable, the file is read-only, the disk is full, or `path` is a
            folder, a pipe or a device; what was there is untouched. The error's ``filename`` is that of the file to be
            written.
    """
    target = Path(os.path.realpath(path))
    try:
        _replace(target, content)
    except OSError as error:
        error.filename, error.filename2 = str(target), None  # not that of the temporary file
        raise


@contextlib.contextmanager
def locked(path: str | os.PathLike[str]) -> Iterator[None]:
    """Keep other processes of fleece from changing the file at `path` for the time of the block, if the system can.

    The lock is that of the folder, so that the file can be replaced. It is to be held for a moment only. Whoever has it
    removes what `write_atomically` has left of a process that was killed: nobody else is writing.

    Raises:
        OSError: the folder is not there.
    """
    if sys.platform == "win32":
        yield
        return
    target = Path(os.path.realpath(path))
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a network's file system that knows no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _remove_leftovers(target)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write a new file to, which takes the place of `path` when the ``with`` block ends well.

    For what is made in pieces and can be made again: unlike `write_atomically` it does not wait for the disk.

    Raises:
        OSError: the disk is full, for instance; what was there is untouched. The error's ``filename`` is `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with naming(path):
            yield new
            new.replace(path)
    finally:
        new.unlink(missing_ok=True)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have the error of a disk that is full name `path`, and not the file that was written for its sake."""
    try:
        yield
    except OSError as error:
        if error.filename is None or error.errno in _FULL:
            error.filename, error.filename2 = str(path), None
        raise


def _replace(target: Path, content: bytes) -> None:
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "not a regular file, so it cannot be replaced", str(target))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the file is read-only", str(target))
    # Named before it is made: what interrupts us in between finds it.
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    with contextlib.ExitStack() as leaving:
        # Twice: one signal can interrupt one of them.
        leaving.callback(temporary.unlink, missing_ok=True)
        leaving.callback(temporary.unlink, missing_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 (a descriptor)
            file.write(content)
            file.flush()
            _adopt(file.fileno(), target)
            os.fsync(file.fileno())
        temporary.replace(target)
    _sync_folder(target.parent)


def _remove_leftovers(target: Path) -> None:
    for path in target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * 32}.tmp"):
        path.unlink(missing_ok=True)


def _adopt(descriptor: int, target: Path) -> None:
    """Give a new file the owner, group and mode of the one that it replaces."""
    with contextlib.suppress(FileNotFoundError):
        there = target.stat()
        for owner, group in ((there.st_uid, there.st_gid), (-1, there.st_gid)):
            with contextlib.suppress(PermissionError):  # only root gives files away
                os.fchown(descriptor, owner, group)
                break
    os.fchmod(descriptor, _mode(target))


def _mode(target: Path) -> int:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        # The umask can only be read by setting it.
        umask = os.umask(0o077)
        os.umask(umask)
        return 0o666 & ~umask


def _sync_folder(folder: Path) -> None:
    """Put the new name itself on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
