"""Standard input and output, when they are closed, on a full disk, or read by somebody who has gone."""

from __future__ import annotations

import os
import sys


def read() -> bytes:
    """Return all that is on stdin.

    Raises:
        OSError: it cannot be read; its ``filename`` is ``<stdin>``.
    """
    try:
        return sys.stdin.buffer.read()
    except OSError as error:
        error.filename = "<stdin>"
        raise


def write(output: bytes) -> None:
    """Write to stdout, whatever the terminal's encoding is, and see that it has arrived.

    Raises:
        OSError: it cannot be written; its ``filename`` is ``<stdout>``.
    """
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(output)
        sys.stdout.buffer.flush()
    except OSError as error:
        error.filename = "<stdout>"
        raise


def replace_closed() -> None:
    """Put streams in the place of those that are closed (``>&-``), which Python has as None.

    Input and output then fail with an `OSError` when they are used; messages that nobody wants go nowhere.
    """
    # Opened the wrong way round, as gnulib does it. Not inherited: a child finds closed what was closed.
    if sys.stdin is None:
        sys.stdin = open(os.open(os.devnull, os.O_WRONLY))  # noqa: PTH123, SIM115 (open for as long as the process)
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.open(os.devnull, os.O_WRONLY), "w")  # noqa: PTH123, SIM115


def drop_unwritten() -> None:
    """Send nowhere what is still buffered and cannot be written, as Python would complain about it at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 (a device, not a path of ours)
                os.dup2(nowhere.fileno(), stream.fileno())
