"""The cache of installed packages: one zip for each key, in the user's cache folder.

Files appear whole or not at all, so that builds at once need no lock. Each has its checksum in its name: what a power
cut or a disk has damaged is not found.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli._files import naming, write_atomically
from fleece.cli.errors import CommandError, UsageError
from fleece.cli.folders import user_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DEFAULT_LIMIT = 2 * 1024**3
"""How many bytes the cache may hold after a build."""

_IN_USE = 3600.0
"""Seconds for which what was used last stays, however full the cache is: another build may be reading it."""

_ABANDONED = 24 * 3600.0
"""Seconds after which the folder of a build that was killed is cleared away."""

_SCRATCH = "tmp-"


def default_folder(environment: Mapping[str, str]) -> Path:
    """Return where the packages are kept: ``fleece/build`` in the user's cache folder (``XDG_CACHE_HOME``).

    Raises:
        UsageError: the user has no home folder.
    """
    try:
        return user_cache("build", environment)
    except RuntimeError:
        raise UsageError("there is no home folder to keep packages in: set HOME or XDG_CACHE_HOME") from None


class Cache:
    """Zips by key, the least recently used removed first when they are more than `limit` bytes."""

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT) -> None:
        self.folder = folder
        self.limit = limit

    def check(self) -> None:
        """See that nobody else can put packages into it, which would end up in functions.

        Raises:
            CommandError: the folder is another user's, or others may write to it.
        """
        if os.name != "posix" or not self.folder.exists():
            return
        status = self.folder.stat()
        if status.st_uid != os.geteuid():
            raise CommandError(
                f"the cache {self.folder} belongs to another user: set XDG_CACHE_HOME to a folder of yours"
            )
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise CommandError(
                f"others can write to the cache {self.folder}, and so put packages into functions: "
                f"`chmod go-w {self.folder}`, and remove what is in it that is not yours"
            )

    def find(self, key: str) -> Path | None:
        """Return the newest zip of that key that is as it was kept, or None."""
        for path in sorted(self.folder.glob(f"{key}-*.zip"), key=_last_used, reverse=True):
            with contextlib.suppress(OSError):  # another build is pruning
                if path.name == f"{key}-{_checksum(path)}.zip":
                    os.utime(path)
                    return path
        return None

    def keep(self, key: str, write: Callable[[Path], None]) -> Path:
        """Have `write` make a zip, keep it under the key, and return it."""
        with naming(self.folder), self.scratch() as scratch:
            new = scratch / "new.zip"
            write(new)
            kept = self.folder / f"{key}-{_checksum(new)}.zip"
            new.replace(kept)
        return kept

    def note(self, name: str) -> str | None:
        """Return what was kept under the name with `keep_note`, or None."""
        try:
            return self._note(name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def keep_note(self, name: str, text: str) -> None:
        """Keep a line of text."""
        self._note(name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self._note(name), text.encode())

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Give a folder that only this user can look into, until the end of the ``with`` block.

        Raises:
            CommandError: there can be none.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            made = tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=self.folder)
        except OSError as error:
            raise CommandError(
                f"nothing can be kept in the cache {self.folder} ({error.strerror}): "
                "set XDG_CACHE_HOME to a folder that you can write to"
            ) from error
        with made as folder:
            yield Path(folder)

    def prune(self) -> None:
        """Remove what was not used for longest until the rest is within the limit, and what killed builds left."""
        now = time.time()
        kept: list[tuple[float, int, Path]] = []
        for path in [*self.folder.glob("*.zip"), *self.folder.glob(f"{_SCRATCH}*")]:
            with contextlib.suppress(FileNotFoundError):  # another build is pruning too
                status = path.stat()
                if not path.name.startswith(_SCRATCH):
                    kept.append((status.st_mtime, status.st_size, path))
                elif now - status.st_mtime > _ABANDONED:
                    shutil.rmtree(path, ignore_errors=True)
        excess = sum(size for _, size, _ in kept) - self.limit
        for used, size, path in sorted(kept):
            if excess <= 0 or now - used < _IN_USE:
                break
            path.unlink(missing_ok=True)
            excess -= size

    def _note(self, name: str) -> Path:
        return self.folder / "notes" / hashlib.sha256(name.encode()).hexdigest()


def _checksum(path: Path) -> str:
    """Return the CRC-32 of a file: it tells accidents, and takes next to no time."""
    value = 0
    with path.open("rb") as file:
        while chunk := file.read(1024**2):
            value = zlib.crc32(chunk, value)
    return f"{value:08x}"


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another build has just removed it
        return 0.0
