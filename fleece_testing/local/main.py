"""The ``fleece-local`` command: it ends as the ``fleece`` command does (see `fleece.cli.errors`).

0 done, 1 failed, 2 wrong usage, 128+N ended by signal N.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from fleece.cli import main as fleece
from fleece_testing.local.signals import end_on_signals

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROGRAM = fleece.Program("fleece-local", commands="fleece_testing.local.commands", extra="testing")


def main() -> NoReturn:
    """Run the command line of this process, and end it with its exit code."""
    end_on_signals()
    sys.exit(exit_code_of(sys.argv[1:]))


def exit_code_of(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code, having told on stderr what went wrong."""
    return fleece.exit_code_of(arguments, _PROGRAM)
