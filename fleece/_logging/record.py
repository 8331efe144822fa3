"""A log record whose message is its line, so that every handler of every logger gets the line.

`logging` makes all records by one factory. With `LineRecord` in that place, whatever a handler does to get a record's
text (its own formatter, none, or ``getMessage()``) leads to the line.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Mapping

from fleece._defaults import defaults
from fleece._logging import context
from fleece._logging.encoding import text_of
from fleece._logging.invocation import current_ids
from fleece._logging.line import OWN_KEYS, LineSettings, lambda_level, line, renamed
from fleece._logging.origin import (
    COMMON,
    HAS_MORE,
    HAS_TASKS,
    STANDARD,
    START,
    common_attributes,
    file_and_module,
    process_name,
    task_name,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from fleece._logging.line import Ids

    ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, Any] | tuple[None, None, None]

SETTINGS = "fleece.log line settings"
"""The name of the process-wide `LineSettings`, which are read again from the environment at each set-up."""

_NOT_EXTRA = STANDARD | {"message", "asctime"}
_REST = 1000
"""Characters of the event that are left of a record that cannot be written."""

_NO_TRACES: Mapping[str, str] = {}


class LineRecord(logging.LogRecord):
    """A record that renders itself as a line, with the fields that applied where it was made.

    Attributes:
        fleece_fields: the program's fields: of the context, of the logger and of the call.
        fleece_ids: the fields of the invocation.
        fleece_exc_info: the exception, moved here from `exc_info` when its text went into the line.
        fleece_printed: whether one of fleece's own handlers has written it.
    """

    # Slots, because what is in __dict__ is taken for somebody's extra fields, and pickled by socket handlers.
    __slots__ = ("_traces", "fleece_exc_info", "fleece_fields", "fleece_ids", "fleece_printed")

    fleece_fields: Mapping[str, Any]
    fleece_ids: Ids
    fleece_exc_info: ExcInfo | None
    fleece_printed: bool
    _traces: Mapping[str, str]

    def __init__(
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: object,
        args: Any,
        exc_info: ExcInfo | None,
        func: str | None = None,
        sinfo: str | None = None,
        **_kwargs: Any,
    ) -> None:
        # What the standard class does, in half of the time.
        if args and len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
            args = args[0]
        self.__dict__ = defaults.resource(COMMON, common_attributes).copy()
        self.name = name
        self.msg = msg
        self.args = args
        self.levelname = logging.getLevelName(level)
        self.levelno = level
        self.pathname = pathname
        self.filename, self.module = file_and_module(pathname)
        self.exc_info = exc_info
        self.stack_info = sinfo
        self.lineno = lineno
        self.funcName = func  # type: ignore[assignment]  # as the standard class does
        self.created = created = time.time()
        self.msecs = created % 1 * 1000 // 1
        self.relativeCreated = (created - START) * 1000
        if logging.logThreads:
            self.thread = threading.get_ident()
            self.threadName = threading.current_thread().name
        if not logging.logProcesses:
            self.process = None
        if not logging.logMultiprocessing or "multiprocessing" in sys.modules:
            self.processName = process_name()
        if HAS_TASKS and "asyncio" in sys.modules:
            self.taskName = task_name()
        if HAS_MORE:
            self.__dict__ |= vars(logging.LogRecord(name, level, pathname, lineno, msg, args, exc_info, func, sinfo))
        self.fleece_fields = context.fields.get()
        self.fleece_ids = current_ids()
        self.fleece_exc_info = None
        self.fleece_printed = False
        self._traces = _NO_TRACES

    @classmethod
    def of(cls, record: logging.LogRecord) -> LineRecord:
        """Return a record made by some other factory as a `LineRecord`."""
        if isinstance(record, cls):
            return record
        made = cls(record.name, record.levelno, "", 0, "", (), None)
        vars(made).update(vars(record))
        return made

    def getMessage(self) -> str:  # noqa: N802 (logging's name for it)
        """Return the line.

        It is made anew for each handler, because handlers' filters may change the record (to hide a secret, say).
        """
        try:
            fields = self.fleece_fields
        except AttributeError:
            return str(self.msg)  # a copy of a record, whose message is the finished line
        try:
            text = self._render(fields)
            if type(self.msg) is not str and issubclass(type(self.msg), Mapping):
                # Handlers such as watchtower's write a message that is a mapping themselves, past any formatter.
                self._finish(text)
        except Exception:  # noqa: BLE001 (a log call never raises)
            # Somebody has put on the record what no record has: a time that is none, say.
            return line(text_of(self.msg)[:_REST], "error", text_of(self.name), time.time(), self.fleece_ids, {})
        return text

    def __getstate__(self) -> dict[str, Any]:
        """Copy and pickle the record as its text: handlers' queues must not carry tracebacks and live objects."""
        return {**vars(self), "msg": self.getMessage(), "args": None}

    def _finish(self, text: str) -> None:
        self.msg, self.args = text, None
        del self.fleece_fields

    def _render(self, fields: Mapping[str, Any]) -> str:
        settings = defaults.resource(SETTINGS, LineSettings)
        event = self.msg
        if self.args or type(event) is not str:
            event, fields = self._event(fields)
        if len(self.__dict__) != len(STANDARD):
            fields = renamed({**fields, **self._extra()})
        elif not OWN_KEYS.isdisjoint(fields):
            fields = renamed(fields)
        if self.exc_info or self.exc_text or self.stack_info:
            self._take_traces()
        if self._traces:
            fields = {**fields, **self._traces}
        level = lambda_level(self.levelno) if settings.lambda_levels else self.levelname.lower()
        return line(event, level, self.name, self.created, self.fleece_ids, fields, settings.longest)

    def _event(self, fields: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
        """Return the event, and the fields with the arguments that could not be put into it."""
        message, args = self.msg, self.args
        if not args:
            # By its type, because __class__ is the object's own and may raise.
            is_json = issubclass(type(message), (str, dict, list))
            return message if is_json else text_of(message), fields
        try:
            return str(message) % args, fields
        except Exception:  # noqa: BLE001 (a bad format, or an argument's own __str__)
            return text_of(message), {"positional_args": args, **fields}

    def _extra(self) -> dict[str, Any]:
        """Return what callers (``extra=``) and filters have put on the record."""
        extra = {name: value for name, value in vars(self).items() if name not in _NOT_EXTRA}
        return {**extra.pop("fleece_fields", {}), **extra}

    def _take_traces(self) -> None:
        """Move exception and stack off the record's standard attributes: a formatter would print them once more."""
        if self.exc_info:
            self.fleece_exc_info = self.exc_info
            self.exc_text = exception_text(self.exc_info)
        traces = {"exception": self.exc_text, "stack": self.stack_info}
        self._traces = {**self._traces, **{name: text for name, text in traces.items() if text}}
        self.exc_info = self.exc_text = self.stack_info = None


def exception_text(exc_info: ExcInfo) -> str | None:
    """Return the traceback of an exception and of those it came from; ``None`` when there is no exception."""
    if exc_info[1] is None:
        return None
    try:
        return "".join(traceback.format_exception(*exc_info)).rstrip("\n")
    except Exception:  # noqa: BLE001 (the exception's own methods run in there)
        return text_of(exc_info[1])


class _AfterAnother:
    """The record factory where the program has one of its own."""

    def __init__(self, previous: Callable[..., logging.LogRecord]) -> None:
        self._previous = previous

    def __call__(self, *args: Any, **kwargs: Any) -> LineRecord:
        return LineRecord.of(self._previous(*args, **kwargs))


def install_record_factory() -> bool:
    """Have `logging` make records that are lines; return whether it did not do so yet."""
    previous = logging.getLogRecordFactory()
    if previous is LineRecord or isinstance(previous, _AfterAnother):
        return False
    logging.setLogRecordFactory(LineRecord if previous is logging.LogRecord else _AfterAnother(previous))
    return True
