"""The start of a program on a terminal."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_SCRIPT = Path(__file__).with_name("_on_terminal.py")


def launch(
    arguments: Sequence[str | bytes],
    terminal: int,
    *,
    folder: Path,
    environment: Mapping[str, str],
    stdin: bytes | None,
    pipes: Collection[str],
) -> subprocess.Popen[bytes]:
    """Start a program that leads a session of its own, whose terminal is the one that `terminal` is open at.

    Raises:
        FileNotFoundError: there is no such program.
    """
    program = shutil.which(os.fsdecode(arguments[0]), path=environment.get("PATH"))
    if program is None:
        raise FileNotFoundError(f"there is no program {arguments[0]!r} on the PATH to run on a terminal")
    with contextlib.ExitStack() as stack:
        input_ = terminal
        if stdin is not None:
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(stdin)
            file.seek(0)
            input_ = file.fileno()
        return subprocess.Popen(  # noqa: S603 (the tester's own program)
            [sys.executable, "-I", "-S", str(_SCRIPT), str(terminal), program, *arguments],
            bufsize=0,
            stdin=input_,
            stdout=subprocess.PIPE if "stdout" in pipes else terminal,
            stderr=subprocess.PIPE if "stderr" in pipes else terminal,
            cwd=folder,
            env=environment,
            pass_fds=[terminal],
            start_new_session=True,
        )
