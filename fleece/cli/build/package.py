"""The zip: files gathered from a folder, and written so that the same content gives the same bytes.

Sorted entries, one fixed time, modes 0644 and 0755, no folders. Packages come first, as one cached zip that is copied
as it is; the source follows.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.build.exclusions import is_noise
from fleece.cli.build.reports import untracked
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fleece.cli.build.reports import Track

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can tell."""

_UNIX = 3
"""``create_system``: the modes are those of Unix, also on other hosts."""


def gather(root: Path, leave_out: Callable[[str], bool] = is_noise) -> dict[str, Path]:
    """Return the files below `root` by their path in the zip, links followed.

    Args:
        root: a folder.
        leave_out: says of the path in the zip that a file or folder would have whether it is left out.

    Raises:
        CommandError: a link leads out of `root`, or in a circle; something is neither file nor folder; or a name is not
            UTF-8.
    """
    return dict(_walk(root, root, (root.resolve(),), leave_out))


def write_packages(files: Mapping[str, Path], path: Path, track: Track = untracked) -> None:
    """Write files into a new zip at `path`."""
    with zipfile.ZipFile(path, "x") as archive:
        for name, file in track(sorted(files.items()), "Packing", len(files)):
            _add_file(archive, name, file)


def write_without(packages: Path, gone: frozenset[str], path: Path) -> None:
    """Write a new zip at `path` with what is in the zip `packages`, less the entries in `gone`."""
    with zipfile.ZipFile(packages) as whole, zipfile.ZipFile(path, "x") as archive:
        for entry in whole.infolist():
            if entry.filename not in gone:
                _add(archive, entry.filename, whole.read(entry), executable=bool(entry.external_attr >> 16 & 0o100))


def write_function(packages: Path | None, files: Mapping[str, Path], texts: Mapping[str, str], path: Path) -> None:
    """Write a function's zip at `path`: that of its packages with its source added.

    Args:
        packages: a zip, or None when there are no packages.
        files: the source, by path in the zip.
        texts: entries that come from no file; they stand in for a file of that path.
        path: a file that is not there yet.
    """
    if packages is not None:
        shutil.copyfile(packages, path)
    with zipfile.ZipFile(path, "x" if packages is None else "a") as archive:
        for name, file in sorted(files.items()):
            if name not in texts:
                _add_file(archive, name, file)
        for name, text in sorted(texts.items()):
            _add(archive, name, text.encode(), executable=False)


def names(path: Path) -> list[str]:
    """Return the paths in a zip."""
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def sizes(packages: Path | None, files: Mapping[str, Path], texts: Mapping[str, str]) -> dict[str, int]:
    """Return the unpacked size in bytes of each entry that `write_function` would write."""
    found = {name: path.stat().st_size for name, path in files.items()}
    found |= {name: len(text.encode()) for name, text in texts.items()}
    if packages is not None:
        with zipfile.ZipFile(packages) as archive:
            found |= {entry.filename: entry.file_size for entry in archive.infolist()}
    return found


def _walk(
    root: Path, folder: Path, within: tuple[Path, ...], leave_out: Callable[[str], bool]
) -> Iterator[tuple[str, Path]]:
    """Yield the files of `folder`; `within` holds the real folders on the way to it."""
    for path in sorted(folder.iterdir()):
        name = path.relative_to(root).as_posix()
        if leave_out(name):
            continue
        if name != name.encode(errors="replace").decode():
            raise CommandError(f"the file name {name!a} is not UTF-8, and cannot be in a zip: rename it")
        if path.is_symlink():
            _check_link(path, root)
        if path.is_dir():
            real = path.resolve()
            if real in within:
                raise CommandError(f"{path} links to a folder that it is in: remove the link, or --exclude it")
            if not (path / "pyvenv.cfg").is_file():  # a virtual environment, whatever its name
                yield from _walk(root, path, (*within, real), leave_out)
        elif path.is_file():
            yield name, path
        else:
            raise CommandError(f"{path} is neither a file nor a folder, and cannot be in a zip: remove or --exclude it")


def _check_link(path: Path, root: Path) -> None:
    real = Path(os.path.realpath(path))  # `Path.resolve` refuses a link to itself, before Python 3.13
    if not real.is_relative_to(root.resolve()):
        raise CommandError(f"{path} links to something outside of {root}: copy what it links to, or --exclude it")
    if not path.exists():
        raise CommandError(f"{path} links to something that is not there: remove or --exclude it")


def _add_file(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    _add(archive, name, path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))


def _add(archive: zipfile.ZipFile, name: str, content: bytes, *, executable: bool) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = _UNIX
    entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)
