"""Where a build tells what it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")


class Track(Protocol):
    """Yields items, and shows how many of them are done: `fleece.cli._progress.track`."""

    def __call__(self, items: Iterable[Item], label: str, total: int, /) -> Iterable[Item]:
        """Yield the items."""


def untracked(items: Iterable[Item], _label: str, _total: int) -> Iterable[Item]:
    """Show nothing, as builds at the same time would draw over one another."""
    return items


@dataclass(frozen=True)
class Reports:
    """Where one service's build tells what it does: a line at a time, and how far it is with what takes long."""

    info: Callable[[str], None]
    warning: Callable[[str], None]
    track: Track
