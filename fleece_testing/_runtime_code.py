"""A function's code on disk, as Lambda lays it out: ``/var/task``, and beside it what the runtime provides."""

from __future__ import annotations

import calendar
import contextlib
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from fleece_testing._private_folder import private_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

MAX_UNPACKED = 262_144_000
"""What a function's code may come to, unpacked, in bytes."""


def check_is_there(code: Path) -> None:
    """See that there is code.

    Raises:
        FileNotFoundError: there is no such folder or file.
    """
    if not code.exists():
        raise FileNotFoundError(f"There is no code at {code}: give a source folder or a built zip")


@contextlib.contextmanager
def laid_out(code: Path, packages: Mapping[str, str]) -> Iterator[tuple[Path, Path]]:
    """Yield the task root and the folder of the runtime's own packages, both gone afterwards.

    Args:
        code: a folder that is there, used in place, or a zip, unpacked to a private folder, read-only as on Lambda.
        packages: what to link into the second folder, from the name to the place.

    Raises:
        ValueError: the file is not a zip, or Lambda would refuse it.
    """
    with private_folder("fleece-runtime-") as private:
        runtime = private / "runtime"
        runtime.mkdir()
        for name, place in packages.items():
            (runtime / name).symlink_to(place)
        if code.is_dir():
            yield code.resolve(), runtime
            return
        task = private / "task"
        _unpack(code, task)
        yield task, runtime


def _unpack(archive: Path, target: Path) -> None:
    """Unpack as Lambda does: times and permissions from the archive, and nothing that can be written to."""
    target.mkdir()
    try:
        with zipfile.ZipFile(archive) as opened:
            size = sum(entry.file_size for entry in opened.infolist())
            if size > MAX_UNPACKED:
                raise ValueError(f"{archive} unpacks to {size} bytes, and Lambda takes at most {MAX_UNPACKED}")
            for entry in opened.infolist():
                path = Path(opened.extract(entry, target))
                if not entry.is_dir():
                    _set_like_lambda(path, entry)
    except zipfile.BadZipFile as error:
        raise ValueError(f"{archive} is neither a folder nor a zip archive ({error})") from error
    for folder, _, _ in os.walk(target):
        Path(folder).chmod(0o555)


def _set_like_lambda(path: Path, entry: zipfile.ZipInfo) -> None:
    # The function's user owns nothing there: what counts is what the archive grants to others. An archive made
    # elsewhere than on Unix has no permissions at all.
    granted = (entry.external_attr >> 16) & 0o005 if entry.external_attr >> 16 else 0o005
    path.chmod(granted * 0o111)
    # Python compares a module's time with the one in its bytecode.
    moment = calendar.timegm((*entry.date_time, 0, 0, 0))
    os.utime(path, (moment, moment))
