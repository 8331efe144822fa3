"""The configuration as it was committed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from fleece.cli.config import document
from fleece.cli.config.source import Source
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

    from fleece.cli.config.document import Document

_SECONDS = 30


def at_head(path: Path) -> Document | None:
    """Return the configuration of git's HEAD; None when it is not there, or was no configuration then."""
    try:
        shown = subprocess.run(  # noqa: S603 (a name of the user's file)
            ["git", "show", f"HEAD:./{path.name}"],  # noqa: S607 (the user's git)
            cwd=path.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        return document.parse(Source.decode(str(path), shown.stdout))
    except (OSError, subprocess.SubprocessError, CommandError):
        return None
