"""The end of a child process together with the one that started it, however that one ends."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

if sys.platform == "linux":
    import fcntl


class Lifeline:
    """A pipe that this process holds one end of, and a child the other.

    When this process is gone, were it by SIGKILL, the kernel closes its end, and kills the child's process group for
    it. On Linux, that is: elsewhere a pipe sends no signal, and the child lives until it next asks for an event.
    """

    def __init__(self) -> None:
        self.end_of_child, self._end = os.pipe()
        self._closed = False

    def tie(self, group: int) -> None:
        """Let the process group end with this process; its processes have inherited `end_of_child`."""
        if sys.platform == "linux":
            with suppress(ProcessLookupError):  # it has ended already
                fcntl.fcntl(self.end_of_child, fcntl.F_SETOWN, -group)
            fcntl.fcntl(self.end_of_child, fcntl.F_SETSIG, signal.SIGKILL)
            flags = fcntl.fcntl(self.end_of_child, fcntl.F_GETFL)
            fcntl.fcntl(self.end_of_child, fcntl.F_SETFL, flags | os.O_ASYNC)

    def close(self) -> None:
        """Let the pipe go; the process group ends, if it has not. Closing twice does nothing."""
        if not self._closed:
            self._closed = True
            os.close(self._end)
            os.close(self.end_of_child)
