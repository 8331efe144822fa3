"""Becoming another program: its arguments untouched, its signals and its exit code its own."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from fleece.cli.errors import CommandError, NotExecutableError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def shell(command: str) -> list[str]:
    """Return the arguments that run a command line in the system's shell."""
    if os.name == "nt":
        return [os.environ.get("COMSPEC", "cmd.exe"), "/c", command]
    return ["/bin/sh", "-c", command]


def execute(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Become the program that `arguments` name, with exactly these arguments and variables.

    Where there is no ``exec`` (on Windows), run it as a child and return its exit code.

    Raises:
        NotFoundError: there is no such program; on the ``PATH`` of `environ`, if the name has no slash.
        NotExecutableError: it cannot be executed.
        CommandError: an argument or a variable cannot be passed on.
    """
    name = arguments[0]
    if not name:
        raise NotFoundError("the name of the command to run is empty")
    # Neither must lose what is still buffered.
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        if os.name != "posix":
            return spawn(arguments, environ)
        _restore_signals()
        os.execvpe(name, list(arguments), dict(environ))  # noqa: S606 (without a shell is the point)
    except FileNotFoundError:
        raise NotFoundError(f"{name}: command not found") from None
    except ValueError:
        # Its text stays out: it may quote a secret.
        raise CommandError(
            f"{name}: an argument or a variable has a character that no program can be given: "
            "NUL, or one that the locale has no bytes for"
        ) from None
    except OSError as error:
        if isinstance(error, NotADirectoryError) and "/" not in name:  # the PATH has a file in it
            raise NotFoundError(f"{name}: command not found") from None
        raise NotExecutableError(f"{name}: cannot be executed: {error.strerror}") from error


def spawn(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a program as a child and return its exit code; 128 and the signal's number when a signal ended it."""
    import subprocess  # noqa: PLC0415 (3 ms that most runs do not need)

    # Ctrl-C reaches the child as well, whose business it is. Not ignored, as the child would inherit that.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        code = subprocess.call(list(arguments), env=dict(environ))  # noqa: S603 (the user's own command)
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code


def _restore_signals() -> None:
    """Undo what Python does to signals at its start: what is ignored stays ignored through an ``exec``."""
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
