"""The user's editor, run on a file with secrets in it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

_VARIABLES = ("FLEECE_EDITOR", "VISUAL", "EDITOR")
_DEFAULT = "vi"
_GRACE = 2.0  # seconds that an editor has to end in when it is told to
_VI = re.compile(r"[eglmr]*n?(?:vi|vimx?|view|ex|vim?diff)(?:\..*)?", re.IGNORECASE)
# No swap file, no list of files and registers; and nothing that a vimrc may have asked for.
_VIM_OPTIONS = ("-n", "-i", "NONE", "-c", "set noundofile nobackup nowritebackup noswapfile")


class EditorError(CommandError):
    """The editor cannot be run, or says that it has failed."""


@dataclasses.dataclass(frozen=True)
class Editor:
    """A program and its arguments, which come before the file's name."""

    arguments: tuple[str, ...]

    @property
    def name(self) -> str:
        """The program, as it was given."""
        return self.arguments[0]

    def run(self, path: Path) -> None:
        """Let the user edit a file.

        Raises:
            EditorError: the program could not be run, or ended with another code than 0.
            KeyboardInterrupt: it was ended by Ctrl-C.
        """
        try:
            code, interrupted = _wait([*self.arguments, *_without_traces(self.name), str(path)])
        except OSError as error:
            raise EditorError(f"the editor {self.name!r} cannot be run: {error.strerror}") from error
        if code and interrupted:
            raise KeyboardInterrupt
        if code:
            why = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
            raise EditorError(f"the editor {self.name!r} {why}: nothing was changed")


def find(given: str | None, environ: Mapping[str, str] = os.environ) -> Editor:
    """Return the editor that an option or a variable names, arguments included.

    Raises:
        UsageError: there is no such program.
    """
    text = next((one for one in (given, *map(environ.get, _VARIABLES)) if one and one.strip()), _DEFAULT)
    try:
        arguments = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"the editor {text!r} is no command: {error}") from error
    if shutil.which(arguments[0]) is None:
        raise UsageError(f"there is no editor {arguments[0]!r}; name one with --editor, FLEECE_EDITOR or EDITOR")
    return Editor(arguments)


def _without_traces(name: str) -> tuple[str, ...]:
    """Return the options with which an editor leaves no copies elsewhere; they are known of vi's descendants."""
    program = Path(shutil.which(name) or name)
    # Either may say what it is: `editor` is a link to vim.basic, and `vi` one to whatever.
    if not any(_VI.fullmatch(path.name) for path in (program, program.resolve())):
        return ()
    try:
        said = subprocess.run(  # noqa: S603 (the user's own editor)
            [name, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    # Of the others, one knows nothing of all this, and one would not start.
    return _VIM_OPTIONS if b"VIM" in said.stdout[:40] else ()


def _wait(arguments: list[str]) -> tuple[int, bool]:
    """Run a program; return its exit code, and whether somebody pressed Ctrl-C, which is the editor's business."""
    with _interrupts_noted() as noted, subprocess.Popen(arguments) as child:  # noqa: S603 (the user's own editor)
        try:
            child.wait()
        except BaseException:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GRACE)
            child.kill()
            raise
    return child.returncode, bool(noted)


@contextlib.contextmanager
def _interrupts_noted() -> Iterator[list[int]]:
    """Let SIGINT do no more than be noted: both programs get it. Not ignored, as the child would inherit that."""
    noted: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        noted.append(number)

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # only the main thread has signals
        yield noted
        return
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)
