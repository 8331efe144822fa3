"""The logger that a program calls: a standard logger, with structlog's way of binding and giving fields."""

from __future__ import annotations

import logging
import sys
import traceback
from logging import CRITICAL, DEBUG, ERROR, INFO, WARNING

from fleece._logging.arguments import require
from fleece._logging.encoding import text_of
from fleece._logging.line import level_number
from fleece._logging.record import LineRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType
    from typing import Any

    from fleece._logging.record import ExcInfo

_NO_EVENT: Any = object()


class BoundLogger:
    """A standard logger with fields bound to it.

    The methods that log take ``%`` arguments, fields as keywords, and the standard ``exc_info``, ``stack_info``,
    ``stacklevel`` and ``extra``; they never raise. Everything else that a standard logger has (``addHandler``,
    ``setLevel``, ``isEnabledFor``, ``handlers``, ``name``, ...) is the standard logger's own.

    Examples:
        >>> log = get_logger(__name__).bind(user=7)
        >>> log.info("stored %d of them", 3, bucket="photos")
        {"event": "stored 3 of them", "level": "info", ..., "user": 7, "bucket": "photos"}
    """

    __slots__ = ("_fields", "_levels", "_logger")

    _fields: Mapping[str, Any]
    _levels: Mapping[int, bool]
    _logger: logging.Logger

    def __init__(self, logger: logging.Logger, fields: Mapping[str, Any]) -> None:
        object.__setattr__(self, "_logger", logger)
        object.__setattr__(self, "_fields", fields)
        # What `isEnabledFor` remembers of its answers, until any level is changed.
        object.__setattr__(self, "_levels", getattr(logger, "_cache", {}))

    if TYPE_CHECKING:
        name: str
        level: int
        parent: logging.Logger | None
        propagate: bool
        disabled: bool
        handlers: list[logging.Handler]
        filters: list[Any]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._logger, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._logger, name, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._logger.name} {text_of(dict(self._fields))}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._logger, self._fields)

    def bind(self, **fields: Any) -> BoundLogger:
        """Return a logger with these fields besides the ones bound already; this one stays as it is."""
        return BoundLogger(self._logger, {**self._fields, **fields})

    def new(self, **fields: Any) -> BoundLogger:
        """Return a logger with these fields only."""
        return BoundLogger(self._logger, fields)

    def unbind(self, *names: str) -> BoundLogger:
        """Return a logger without these fields.

        Raises:
            KeyError: one of them is not bound.
        """
        for name in names:
            self._fields[name]
        return self.try_unbind(*names)

    def try_unbind(self, *names: str) -> BoundLogger:
        """Return a logger without these fields; names that are not bound are ignored."""
        return BoundLogger(self._logger, {name: value for name, value in self._fields.items() if name not in names})

    def getChild(self, suffix: str) -> BoundLogger:  # noqa: N802 (logging's name for it)
        """Return the logger of that name below this one, with the same fields."""
        return BoundLogger(self._logger.getChild(suffix), self._fields)

    # A level that is known to be off is asked for here: a call that is filtered out costs no other call.

    def debug(self, event: object = _NO_EVENT, /, *args: object, **fields: Any) -> None:
        """Log at ``DEBUG``."""
        if self._levels.get(DEBUG, True):
            _log(self._logger, self._fields, DEBUG, event, args, fields)

    def info(self, event: object = _NO_EVENT, /, *args: object, **fields: Any) -> None:
        """Log at ``INFO``."""
        if self._levels.get(INFO, True):
            _log(self._logger, self._fields, INFO, event, args, fields)

    def warning(self, event: object = _NO_EVENT, /, *args: object, **fields: Any) -> None:
        """Log at ``WARNING``."""
        if self._levels.get(WARNING, True):
            _log(self._logger, self._fields, WARNING, event, args, fields)

    def error(self, event: object = _NO_EVENT, /, *args: object, **fields: Any) -> None:
        """Log at ``ERROR``."""
        if self._levels.get(ERROR, True):
            _log(self._logger, self._fields, ERROR, event, args, fields)

    def critical(self, event: object = _NO_EVENT, /, *args: object, **fields: Any) -> None:
        """Log at ``CRITICAL``."""
        if self._levels.get(CRITICAL, True):
            _log(self._logger, self._fields, CRITICAL, event, args, fields)

    def exception(self, event: object = _NO_EVENT, /, *args: object, **fields: Any) -> None:
        """Log at ``ERROR``, with the exception that is being handled."""
        if self._levels.get(ERROR, True):
            _log(self._logger, self._fields, ERROR, event, args, {"exc_info": True, **fields})

    def log(self, level: int | str, event: object = _NO_EVENT, /, *args: object, **fields: Any) -> None:
        """Log at a level given by number or name; at ``ERROR`` when there is no such level."""
        try:
            number = level_number(level)
        except Exception:  # noqa: BLE001 (a log call never raises)
            number = ERROR
        if self._levels.get(number, True):
            _log(self._logger, self._fields, number, event, args, fields)

    warn = warning
    fatal = critical


def _log(
    logger: logging.Logger,
    bound: Mapping[str, Any],
    level: int,
    event: object,
    args: tuple[object, ...],
    fields: dict[str, Any],
) -> None:
    """Make the record of a call, and hand it on; called by the methods that log, and by them only.

    A function, because looking up an attribute is slow on an object that hands unknown ones on.
    """
    if not logger.isEnabledFor(level):
        return
    frame = sys._getframe(2)  # noqa: SLF001 (as `logging` does: the caller of the method that logs)
    exc_info = stack = None
    if not _SPECIAL.isdisjoint(fields):
        frame, exc_info, stack, fields = _special(frame, fields)
    if event is _NO_EVENT:
        event = fields.pop("event", "")
    code = frame.f_code
    file, line, function = code.co_filename, frame.f_lineno, code.co_name
    try:
        record = logger.makeRecord(logger.name, level, file, line, event, args, exc_info, function, None, stack)
    except Exception:  # noqa: BLE001 (LogRecord looks into the arguments, which are anything)
        record = logger.makeRecord(logger.name, level, file, line, event, (), exc_info, function, None, stack)
        fields = {"positional_args": args, **fields}
    if type(record) is not LineRecord:
        record = LineRecord.of(record)
    record.fleece_fields = {**record.fleece_fields, **bound, **fields}
    # Only from here may anything be raised, by a handler that is told to (RetryHandler).
    if type(logger) is logging.Logger and not logger.filters:
        logger.callHandlers(record)  # what the standard `handle` comes to
    else:
        logger.handle(record)


def binding(logger: Any) -> Any:
    """Return a logger that takes fields: the one given, or one around it when it is a standard logger or adapter.

    Raises:
        TypeError: it is no logger.
    """
    fields: dict[str, Any] = {}
    innermost = logger
    while isinstance(innermost, logging.LoggerAdapter):
        fields = {**(innermost.extra or {}), **fields}
        innermost = innermost.logger
    if hasattr(innermost, "bind"):
        return innermost.bind(**fields) if fields else innermost
    require(isinstance(innermost, logging.Logger), "logger", "one of fleece's, structlog's or logging's", logger)
    return BoundLogger(innermost, fields)


_SPECIAL = frozenset({"exc_info", "stacklevel", "stack_info", "extra"})


def _special(frame: FrameType, fields: dict[str, Any]) -> tuple[FrameType, ExcInfo | None, str | None, dict[str, Any]]:
    """Take out of the fields what `logging` gives a meaning: return the caller, the exception, its stack, the rest."""
    exc_info = exc_info_of(fields.pop("exc_info", None))
    stacklevel = fields.pop("stacklevel", 1)
    while type(stacklevel) is int and stacklevel > 1 and frame.f_back is not None:
        frame, stacklevel = frame.f_back, stacklevel - 1
    stack = stack_text(frame) if _is_true(fields.pop("stack_info", False)) else None
    extra = fields.pop("extra", None)
    if extra is not None:
        try:
            fields = {**extra, **fields}
        except Exception:  # noqa: BLE001 (not a mapping: kept as what it is)
            fields = {"extra": extra, **fields}
    return frame, exc_info, stack, fields


def exc_info_of(value: Any) -> ExcInfo | None:
    """Read the argument as `logging` does: an exception, a triple, or anything true for the one being handled."""
    if issubclass(type(value), BaseException):
        return type(value), value, value.__traceback__
    if type(value) is tuple and len(value) == 3:  # noqa: PLR2004 (type, value, traceback)
        return value
    return sys.exc_info() if _is_true(value) else None


def stack_text(frame: FrameType) -> str:
    """Return the stack down to a frame, as `logging` writes it."""
    return "Stack (most recent call last):\n" + "".join(traceback.format_stack(frame)).rstrip("\n")


def _is_true(value: object) -> bool:
    try:
        return bool(value)
    except Exception:  # noqa: BLE001 (an array of numbers, say: it is something)
        return True
