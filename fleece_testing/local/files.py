"""The files that ``fleece-local up`` writes for others: private, complete whenever they are there, and gone afterwards.

Each has `MARK` near its beginning. A file without it is somebody else's, and neither replaced nor removed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from typing import TYPE_CHECKING

from fleece.cli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

MARK = "fleece-local up"

HEADER = f"# Written by {MARK}, which removes it when it ends.\n"
"""The first line of the files that have comments."""

_MARK_WITHIN = 100  # bytes


def check_replaceable(path: Path) -> None:
    """See that a file can be written there without taking anybody's away.

    Raises:
        UsageError: its folder is not there, or it is somebody else's file, a folder or a device.
    """
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {str(path.parent)!r}")
    if not path.exists():
        return
    if not path.is_file():
        raise UsageError(f"{path}: not a regular file, so it cannot be written")
    with path.open("rb") as file:
        if MARK.encode() not in file.read(_MARK_WITHIN):
            raise UsageError(f"{path}: is there, and was not written by {MARK}; name another file, or remove it")


class OwnFiles:
    """The files that this process has written; they go when the ``with`` block ends."""

    def __init__(self) -> None:
        self._written: dict[Path, bytes] = {}

    def write(self, path: Path, text: str) -> None:
        """Write a file of mode 0600 in one step: who finds it, finds all of it.

        Raises:
            UsageError: it cannot be written there without taking somebody's file away.
            OSError: the folder is not writable, or the disk is full.
        """
        path = path.resolve()
        check_replaceable(path)
        self._written[path] = text.encode()
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(self._written[path])
            os.replace(temporary, path)  # noqa: PTH105 (a name from mkstemp)
        except BaseException:
            os.unlink(temporary)  # noqa: PTH108
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for path, content in self._written.items():
            with contextlib.suppress(OSError):
                if path.read_bytes() == content:  # else another one has taken its place
                    path.unlink()
