"""Loggers of structlog whose lines are fleece's; imported only when a program asks for one."""

from __future__ import annotations

import logging
import sys
from typing import Any

from fleece._errors import FleeceError
from fleece._logging.logger import exc_info_of, stack_text
from fleece._logging.record import LineRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

_LEVELS = {
    "debug": logging.DEBUG,
    "warning": logging.WARNING,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "err": logging.ERROR,
    "exception": logging.ERROR,
    "failure": logging.ERROR,
    "critical": logging.CRITICAL,
    "fatal": logging.CRITICAL,
}
"""By the names of structlog's methods; those that are not here (``msg``) log at INFO."""


def structlog_logger(
    name: str | None, logger_factory: Callable[..., Any] | None, wrapper_class: type[Any] | None
) -> Any:
    """Return a structlog logger that writes fleece's lines to whatever `logger_factory` makes.

    structlog's own configuration, which is the application's, is neither used nor changed.

    Raises:
        FleeceError: structlog is not installed.
    """
    try:
        import structlog  # noqa: PLC0415 (only those who ask for it need to have it)
    except ImportError as missing:
        raise FleeceError(
            "logger_factory and wrapper_class are structlog's, which is not installed: pip install structlog"
        ) from missing
    lines = _Lines(name)
    return structlog.wrap_logger(
        (logger_factory or logging.getLogger)(name),
        processors=[lines.drop, structlog.contextvars.merge_contextvars, lines.render],
        wrapper_class=wrapper_class or structlog.stdlib.BoundLogger,
        context_class=dict,
    ).bind()


class _Lines:
    """The processors of one logger."""

    def __init__(self, name: str | None) -> None:
        self._standard = logging.getLogger(name)

    def drop(self, logger: Any, method: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # noqa: ARG002
        """Drop what the level of the standard logger of this name filters out."""
        if not self._standard.isEnabledFor(_LEVELS.get(method, logging.INFO)):
            from structlog import DropEvent  # noqa: PLC0415

            raise DropEvent
        return event_dict

    def render(self, logger: Any, method: str, event_dict: MutableMapping[str, Any]) -> Any:
        """Return what structlog calls the logger with: a record's arguments for a standard one, else the line."""
        event = event_dict.pop("event", None)
        args = event_dict.pop("positional_args", ())
        exc_info = exc_info_of(event_dict.pop("exc_info", method == "exception"))
        stack_info = bool(event_dict.pop("stack_info", False))
        if isinstance(logger, logging.Logger):
            extra = {"fleece_fields": dict(event_dict)}
            return (event, *args), {"exc_info": exc_info, "stack_info": stack_info, "extra": extra}
        stack = stack_text(sys._getframe(1)) if stack_info else None  # noqa: SLF001 (the way to a stack)
        record = LineRecord(
            self._standard.name, _LEVELS.get(method, logging.INFO), "", 0, event, args, exc_info, None, stack
        )
        record.fleece_fields = {**record.fleece_fields, **event_dict}
        line = record.getMessage()
        return line.encode() if type(logger).__name__ == "BytesLogger" else line
