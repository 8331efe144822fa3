"""Files to and from a container, as tar archives."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from fleece.cli.build.exclusions import is_noise
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LARGEST = 4 * 1024**3
"""Bytes that are unpacked at most: more than Lambda takes by far, and less than what fills a disk."""

_ENTRY = 1024
"""Bytes that each file and folder counts for beside its content, so that there is an end to empty ones."""


def place_of(path: Path) -> PurePosixPath:
    """Return where a file of this machine is in a container: at the same absolute path, so that all others find it."""
    return PurePosixPath("/", *Path(os.path.abspath(path)).parts[1:])  # noqa: PTH100 (links in it are kept)


def pack(files: Iterable[Path], texts: Mapping[str, str], folders: Iterable[str], scratch: Path) -> IO[bytes]:
    """Return an archive to be unpacked at the root of a container; everything in it belongs to root.

    Args:
        files: files and folders of this machine, which go to `place_of` them; what is noise in a folder stays out.
        texts: further files, by absolute path.
        folders: absolute paths of empty folders.
        scratch: where the archive may be kept, as a file without a name.
    """
    archive = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 (the caller's)
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for file in dict.fromkeys(files):
            # What a link leads to, where the link is; within folders links are kept.
            tar.add(os.path.realpath(file), str(place_of(file)), filter=_of_root)
        for path, text in texts.items():
            content = text.encode()
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for path in folders:
            member = tarfile.TarInfo(path.lstrip("/"))
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
    archive.seek(0)
    return archive


def unpack(chunks: Iterator[bytes], folder: Path, largest: int = LARGEST) -> None:
    """Unpack an archive as it comes; nothing lands outside of `folder`, and nothing but files and folders.

    Not left to `tarfile`'s filter, which Debian 12's Python has not got, and which links got round until 3.13.4: no
    installer makes links, and without them the names tell where files go.

    Raises:
        CommandError: a path leads out of the folder, something is neither file nor folder, or it is all more than
            `largest` bytes.
    """
    left = largest
    try:
        with tarfile.open(fileobj=_Stream(chunks), mode="r|") as tar:
            for member in tar:
                left -= member.size + _ENTRY
                if left < 0:
                    raise CommandError(f"the packages are over {largest // 1024**2} MB, which no function can have")
                _extract(tar, member, folder)
        for _ in chunks:  # what fills up the last block, without which the connection would not be free again
            pass
    except tarfile.TarError as error:
        raise CommandError(f"what came out of the container is no whole archive: {error}") from error


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write a file or make a folder; of its mode counts only whether it can be run, of its owner nothing."""
    path = PurePosixPath(member.name.lstrip("/"))
    content = tar.extractfile(member) if member.isreg() else None
    if ".." in path.parts or not (content or member.isdir()):
        raise CommandError(f"the packages hold something that could leave their folder: {member.name!r}")
    place = folder / path
    if content is None:
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with content, place.open("wb") as file:
        shutil.copyfileobj(content, file)
    if member.mode & 0o100:
        place.chmod(0o755)


class _Stream(io.BufferedIOBase):
    """Chunks as the file that `tarfile` reads."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def read(self, size: int | None = -1) -> bytes:
        parts, wanted = [self._rest], (size or 0) - len(self._rest)
        while wanted > 0 and (chunk := next(self._chunks, b"")):
            parts.append(chunk)
            wanted -= len(chunk)
        content = b"".join(parts)
        self._rest = content[size:]
        return content[:size]


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if is_noise(member.name):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
