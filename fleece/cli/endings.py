"""Ending in order when a signal says so: what is in clear is removed on the way out, and what runs is ended."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")  # not all systems have all of them


@contextlib.contextmanager
def in_order() -> Iterator[None]:
    """Raise in the block when a signal would end the process: ``finally`` clauses run, and nothing interrupts them.

    SIGINT raises `KeyboardInterrupt`, and others `SystemExit` with what a shell shows for them. Only the first signal
    does: those after it are ignored until the process has ended, or the block.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # no signal raises anything here
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    # What the caller ignores, as nohup does with SIGHUP, stays ignored.
    before = {number: signal.getsignal(number) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}

    def end(number: int, _frame: FrameType | None) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    try:
        for number in before:
            signal.signal(number, end)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
