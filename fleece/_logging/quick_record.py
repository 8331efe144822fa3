"""Standard log records, made in less than half of the time.

`logging.LogRecord` takes a third of the time of a line: on things that hardly change (the file's name without its
folders, the names of process and task), and on a dict that grows with each of twenty attributes. Here every attribute
is set to what the standard class sets it to, in a dict that has room for all of them.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
import threading
import time
from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BLANK = logging.LogRecord("", logging.NOTSET, "", 0, "", (), None)
"""A record as this Python makes them, to see what it sets."""

_ATTRIBUTES = dict.fromkeys(vars(BLANK))
_HAS_TASKS = "taskName" in _ATTRIBUTES  # from Python 3.12
_START = BLANK.created - BLANK.relativeCreated / 1000  # when `logging` was loaded
_KNOWN = {
    "name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info", "exc_text",
    "stack_info", "lineno", "funcName", "created", "msecs", "relativeCreated", "thread", "threadName",
    "processName", "process", "taskName",
}  # fmt: skip


class QuickRecord(logging.LogRecord):
    """A `logging.LogRecord`."""

    def __init__(
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        func: str | None = None,
        sinfo: str | None = None,
        **_kwargs: Any,
    ) -> None:
        if args and len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
            args = args[0]
        self.__dict__ = _ATTRIBUTES.copy()
        self.name = name
        self.msg = msg
        self.args = args
        self.levelname = logging.getLevelName(level)
        self.levelno = level
        self.pathname = pathname
        self.filename, self.module = _file_and_module(pathname)
        self.exc_info = exc_info
        self.stack_info = sinfo
        self.lineno = lineno
        self.funcName = func  # type: ignore[assignment]  # as the standard class does
        self.created = created = time.time()
        self.msecs = created % 1 * 1000 // 1
        self.relativeCreated = (created - _START) * 1000
        self.thread = threading.get_ident() if logging.logThreads else None
        self.threadName = threading.current_thread().name if logging.logThreads else None
        self.processName = _process_name() if logging.logMultiprocessing else None
        self.process = os.getpid() if logging.logProcesses else None
        if _HAS_TASKS:
            self.taskName = _task_name()


if _ATTRIBUTES.keys() - _KNOWN:  # a Python to come, whose records have more
    QuickRecord = logging.LogRecord  # type: ignore[misc,assignment]


@functools.lru_cache(maxsize=1024)
def _file_and_module(pathname: str) -> tuple[str, str]:
    try:
        filename = os.path.basename(pathname)  # noqa: PTH119 (pathlib is not imported for this)
        return filename, os.path.splitext(filename)[0]  # noqa: PTH122
    except (TypeError, ValueError, AttributeError):  # somebody's own records have no path
        return pathname, "Unknown module"


def _process_name() -> str:
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is None:
        return "MainProcess"
    try:
        return str(multiprocessing.current_process().name)
    except Exception:  # noqa: BLE001 (half imported)
        return "MainProcess"


def _task_name() -> str | None:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or not getattr(logging, "logAsyncioTasks", True):
        return None
    try:
        return str(asyncio.current_task().get_name())
    except Exception:  # noqa: BLE001 (no loop, no task, half imported)
        return None
