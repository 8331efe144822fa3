"""Becoming another program: its arguments untouched, its signals and its exit code its own."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.errors import CommandError, NotExecutableError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COERCED = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})


def inherited() -> dict[str, str]:
    """Return this process's variables as it was given them.

    Where there is no locale, or the C locale, Python sets ``LC_CTYPE`` for itself (PEP 538), which is not for others.
    """
    variables = dict(os.environ)
    if variables.get("LC_CTYPE") not in _COERCED:
        return variables
    try:
        given = Path("/proc/self/environ").read_bytes()
    except OSError:  # not Linux: nobody can tell
        return variables
    before = dict(entry.split(b"=", 1) for entry in given.split(b"\0") if entry.startswith(b"LC_CTYPE="))
    del variables["LC_CTYPE"]
    return variables | {os.fsdecode(name): os.fsdecode(value) for name, value in before.items()}


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
    except ValueError:
        # Its text stays out: it may quote a secret.
        raise CommandError(
            f"{name}: an argument or a variable has a character that no program can be given: "
            "NUL, or one that the locale has no bytes for"
        ) from None
    except OSError as error:
        raise _failure(name, environ, error) from error


def _failure(name: str, environ: Mapping[str, str], error: OSError) -> CommandError:
    """Return what to tell of a program that does not start."""
    in_path = isinstance(error, NotADirectoryError) and "/" not in name  # the PATH has a file in it
    if isinstance(error, FileNotFoundError) or in_path:
        import shutil  # noqa: PLC0415 (most programs do start)

        if shutil.which(name, path=environ.get("PATH", os.defpath)) is None:
            return NotFoundError(f"{name}: command not found")
        return NotFoundError(f"{name}: the program that its first line names, or its loader, is not there")
    hint = " (a script needs a first line such as #!/bin/sh)" if error.errno == errno.ENOEXEC else ""
    return NotExecutableError(f"{name}: cannot be executed: {error.strerror}{hint}")


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
