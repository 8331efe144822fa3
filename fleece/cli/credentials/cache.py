"""Where tokens and credentials are kept between two commands: small files that nobody else can read.

The name of a file is a keyed hash of all that its content depends on, the API key included; the key of the hash is
random and lies beside it. So neither a name nor a content tells the API key.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import os
import stat
import time
from typing import TYPE_CHECKING, Protocol, TypeAlias

from fleece.cli.folders import user_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)

Parts: TypeAlias = "tuple[str | None, ...]"
"""All that an entry depends on."""

_KEY_FILE = "hash-key"
_KEY_BYTES = 32
_NEW = ".new-"
_LONGEST_WRITE = 300  # seconds; nothing that is still being written is older
_LONGEST_USE = 24 * 3600  # seconds; a token's, which lives longer than anything else here
_HAS_OWNERS = hasattr(os, "geteuid")  # on Windows, the user's folders are private by their access lists


def default_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder for credentials: ``fleece/credentials`` in the user's cache folder.

    Raises:
        RuntimeError: the user has no home folder.
    """
    return user_cache("credentials", environ)


class Store(Protocol):
    """Something that keeps small documents for as long as it likes."""

    def get(self, parts: Parts) -> Mapping[str, object] | None:
        """Return the document that was put there under the same parts, if it is still there."""

    def put(self, parts: Parts, document: Mapping[str, object]) -> None:
        """Keep a document."""


class MemoryStore:
    """Keeps documents for as long as the process lives."""

    def __init__(self) -> None:
        self._documents: dict[Parts, Mapping[str, object]] = {}

    def get(self, parts: Parts) -> Mapping[str, object] | None:
        """Return the document that was put there under the same parts."""
        return self._documents.get(parts)

    def put(self, parts: Parts, document: Mapping[str, object]) -> None:
        """Keep a document."""
        self._documents[parts] = document


class _RefusedError(Exception):
    """A file or folder is not this user's alone."""


class _DamagedError(Exception):
    """A file has something else in it than what was put there."""


class DiskStore:
    """Keeps documents in files of mode 0600, in a folder of mode 0700.

    A folder or file that somebody else owns, that others may read, or that is a symbolic link is neither read nor
    written, with a warning; one that is damaged or cannot be read is passed over, with a warning as well. Where nothing
    can be written, nothing is kept: nothing depends on it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: set[str] = set()

    def get(self, parts: Parts) -> Mapping[str, object] | None:
        """Return the document that was put there under the same parts, if it is still there and private."""
        try:
            self._check_folder()
            return self._document(self._name(parts))
        except _RefusedError as refusal:
            self._warn(f"{refusal}; nothing is cached there until you fix or remove it")
        except _DamagedError as damage:
            self._warn(f"{damage} is damaged: it is ignored, and a new one written")
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            self._warn(f"{error.filename}: {error.strerror}; what is kept there is not used")
        return None

    def put(self, parts: Parts, document: Mapping[str, object]) -> None:
        """Keep a document, in one step; what is too old to be of use goes at the same time."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_folder()
            try:
                name = self._name(parts)
            except _DamagedError:
                (self._folder / _KEY_FILE).unlink(missing_ok=True)
                name = self._name(parts)
            self._write(name, json.dumps(document).encode())
            self._sweep()
        except _RefusedError:
            pass  # `get` has warned
        except OSError as error:
            _log.debug("the credentials cannot be cached: %s", error)

    def _warn(self, message: str) -> None:
        """Tell what is wrong once, however many documents it concerns."""
        if message not in self._told:
            self._told.add(message)
            _log.warning("%s", message)

    def _check_folder(self) -> None:
        _check(self._folder, os.lstat(self._folder), stat.S_ISDIR, "a folder")

    def _name(self, parts: Parts) -> str:
        return hmac.new(self._hash_key(), json.dumps(parts).encode(), hashlib.sha256).hexdigest() + ".json"

    def _hash_key(self) -> bytes:
        try:
            key = self._read(_KEY_FILE)
        except FileNotFoundError:
            # Linked, not renamed, into place: of two processes that do this at once, one wins for both.
            with self._temporary(os.urandom(_KEY_BYTES)) as path, contextlib.suppress(FileExistsError):
                os.link(path, self._folder / _KEY_FILE)
            key = self._read(_KEY_FILE)
        if len(key) != _KEY_BYTES:
            raise _DamagedError(self._folder / _KEY_FILE)
        return key

    def _document(self, name: str) -> Mapping[str, object]:
        try:
            document = json.loads(self._read(name))
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise _DamagedError(self._folder / name)
        return document

    def _read(self, name: str) -> bytes:
        path = self._folder / name
        if path.is_symlink():
            raise _RefusedError(f"{path} is a symbolic link")
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            _check(path, os.fstat(descriptor), stat.S_ISREG, "a file")
            return file.read()

    def _write(self, name: str, content: bytes) -> None:
        with self._temporary(content) as path:
            os.replace(path, self._folder / name)  # noqa: PTH105 (path is a string)

    @contextlib.contextmanager
    def _temporary(self, content: bytes) -> Iterator[str]:
        """Write a private file, and remove it after the ``with`` block if it is still there under that name."""
        import tempfile  # noqa: PLC0415 (3 ms that a run with everything in the cache does not need)

        descriptor, path = tempfile.mkstemp(prefix=_NEW, dir=self._folder)  # mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            yield path
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108

    def _sweep(self) -> None:
        # The second are what a process that was killed has left.
        for pattern, seconds in (("*.json", _LONGEST_USE), (f"{_NEW}*", _LONGEST_WRITE)):
            for path in self._folder.glob(pattern):
                with contextlib.suppress(FileNotFoundError):
                    if path.lstat().st_mtime < time.time() - seconds:
                        path.unlink()


def _check(path: Path, status: os.stat_result, is_kind: Callable[[int], bool], kind: str) -> None:
    """Refuse what is of another kind, somebody else's, or open to others."""
    if not is_kind(status.st_mode):
        raise _RefusedError(f"{path} is not {kind}")
    if not _HAS_OWNERS:
        return
    if status.st_uid != os.geteuid():
        raise _RefusedError(f"{path} belongs to another user")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise _RefusedError(f"{path} is open to other users (mode {stat.S_IMODE(status.st_mode):04o})")
