"""Where a user's files that can be made again are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def user_cache(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder ``fleece/NAME`` in the user's cache folder; it need not be there.

    That is ``XDG_CACHE_HOME`` where it is set, and the system's own folder for caches otherwise.

    Raises:
        RuntimeError: the user has no home folder.
    """
    named = Path(environ.get("XDG_CACHE_HOME", ""))
    # The specification of these folders says that a relative one is to be ignored.
    return (named if named.is_absolute() else _of_system(environ)) / "fleece" / name


def _of_system(environ: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path.home() / ".cache"
