"""Files to and from a container, as tar archives."""

from __future__ import annotations

import io
import os
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
    """Unpack an archive as it comes; nothing lands outside of `folder`, and nothing but files, folders and links.

    Raises:
        CommandError: a path or a link leads out of the folder, or it is more than `largest` bytes.
    """
    left = largest

    def checked(member: tarfile.TarInfo, place: str) -> tarfile.TarInfo | None:
        nonlocal left
        left -= member.size
        if left < 0:
            raise CommandError(f"the packages are more than {largest // 1024**2} MB, which no function can have")
        return tarfile.data_filter(member, place)

    try:
        with tarfile.open(fileobj=_Stream(chunks), mode="r|") as tar:
            tar.extractall(folder, filter=checked)  # noqa: S202 (that is what the filter is for)
        for _ in chunks:  # what fills up the last block, without which the connection would not be free again
            pass
    except tarfile.FilterError as error:
        raise CommandError(f"the packages hold something that would leave their folder: {error}") from error
    except tarfile.TarError as error:
        raise CommandError(f"what came out of the container is no whole archive: {error}") from error


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
