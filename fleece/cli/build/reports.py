"""Where a build tells what it does, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from fleece.cli.build.plan import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fleece.cli.build.builder import Built
    from fleece.cli.build.plan import Options

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


def summary(built: Built, options: Options) -> str:
    """Return a line on a package that was built."""
    origin = "from the cache" if built.cached else "installed"
    return (
        f"{built.path}: {readable(built.size)} ({readable(built.unpacked)} unpacked), {options.target}, "
        f"packages {origin}, sha256 {built.sha256}"
    )
