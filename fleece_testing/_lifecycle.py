"""What can be started and stopped, as a ``with`` block: the frame that every stub shares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


def not_started(what: str) -> RuntimeError:
    """Return the error of whoever asks something of what is not there yet, or no more."""
    return RuntimeError(f"{what} has not been started; call start() or use it in a with block")


class Startable(ABC):
    """Started at the beginning of a ``with`` block and stopped at its end, however that comes."""

    @abstractmethod
    def start(self) -> Self:
        """Start, and return this object; starting twice does nothing."""

    @abstractmethod
    def stop(self) -> None:
        """Stop, and leave nothing behind; stopping twice does nothing."""

    def __repr__(self) -> str:
        try:
            return f"<{type(self).__name__} {self._shown()}>"
        except RuntimeError:  # it has no address before its start
            return f"<{type(self).__name__}, not started>"

    def _shown(self) -> str:
        """Return what pytest shows of it with a failing test: where it is.

        Raises:
            RuntimeError: it has not been started.
        """
        return str(getattr(self, "url", ""))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
