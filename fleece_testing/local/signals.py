"""The end that somebody outside asks for: Ctrl-C, ``kill``, a terminal that closes."""

from __future__ import annotations

import signal
from typing import NoReturn


class Signalled(SystemExit):
    """A signal asked for the end; the exit code is 128 and its number, which is what a shell shows."""


def end_on_signals() -> None:
    """Leave by `Signalled` on SIGINT, SIGTERM and SIGHUP, so that what was started and written goes on the way out.

    The first one counts: those that come while the process already ends would only leave something behind.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signal.signal(signal.SIGHUP, _end)


def _end(number: int, _frame: object) -> NoReturn:
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    raise Signalled(128 + number)
