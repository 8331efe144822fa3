"""How far long work is, on stderr: a bar on a terminal, a plain line now and then in a log.

Work that is done within two seconds shows nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Item = TypeVar("Item")

_log = logging.getLogger(__name__)

PATIENCE = 2.0
"""Seconds before anything is shown."""

INTERVAL = 5.0
"""Least seconds between two plain lines."""


def track(
    items: Iterable[Item], label: str, total: int, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[Item]:
    """Yield the items, and show how many of them are done: those after which the next was asked for.

    Args:
        items: the work, or its results as they come.
        label: what is done, such as ``Decrypting``.
        total: how many items there are.
        clock: gives the time in seconds.

    Examples:
        >>> sum(track([1, 2, 3], "Adding", total=3))
        6
    """
    due = clock() + PATIENCE
    report = None
    with contextlib.ExitStack() as stack:
        for done, item in enumerate(items, start=1):
            yield item
            if report is None and clock() >= due and done < total:  # of what is done, there is no more to tell
                report = stack.enter_context(_bar(label, total) if _has_terminal() else _lines(label, total, clock))
            if report is not None:
                report(done)


def _has_terminal() -> bool:
    """Whether a line that changes can be shown; the terminals that some CI systems have end in a log."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


@contextlib.contextmanager
def _bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    with click.progressbar(length=total, label=label, show_pos=True, file=sys.stderr) as bar:
        yield lambda done: bar.update(done - bar.pos)


@contextlib.contextmanager
def _lines(label: str, total: int, clock: Callable[[], float]) -> Iterator[Callable[[int], None]]:
    due = clock()

    def report(done: int) -> None:
        nonlocal due
        if clock() >= due or done == total:
            due = clock() + INTERVAL
            _log.info("%s: %d of %d", label, done, total)

    yield report
