"""What processes have written, in the frames that the Engine API sends it in."""

from __future__ import annotations

import datetime as dt
import struct
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

STDOUT, STDERR = 1, 2


def now() -> dt.datetime:
    """Return the time, with its zone."""
    return dt.datetime.now(dt.timezone.utc)


def timestamp(moment: dt.datetime | None) -> str:
    """Return a time as the Engine API writes it; what never happened is in the year 1."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z") if moment else "0001-01-01T00:00:00Z"


@dataclass(frozen=True)
class Frame:
    """One line, or a part of one, of one of the two streams."""

    stream: int
    data: bytes
    time: dt.datetime = field(default_factory=now)

    def as_text(self) -> Frame:
        """Return the frame as the log has it: what is no UTF-8 is replaced, as the ``json-file`` driver does."""
        return replace(self, data=self.data.decode(errors="replace").encode())

    def encoded(self, *, timestamps: bool = False) -> bytes:
        """Return the frame with its header: the stream, three zero bytes, and the length in network order."""
        data = f"{timestamp(self.time)} ".encode() + self.data if timestamps else self.data
        return struct.pack(">BxxxL", self.stream, len(data)) + data


class Output:
    """The frames of a container or of an exec; many may follow it while it grows."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._changed = threading.Condition()
        self._open = False

    def open(self) -> None:
        """Expect frames: whoever follows waits for them from now on."""
        with self._changed:
            self._open = True

    def write(self, stream: int, data: bytes) -> None:
        """Add a frame."""
        with self._changed:
            self._frames.append(Frame(stream, data))
            self._changed.notify_all()

    def close(self) -> None:
        """Expect no more: whoever follows has reached the end."""
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def frames(self) -> list[Frame]:
        """Return what there is."""
        with self._changed:
            return list(self._frames)

    def follow(self, start: int = 0) -> Iterator[Frame]:
        """Yield the frames from number `start` on, until there will be no more."""
        while True:
            with self._changed:
                while self._open and len(self._frames) <= start:
                    self._changed.wait()
                fresh = self._frames[start:]
            if not fresh:
                return
            yield from fresh
            start += len(fresh)
