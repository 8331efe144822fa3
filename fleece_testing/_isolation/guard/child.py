"""What a child of the session does when it starts, before any of its own code."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

from .hook import Guard
from .places import COPY

REPORT = "attempts.jsonl"


def start(folder: str) -> None:
    """Put up the guard, and let the interpreter start as it would have without it.

    Args:
        folder: the folder on ``PYTHONPATH`` that this package and a ``sitecustomize`` are in.
    """
    Guard(os.path.join(folder, REPORT)).start()  # noqa: PTH118 (pathlib costs every child its import)
    # Those of sessions around this one as well, such as pytest-xdist's: the innermost has put itself first.
    sys.path[:] = [entry for entry in sys.path if not os.path.isdir(os.path.join(entry, COPY))]  # noqa: PTH112, PTH118
    # Python runs the first sitecustomize that it finds, which was the guard's; here is the one that it hides.
    hidden = PathFinder.find_spec("sitecustomize", sys.path)
    if hidden is not None and hidden.loader is not None:
        sys.modules["sitecustomize"] = module = module_from_spec(hidden)
        hidden.loader.exec_module(module)
