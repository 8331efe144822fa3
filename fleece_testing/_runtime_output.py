"""What a process writes, with an answer to the question whether that is all so far."""

from __future__ import annotations

import os
import secrets
import threading
from typing import TYPE_CHECKING

from fleece_testing._runtime_workers import WorkerStreams

if TYPE_CHECKING:
    from pathlib import Path


class Output:
    """A pipe for a child's stdout and stderr, read in a thread.

    Its end for writing stays open on this side too: a marker written there arrives after all that the child wrote
    before. So nothing has to wait for the end of the child, or of the grandchildren that inherited the pipe.

    Args:
        workers: where to make the socket that the workers of a managed instance connect their streams to.

    Raises:
        OSError: no socket can be made there.
    """

    def __init__(self, workers: Path | None = None) -> None:
        self._changed = threading.Condition()
        self._text = bytearray()
        self._workers = None if workers is None else WorkerStreams(workers, self._append)
        self._read_end, self.write_end = os.pipe()
        self._marker = secrets.token_bytes(16)
        self._markers_written = 0
        self._markers_read = 0
        self._last_marker: int | None = None
        self._thread = threading.Thread(target=self._read, name="fleece_testing runtime output", daemon=True)
        self._thread.start()

    def position(self) -> int:
        """Return where that ends which has been written before this call: a mark for `since`."""
        if self._workers is not None:
            self._workers.catch_up()
        self._write_marker()
        return len(self._text)

    def since(self, position: int) -> str:
        """Return what has been written from there until this call; bytes that are not UTF-8 are replaced."""
        return bytes(self._text[position : self.position()]).decode("utf-8", "replace")

    def close(self) -> None:
        """Read what is left, and let the pipe and the thread go; the process must have ended."""
        if self._workers is not None:
            self._workers.close()
        self._write_marker(last=True)
        self._thread.join()
        os.close(self.write_end)
        os.close(self._read_end)

    def _write_marker(self, *, last: bool = False) -> None:
        """Write a marker and wait until it has come through."""
        with self._changed:
            self._markers_written += 1
            number = self._markers_written
            self._last_marker = number if last else None
        os.write(self.write_end, self._marker)
        with self._changed:
            self._changed.wait_for(lambda: self._markers_read >= number)

    def _read(self) -> None:
        pending = b""
        beginning = len(self._marker) - 1  # of a marker that may be cut in two by the size of the read
        while self._last_marker is None or self._markers_read < self._last_marker:
            *before, pending = (pending + os.read(self._read_end, 65_536)).split(self._marker)
            with self._changed:
                self._append(b"".join(before) + pending[:-beginning])
                self._markers_read += len(before)
                self._changed.notify_all()
            pending = pending[-beginning:]

    def _append(self, text: bytes) -> None:
        with self._changed:
            self._text += text
