"""The command within this process: quick, and open to a debugger and to coverage.

What a process has one of (environment, working folder, standard streams, signal handlers, logging, fleece's defaults)
is as a new process has it while the command runs, and put back as it was afterwards.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import logging
import os
import signal
import threading
from typing import TYPE_CHECKING, Any, NoReturn
from unittest import mock

import click.formatting
from click.testing import CliRunner

from fleece._defaults import Settings, defaults
from fleece.cli.main import exit_code_of
from fleece_testing.command_line._result import Result, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_COLUMNS = "80"  # what a process without a terminal takes the width for


class _BecomesAnotherError(BaseException):
    """The command is about to become another program; no part of it takes this for a failure of its own."""


def run(arguments: Sequence[str | bytes], stdin: bytes, environment: Mapping[str, str], folder: Path) -> Result:
    """Run the command to its end.

    Raises:
        RuntimeError: it would become another program, and this process with it.
    """
    try:
        return _run(tuple(arguments), stdin, environment, folder)
    except _BecomesAnotherError as error:
        what = f"fleece would become the program {os.fsdecode(error.args[0])!r}, and the tests with it"
    raise RuntimeError(f"{what}: run it as a child, with in_process=False")


def _run(arguments: tuple[str | bytes, ...], stdin: bytes, environment: Mapping[str, str], folder: Path) -> Result:
    with contextlib.ExitStack() as stack:
        stack.enter_context(_working_in(folder))
        stack.enter_context(mock.patch.dict(os.environ, {"COLUMNS": _COLUMNS, **environment}, clear=True))
        stack.enter_context(_own_logging())
        stack.enter_context(_signals_as_found())
        stack.enter_context(_fleece_as_new())
        for name in ("execv", "execve"):  # which the others call
            stack.enter_context(mock.patch.object(os, name, functools.partial(_refuse, getattr(os, name))))
        stdout, stderr, _ = stack.enter_context(CliRunner().isolation(stdin))
        # The runner has help 80 columns wide, where the command leaves two at the edge.
        stack.enter_context(mock.patch.object(click.formatting, "FORCED_WIDTH", None))
        given = [os.fsdecode(argument) for argument in arguments]
        exit_code = contextvars.copy_context().run(exit_code_of, given)
        return Result(arguments, text_of(stdout.getvalue()), text_of(stderr.getvalue()), exit_code)


def _refuse(execute: Callable[..., NoReturn], program: str | bytes, *arguments: Any) -> NoReturn:
    if os.path.isfile(program) and os.access(program, os.X_OK):  # noqa: PTH113 (bytes as well)
        raise _BecomesAnotherError(program)
    execute(program, *arguments)  # fails, as it should


@contextlib.contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = os.getcwd()  # noqa: PTH109 (as it is, not resolved)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _fleece_as_new() -> Iterator[None]:
    """Give the command fleece's own defaults, and no session that has read another environment."""
    defaults.forget("cli.session")
    try:
        with defaults.override(**Settings()._asdict()):
            yield
    finally:
        defaults.forget("cli.session")


@contextlib.contextmanager
def _signals_as_found() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():  # no other can set any
            for number, handler in before.items():
                if handler is not None and signal.getsignal(number) is not handler:
                    signal.signal(number, handler)


@contextlib.contextmanager
def _own_logging() -> Iterator[None]:
    root = logging.getLogger()
    factory = logging.getLogRecordFactory()
    before = {one: (one.level, one.propagate, one.disabled, one.handlers[:]) for one in (root, *_loggers())}
    root.handlers[:] = []
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logging.setLogRecordFactory(factory)
        for one in (root, *_loggers()):
            level, one.propagate, one.disabled, one.handlers[:] = before.get(one, (logging.NOTSET, True, False, []))
            one.setLevel(level)


def _loggers() -> list[logging.Logger]:
    known = list(logging.Logger.manager.loggerDict.values())
    return [one for one in known if isinstance(one, logging.Logger)]
