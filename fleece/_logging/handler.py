"""The handler that writes lines to a stream, and the way to take others off the root logger."""

from __future__ import annotations

import contextlib
import logging
import sys

from fleece._logging.encoding import ascii_only
from fleece._logging.record import LineRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

_UTF_8 = ("utf-8", "utf8")


class LineHandler(logging.Handler):
    """Write each record as a line to a stream, unless another `LineHandler` has written it.

    Args:
        stream: where to; ``None`` is ``sys.stdout`` as it is at the time of each line.
        logger_factory: structlog's, for the loggers that `get_logger` makes from now on.
    """

    def __init__(self, stream: TextIO | None = None, logger_factory: Callable[..., Any] | None = None) -> None:
        super().__init__()
        self.fixed_stream = stream
        self.logger_factory = logger_factory

    @property
    def stream(self) -> TextIO:
        """The stream that a line would go to now."""
        return sys.stdout if self.fixed_stream is None else self.fixed_stream

    def handle(self, record: logging.LogRecord) -> Any:
        """Emit a record that the filters let pass: what the standard method does, in one call where it takes four."""
        lock = self.lock
        if self.filters or lock is None:
            return super().handle(record)
        lock.acquire()
        try:
            self.emit(record)
        finally:
            lock.release()
        return record

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, in one piece, and flush it: Lambda may freeze the process at any time."""
        if type(record) is not LineRecord:
            record = LineRecord.of(record)
        if getattr(record, "fleece_printed", False):
            return
        try:
            stream = sys.stdout if self.fixed_stream is None else self.fixed_stream
            text = (self.format(record) if self.formatter else record.getMessage()) + "\n"
            if not text.isascii() and (getattr(stream, "encoding", None) or "utf-8").lower() not in _UTF_8:
                text = ascii_only(text)
            stream.write(text)
            stream.flush()
            record.fleece_printed = True
        except BlockingIOError:
            record.fleece_printed = True  # the pipe is full, and the stream keeps the line for its next flush
        except Exception:  # noqa: BLE001 (whatever is wrong with the stream)
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Try stderr, once, for a line that the stream has not taken; never raise."""
        stream = sys.stderr
        if stream is self.stream:
            return
        with contextlib.suppress(Exception):  # there is nowhere left to say so
            stream.write(ascii_only(record.getMessage()) + "\n")
            stream.flush()
            record.fleece_printed = True

    def flush(self) -> None:
        """Flush the stream; never raise."""
        with contextlib.suppress(Exception):  # closed, or gone: at exit there is nothing to do about it
            self.stream.flush()


def clobber_root_handlers() -> None:
    """Take off the root logger what would print lines again: handlers on stdout and stderr, and Lambda's own.

    Others, and those that fleece has set up, stay.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        if is_console(handler):
            root.removeHandler(handler)


def is_console(handler: logging.Handler) -> bool:
    """Whether a handler that is not fleece's writes to where Lambda reads a function's lines."""
    if type(handler).__name__.startswith("LambdaLogger"):
        return True  # of AWS's runtime client, which real Lambdas and local ones import under different names
    stream = getattr(handler, "stream", None) if isinstance(handler, logging.StreamHandler) else None
    return stream is not None and stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
