"""Standard `logging`, set up so that every record of the process becomes a line."""

from __future__ import annotations

import logging
import os
import threading

from fleece._defaults import defaults
from fleece._logging.handler import LineHandler, clobber_root_handlers, is_console
from fleece._logging.line import LineSettings
from fleece._logging.record import SETTINGS, install_record_factory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any, TextIO

_CHATTY = ("botocore", "boto3", "s3transfer", "urllib3")
"""Loggers whose debug lines print secrets: parameters, headers and bodies of AWS calls."""


class _Quiet(int):
    """A level that a logger has from here: it follows the root's, until the program sets one of its own."""


def take_over_root(level: int | None, stream: TextIO | None, logger_factory: Callable[..., Any] | None) -> None:
    """Make one line handler the root logger's only one on the console; without a level, have the environment's."""
    root = logging.getLogger()
    with _lock():
        install_record_factory()
        settings = _read_settings()
        former = [handler for handler in root.handlers if isinstance(handler, LineHandler)]
        clobber_root_handlers()
        root.addHandler(LineHandler(stream, logger_factory))
        for handler in former:
            root.removeHandler(handler)
        set_level(root, settings.level if level is None else level)
        _tell_what_is_misread(settings)


def ensure_root(clobber: bool) -> LineHandler | None:
    """Take over the root logger if that has not been done, and return its line handler.

    Without `clobber`, handlers on the console stay: they print the lines, and the root logger gets no handler more.
    """
    root = logging.getLogger()
    with _lock():
        is_first = install_record_factory()
        settings = _read_settings()
        if line_handler(root) is None:
            if clobber or not any(is_console(handler) for handler in root.handlers):
                take_over_root(None, None, None)
            elif is_first:
                set_level(root, settings.level)
                _tell_what_is_misread(settings)
        return line_handler(root)


def line_handler(logger: logging.Logger) -> LineHandler | None:
    """Return the line handler that a logger itself has."""
    return next((handler for handler in logger.handlers if isinstance(handler, LineHandler)), None)


def set_stream(logger: logging.Logger, stream: TextIO) -> None:
    """Have a logger's lines go to a stream, and to no stream of the loggers above it."""
    with _lock():
        handler = line_handler(logger)
        if handler is None:
            logger.addHandler(LineHandler(stream))
        else:
            handler.fixed_stream = stream


def set_level(logger: logging.Logger, level: int) -> None:
    """Set a logger's level; with the root's, the chatty loggers get theirs."""
    logger.setLevel(level)
    if logger is not logger.root:
        return
    for name in _CHATTY:
        chatty = logging.getLogger(name)
        if chatty.level == logging.NOTSET or isinstance(chatty.level, _Quiet):
            chatty.setLevel(_Quiet(max(level, logging.INFO)))


def _read_settings() -> LineSettings:
    """Have lines made by what the environment says now."""
    defaults.forget(SETTINGS)
    return defaults.resource(SETTINGS, LineSettings)


def _tell_what_is_misread(settings: LineSettings) -> None:
    """Log one line in the life of the process for each variable that cannot be read."""
    told: set[str] = defaults.resource("fleece.log variables told of", set)
    for variable, taken in settings.misread.items():
        if variable not in told:
            told.add(variable)
            logging.getLogger("fleece.log").warning(
                "%s cannot be read: it is taken for %s", variable, taken, extra={"found": os.environ.get(variable)}
            )


def _lock() -> AbstractContextManager[Any]:
    return defaults.resource("fleece.log set-up", threading.RLock)
