"""The images of the engine, and those of the registries that it can pull from."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fleece_testing._docker.errors import EngineError
from fleece_testing._docker.names import Reference, new_id, parse_reference
from fleece_testing._docker.output import now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from fleece_testing._docker.tree import Tree


@dataclass(frozen=True)
class ImageConfig:
    """What an image says about how it is run."""

    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    working_dir: str = ""
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """One row of an image's history."""

    created_by: str
    size: int
    comment: str = ""
    created: dt.datetime = field(default_factory=now)


@dataclass(frozen=True)
class Image:
    """An image: its files, which nobody writes to, and its configuration.

    Attributes:
        digest: what its registry knows it by; None for one that was made here.
        architecture: as Docker names it, ``amd64`` or ``arm64``.
    """

    tree: Tree
    architecture: str
    config: ImageConfig = field(default_factory=ImageConfig)
    history: tuple[Layer, ...] = ()
    parent: str = ""
    author: str = ""
    container: str = ""
    digest: str | None = None
    repository: str = ""
    id: str = field(default_factory=lambda: f"sha256:{new_id()}")

    @property
    def size(self) -> int:
        """Bytes of all layers."""
        return sum(layer.size for layer in self.history)


@dataclass(frozen=True)
class Published:
    """An image in a registry, and the user name and password that it is given for."""

    image: Image
    login: tuple[str, str] | None


class Images:
    """The local images by id, and what each name stands for."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._images: dict[str, Image] = {}
        self._tags: dict[str, str] = {}

    def add(self, image: Image, name: Reference | None = None) -> None:
        """Add an image; a name that stood for another one moves to it."""
        with self._lock:
            self._images[image.id] = image
            if name is not None:
                self._tags[str(name)] = image.id

    def all(self) -> list[Image]:
        """Return the images, the newest first."""
        with self._lock:
            return list(reversed(self._images.values()))

    def tags(self, image: Image) -> list[str]:
        """Return the names that stand for an image."""
        with self._lock:
            return [tag for tag, held in self._tags.items() if held == image.id]

    def find(self, name: str) -> Image:
        """Return the image of a name, a digest, an id or the beginning of one.

        Raises:
            EngineError: there is none.
        """
        with self._lock:
            short = name.removeprefix("sha256:")
            by_id = [one for one in self._images.values() if one.id[7:].startswith(short)] if short else []
            if len(by_id) == 1:
                return by_id[0]
            reference = parse_reference(name)
            for image in self._images.values():
                if reference.digest and (image.repository, image.digest) == (reference.repository, reference.digest):
                    return image
            if str(reference) in self._tags:
                return self._images[self._tags[str(reference)]]
        raise EngineError(404, f"No such image: {name if reference.digest else reference}")

    def remove(self, name: str, *, force: bool = False) -> list[dict[str, str]]:
        """Take a name off an image, and the image away with its last one; return what was done.

        Raises:
            EngineError: there is none, or its id is given and more than one name stands for it.
        """
        with self._lock:
            image = self.find(name)
            tags = self.tags(image)
            by_id = image.id[7:].startswith(name.removeprefix("sha256:"))
            if by_id and len(tags) > 1 and not force:
                raise EngineError(
                    409,
                    f"conflict: unable to delete {image.id[7:19]} (must be forced) - "
                    "image is referenced in multiple repositories",
                )
            gone = tags if by_id else [str(parse_reference(name))] if not image.digest or tags else []
            for tag in gone:
                self._tags.pop(tag, None)
            done = [{"Untagged": tag} for tag in gone]
            if not self.tags(image):
                del self._images[image.id]
                done.append({"Deleted": image.id})
            return done


class Registries:
    """What can be pulled, whichever registry it is in."""

    def __init__(self) -> None:
        self._published: dict[str, Published] = {}

    def publish(self, name: Reference, image: Image, login: tuple[str, str] | None) -> None:
        """Let an image be pulled by this name."""
        self._published[str(name)] = Published(replace(image, repository=name.repository), login)

    def fetch(self, name: Reference, login: tuple[str, str] | None, architecture: str | None) -> Image:
        """Return the image of this name, for whoever may have it.

        Raises:
            EngineError: in the words of a real engine.
        """
        published = self._published.get(str(name))
        if published is None:
            if any(parse_reference(known).repository == name.repository for known in self._published):
                raise EngineError(404, f"manifest for {name} not found: manifest unknown: manifest unknown")
            raise EngineError(
                404,
                f"pull access denied for {name.repository}, repository does not exist or may require 'docker login': "
                "denied: requested access to the resource is denied",
            )
        if published.login is not None and login is None:
            host, path = name.registry, name.repository.partition("/")[2]
            raise EngineError(500, f'Head "https://{host}/v2/{path}/manifests/{name.tag}": no basic auth credentials')
        if published.login not in (None, login):
            raise EngineError(500, "unauthorized: incorrect username or password")
        if architecture not in (None, published.image.architecture):
            raise EngineError(
                404,
                f"no matching manifest for linux/{architecture} in the manifest list entries: {name} is for "
                f"linux/{published.image.architecture}",
            )
        return published.image
