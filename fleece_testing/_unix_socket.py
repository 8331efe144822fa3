"""Unix sockets in temporary folders, whose paths may be longer than a socket's: 104 bytes on macOS, 108 on Linux."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def listen(path: Path) -> socket.socket:
    """Return a new socket that listens at `path`.

    Raises:
        OSError: the path is too long, or taken.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise OSError(f"No socket can be made at {path} ({error}): set TMPDIR to a shorter path") from error
    listener.listen(128)
    return listener
