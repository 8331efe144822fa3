"""What a program writes to several streams, as it comes."""

from __future__ import annotations

import codecs
import os
import selectors
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHUNK = 1 << 16


class Streams:
    """Reads what comes from files that never make it wait; `texts` has what came from each.

    Args:
        files: the descriptor of each stream by its name; they stay the caller's to close, after `close`.
    """

    def __init__(self, files: Mapping[str, int]) -> None:
        self.texts = dict.fromkeys(files, "")
        self._selector = selectors.DefaultSelector()
        for name, file in files.items():
            os.set_blocking(file, False)
            decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
            self._selector.register(file, selectors.EVENT_READ, (name, decoder))

    def wait(self, seconds: float) -> bool:
        """Read what is there or comes within so many seconds, and return whether anything was."""
        return self._read([key for key, _ in self._selector.select(seconds)])

    def drain(self) -> bool:
        """Read what is there, and return whether anything was.

        Each stream itself is asked, as Linux brings what was written to a terminal to the other side a little later,
        and only who reads there waits for that.
        """
        return self._read([*self._selector.get_map().values()])

    def close(self) -> None:
        """Read no more."""
        self._selector.close()

    def _read(self, keys: list[selectors.SelectorKey]) -> bool:
        read = [self._read_one(key) for key in keys]
        return any(read)

    def _read_one(self, key: selectors.SelectorKey) -> bool:
        name, decoder = key.data
        try:
            chunk = os.read(key.fd, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:  # how Linux tells that nobody has the terminal open any more
            chunk = b""
        self.texts[name] += decoder.decode(chunk, final=not chunk)
        if not chunk:
            self._selector.unregister(key.fileobj)
        return bool(chunk)
