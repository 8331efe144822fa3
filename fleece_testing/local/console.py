"""Where the commands show things: the terminal as it is, and a fixed width without one."""

from __future__ import annotations

import os

from rich.console import Console

_WIDTH_WITHOUT_TERMINAL = 120


def console(*, stderr: bool = False) -> Console:
    """Return the console on stdout or stderr; NO_COLOR, FORCE_COLOR, TERM and COLUMNS are respected."""
    made = Console(highlight=False, stderr=stderr)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = _WIDTH_WITHOUT_TERMINAL
    return made
