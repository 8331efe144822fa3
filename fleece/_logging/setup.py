"""Standard `logging`, set up so that every record of the process becomes a line."""

from __future__ import annotations

import logging
import threading

from fleece._defaults import defaults
from fleece._logging.handler import LineHandler, clobber_root_handlers, is_console
from fleece._logging.line import LineSettings, level_number
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


def take_over_root(level: int, stream: TextIO | None, logger_factory: Callable[..., Any] | None) -> None:
    """Make one line handler the root logger's only one on the console."""
    root = logging.getLogger()
    with _lock():
        _prepare()
        former = [handler for handler in root.handlers if isinstance(handler, LineHandler)]
        clobber_root_handlers()
        root.addHandler(LineHandler(stream, logger_factory))
        for handler in former:
            root.removeHandler(handler)
        set_level(root, level)


def ensure_root(clobber: bool) -> LineHandler | None:
    """Take over the root logger if that has not been done, and return its line handler.

    Without `clobber`, handlers on the console stay: they print the lines, and the root logger gets no handler more.
    """
    root = logging.getLogger()
    with _lock():
        is_first = _prepare()
        if line_handler(root) is None:
            if clobber or not any(is_console(handler) for handler in root.handlers):
                take_over_root(level_number(None), None, None)
            elif is_first:
                set_level(root, level_number(None))
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


def _prepare() -> bool:
    """Have records made as lines, by what the environment says now; return whether this is the first time."""
    defaults.forget(SETTINGS)
    defaults.resource(SETTINGS, LineSettings)
    return install_record_factory()


def _lock() -> AbstractContextManager[Any]:
    return defaults.resource("fleece.log set-up", threading.RLock)
