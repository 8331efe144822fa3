"""Volumes, and what containers have mounted."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleece_testing._docker.errors import EngineError, NotEmulatedError
from fleece_testing._docker.names import new_id
from fleece_testing._docker.output import now
from fleece_testing._private_folder import remove

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from fleece_testing._docker.tree import Tree


@dataclass(frozen=True)
class Volume:
    """A folder that outlives the containers that have it mounted."""

    name: str
    folder: Path
    labels: Mapping[str, str]
    anonymous: bool = False
    created: dt.datetime = field(default_factory=now)


@dataclass(frozen=True)
class Mount:
    """One mount of a container.

    Attributes:
        kind: ``bind``, ``volume`` or ``tmpfs``.
        source: a path of this machine, or a volume's name.
        destination: the container's path.
        read_only: what is written there stays in the container.
        must_exist: a source that is not there is an error, and is not made.
        folder: of a volume, once it is mounted.
    """

    kind: str
    source: str
    destination: str
    read_only: bool = False
    must_exist: bool = False
    folder: str = ""


class Volumes:
    """The volumes of the engine.

    Args:
        folder: where their folders are made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._volumes: dict[str, Volume] = {}

    def create(self, name: str | None = None, labels: Mapping[str, str] | None = None) -> Volume:
        """Return the volume of this name, made if it is not there; one without a name gets one."""
        with self._lock:
            called = name or new_id()
            if called not in self._volumes:
                folder = self._folder / called
                folder.mkdir(parents=True)
                self._volumes[called] = Volume(called, folder, dict(labels or {}), anonymous=not name)
            return self._volumes[called]

    def all(self) -> list[Volume]:
        """Return the volumes, the oldest first."""
        with self._lock:
            return list(self._volumes.values())

    def find(self, name: str) -> Volume:
        """Return the volume of this name.

        Raises:
            EngineError: there is none.
        """
        with self._lock:
            if name not in self._volumes:
                raise EngineError(404, f"get {name}: no such volume")
            return self._volumes[name]

    def remove(self, volume: Volume) -> None:
        """Remove a volume with its files."""
        with self._lock:
            self._volumes.pop(volume.name, None)
        remove(volume.folder)

    def lay(self, mount: Mount, tree: Tree, copies: Path) -> Mount:
        """Mount into a tree, and return the mount with its source as it is now.

        What is mounted read-only is a copy without write permission, made now: what is written to it cannot
        reach this machine's files, not even for root, who does not ask for permission.
        """
        if mount.kind == "tmpfs":
            tree.make_folder(mount.destination)
            return mount
        if mount.kind == "volume":
            volume = self.create(mount.source or None)
            if not any(volume.folder.iterdir()):
                _fill(volume.folder, tree, mount.destination)
            tree.mount(mount.destination, _protected(volume.folder, copies) if mount.read_only else volume.folder)
            return Mount("volume", volume.name, mount.destination, mount.read_only, folder=str(volume.folder))
        source = Path(mount.source).resolve()
        try:
            if not source.exists():
                source.mkdir(parents=True)
        except OSError as error:
            message = f"error while creating mount source path '{source}': {error.strerror}"
            raise EngineError(500, message) from error
        tree.mount(mount.destination, _protected(source, copies) if mount.read_only else source)
        return mount


def parse_mounts(host_config: Mapping[str, Any]) -> list[Mount]:
    """Return what a container's ``HostConfig`` wants mounted: its ``Binds`` and its ``Mounts``.

    Raises:
        EngineError: one of them is wrong, or is of a kind that the stub does not have.
    """
    mounts = [_parse_bind(text) for text in host_config.get("Binds") or ()]
    mounts += [_parse_mount(document) for document in host_config.get("Mounts") or ()]
    mounts += [Mount("tmpfs", "", path) for path in host_config.get("Tmpfs") or ()]
    for mount in mounts:
        if not mount.destination.startswith("/"):
            raise EngineError(400, f"invalid mount path: '{mount.destination}' mount path must be absolute")
        if mount.must_exist and not Path(mount.source).exists():
            raise EngineError(
                400, f'invalid mount config for type "bind": bind source path does not exist: {mount.source}'
            )
    return mounts


def _parse_bind(text: str) -> Mount:
    source, colon, rest = text.partition(":")
    destination, _, mode = rest.partition(":")
    if not colon:
        return Mount("volume", "", source)
    kind = "bind" if source.startswith("/") else "volume"
    return Mount(kind, source, destination, read_only="ro" in mode.split(","))


def _parse_mount(document: Mapping[str, Any]) -> Mount:
    kind = str(document.get("Type", "volume"))
    if kind not in {"bind", "volume", "tmpfs"}:
        raise NotEmulatedError(f"mounts of the type {kind!r}")
    source = str(document.get("Source") or "")
    return Mount(kind, source, str(document["Target"]), bool(document.get("ReadOnly")), must_exist=kind == "bind")


def _fill(folder: Path, tree: Tree, destination: str) -> None:
    """Give an empty volume what the image has where it is mounted, as a real engine does."""
    try:
        place = tree.locate(destination)
    except FileNotFoundError:
        return
    if place.is_dir():
        shutil.copytree(place, folder, symlinks=True, dirs_exist_ok=True)


def _protected(source: Path, copies: Path) -> Path:
    copy = copies / new_id()[:12]
    if source.is_file():
        shutil.copy2(source, copy)
    else:
        shutil.copytree(source, copy, symlinks=True)
    for place in (copy, *copy.rglob("*")):
        if not place.is_symlink():
            place.chmod(place.stat().st_mode & ~0o222)
    return copy
