"""Names and filters, as the Engine API writes them. Pure."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from fleece_testing._docker.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONTAINER_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")

_REPOSITORY = re.compile(r"(?:[A-Za-z0-9.-]+(?::\d+)?/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*")
_TAG = re.compile(r"\w[\w.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Reference:
    """What names an image: a repository with a tag or a digest."""

    repository: str
    tag: str = "latest"
    digest: str | None = None

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"

    @property
    def registry(self) -> str:
        """The registry's host, or Docker's own where none is named."""
        first, slash, _ = self.repository.partition("/")
        return first if slash and (first == "localhost" or set(".:") & set(first)) else "docker.io"


def parse_reference(text: str) -> Reference:
    """Return the reference that `text` is.

    Raises:
        EngineError: it is none.
    """
    name, at, digest = text.removeprefix("docker.io/").removeprefix("library/").partition("@")
    folder, slash, last = name.rpartition("/")
    base, colon, tag = last.partition(":")
    repository = f"{folder}{slash}{base}"
    is_right = _REPOSITORY.fullmatch(repository) and (_TAG.fullmatch(tag) or not colon)
    if not is_right or (at and not _DIGEST.fullmatch(digest)):
        raise EngineError(400, "invalid reference format")
    return Reference(repository, tag or "latest", digest or None)


def new_id() -> str:
    """Return an id such as containers have: 64 hexadecimal digits."""
    return secrets.token_hex(32)


def parse_filters(text: str | None, known: frozenset[str]) -> dict[str, list[str]]:
    """Return the filters of a query: ``{"label": ["a=b"]}``; both forms that clients send are read.

    Raises:
        EngineError: there is no such filter, or it is not JSON.
    """
    try:
        filters = json.loads(text or "{}")
        read = {name: list(values) for name, values in filters.items()}
    except (ValueError, TypeError, AttributeError):
        raise EngineError(400, "invalid filter") from None
    unknown = sorted(read.keys() - known)
    if unknown:
        raise EngineError(400, f"Invalid filter '{unknown[0]}'")
    return read


def has_labels(labels: Mapping[str, str], wanted: Sequence[str]) -> bool:
    """Whether each of ``name`` and ``name=value`` is among the labels."""
    pairs = [one.partition("=") for one in wanted]
    return all(name in labels and (not equals or labels[name] == value) for name, equals, value in pairs)


def matches_reference(name: str, pattern: str) -> bool:
    """Whether ``repository:tag`` matches the pattern of a ``reference`` filter, which may leave the tag out."""
    return fnmatchcase(name, pattern) or fnmatchcase(name.rpartition(":")[0], pattern)
