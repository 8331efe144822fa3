"""Why an installer failed, in its own words: found in the last lines that it wrote. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleece.cli.build.processes import Finished

# uv draws its reasons as a tree: a cross, then branches.
_UV_ERROR = re.compile("\\s*\N{MULTIPLICATION SIGN}|error:")
_UV_DRAWING = re.compile(
    "[\\s\N{MULTIPLICATION SIGN}\N{BOX DRAWINGS LIGHT HORIZONTAL}-\N{BLACK RIGHT-POINTING TRIANGLE}]+"
)

_PACKAGE_MANAGER_ERROR = re.compile(r"(?:E|Error|error|No match for argument|No package)\b[: ]")

_OTHERS_ERROR = re.compile(r"\s*(?:\S+:\d+:\d+: (?:fatal )?error: |error: command |fatal: )")
"""What compilers, setuptools and git begin their reasons with; pip itself only says that something failed."""

_PIPS_FRAME = "error: subprocess-exited-with-error"
"""What pip says before it tells of a program that it ran, indented at first, and again at the end."""

_KILLED = 137
"""Exit code after SIGKILL, which in a container is mostly the kernel's, for want of memory."""


def of_installer(finished: Finished) -> str:
    """Return why pip or uv failed, in one line."""
    lines = _lines(finished)
    errors = [words.removeprefix("ERROR: ") for line in lines if (words := line.strip()).startswith("ERROR: ")]
    errors = [line for line in errors if not line.startswith("ResolutionImpossible")] or errors
    if errors == ["Exception:"]:  # a fault in pip, whose traceback follows
        errors = lines[-1:]
    others = next(([line.strip()] for line in lines if _OTHERS_ERROR.match(line)), [])
    if errors or others:
        return " / ".join(dict.fromkeys([*others, *errors]))
    if finished.exit_code == _KILLED:
        return "it was killed (exit code 137): perhaps there was not enough memory"
    if _PIPS_FRAME in lines:
        lines = lines[lines.index(_PIPS_FRAME) + 1 :]
    start = next((number for number, line in enumerate(lines) if _UV_ERROR.match(line)), -1)
    words = " ".join(lines[start:]) if lines else _silent(finished)
    return _UV_DRAWING.sub(" ", words).strip().removeprefix("error: ")


def of_package_manager(finished: Finished) -> str:
    """Return why a distribution's package manager failed, in one line."""
    lines = _lines(finished)
    errors = [line for line in lines if _PACKAGE_MANAGER_ERROR.match(line)]
    return " / ".join(errors or lines[-1:]) or _silent(finished)


def _lines(finished: Finished) -> list[str]:
    return [line for line in finished.tail if line.strip() and not line.lstrip().startswith("note: ")]


def _silent(finished: Finished) -> str:
    return f"it ended with exit code {finished.exit_code} and said nothing"
