"""A private tree of files: the root file system of an image or a container, as a folder of this machine."""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
import tarfile
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from fleece_testing._docker.paths import PathMap, moved_script

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Tree:
    """One tree, and what is mounted into it.

    Args:
        folder: an existing folder without symbolic links in its path.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths = PathMap(str(folder))
        self.mounted: dict[Path, str] = {}

    def locate(self, path: str, *, follow: bool = False) -> Path:
        """Return where a container's path is on this machine; links in it are followed, but for the last.

        Raises:
            FileNotFoundError: there is nothing, or a link leads out of the tree and its mounts.
        """
        inside = posixpath.normpath("/" + path.lstrip("/"))[1:]
        found = self.folder / inside if inside else self.folder
        real = Path(os.path.realpath(found if follow else found.parent)) if inside else found
        place = real if follow or not inside else real / found.name
        if not any(place == top or top in place.parents for top in (self.folder, *self.mounted)):
            raise FileNotFoundError(path)
        place.lstat()
        return place

    def make_folder(self, path: str) -> Path:
        """Return the folder at a container's path, made if it is not there."""
        folder = self.folder / posixpath.normpath("/" + path.lstrip("/"))[1:]
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def write(self, path: str, content: bytes) -> None:
        """Write a file; one that begins with ``#!`` is a program."""
        file = self.make_folder(posixpath.dirname(path)) / posixpath.basename(path)
        file.write_bytes(content)
        file.chmod(0o755 if content.startswith(b"#!") else 0o644)

    def mount(self, path: str, source: Path) -> None:
        """Lay a folder or file of this machine over a path, as a link."""
        place = self.make_folder(posixpath.dirname(path)) / posixpath.basename(path)
        if place.is_symlink() or place.is_file():
            place.unlink()
        elif place.is_dir():
            shutil.rmtree(place)
        place.symlink_to(source)
        self.mounted[source] = path

    def copy(self, folder: Path) -> Tree:
        """Return a copy in a new folder; where something was mounted, it has an empty folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        copied = Tree(folder)
        for file in copied._entries():
            if file.is_symlink():
                self._copy_link(file, copied)
            elif _is_program(file):
                content = file.read_bytes()
                moved = moved_script(content, str(self.folder), str(folder))
                if moved != content:
                    file.write_bytes(moved)
        return copied

    def to_container(self, output: bytes) -> bytes:
        """Return a line of output with the paths that the container knows, those of its mounts included."""
        for source, path in self.mounted.items():
            output = output.replace(str(source).encode(), path.encode())
        return self.paths.to_container(output)

    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(file.lstat().st_size for file in self._entries() if not file.is_symlink())

    def pack(self, place: Path, name: str) -> IO[bytes]:
        """Return a tar archive of a file or folder, in which everything belongs to root."""
        archive = BytesIO()
        with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for file, member in _members(place, name):
                self._add(tar, file, member)
        archive.seek(0)
        return archive

    def unpack(self, archive: IO[bytes], place: Path) -> None:
        """Unpack a tar archive, compressed or not; owners are not kept, and nothing lands outside `place`.

        Raises:
            tarfile.TarError: it is none, or a member would leave the folder.
            OSError: the files cannot be written.
        """

        def kept(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
            if member.isdev():
                return None
            checked = tarfile.tar_filter(member, folder)
            if member.islnk():
                checked = tarfile.data_filter(member, folder)
            link = self.paths.link_to_host(member.linkname) if member.issym() else checked.linkname
            return checked.replace(
                mode=member.mode, linkname=link, uid=os.getuid(), gid=os.getgid(), uname="", gname="", deep=False
            )

        with tarfile.open(fileobj=archive, mode="r|*") as tar:
            tar.extractall(place, filter=kept)  # noqa: S202 (kept() sees to it)

    def _entries(self) -> Iterator[Path]:
        for folder, folders, files in os.walk(self.folder):
            yield from (Path(folder, name) for name in files)
            yield from (place for name in folders if (place := Path(folder, name)).is_symlink())

    def _copy_link(self, link: Path, copied: Tree) -> None:
        target = str(link.readlink())
        if Path(target) in self.mounted:
            link.unlink()
            link.mkdir()
            return
        moved = copied.paths.link_to_host(self.paths.link_to_container(target)) if self._is_inside(target) else target
        if moved != target:
            link.unlink()
            link.symlink_to(moved)

    def _is_inside(self, target: str) -> bool:
        return f"{target}/".startswith(f"{self.folder}/")

    def _add(self, tar: tarfile.TarFile, file: Path, member: str) -> None:
        if file.is_socket():
            return
        info = tar.gettarinfo(file, member)
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        if info.issym():
            info.linkname = self.paths.link_to_container(info.linkname)
        if not info.isreg():
            tar.addfile(info)
        elif _is_program(file):
            content = moved_script(file.read_bytes(), str(self.folder), "")
            info.size = len(content)
            tar.addfile(info, BytesIO(content))
        else:
            with file.open("rb") as content_of:
                tar.addfile(info, content_of)


def _is_program(file: Path) -> bool:
    status = file.lstat()
    return stat.S_ISREG(status.st_mode) and bool(status.st_mode & 0o111)


def _members(place: Path, name: str) -> Iterable[tuple[Path, str]]:
    yield place, name
    if place.is_dir() and not place.is_symlink():
        for child in sorted(place.iterdir()):
            yield from _members(child, f"{name}/{child.name}")
