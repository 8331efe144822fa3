"""Where in somebody's code a call comes from: the line that tried, not the library's line that called the socket."""

from __future__ import annotations

import os
import sys
from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any

COPY = "_fleece_guard"  # the name of this package in the children

_GUARDS = (os.path.dirname(__file__), os.path.join(os.sep, COPY, ""))  # noqa: PTH118, PTH120 (pathlib's import is slow)
_OF_PYTHON = os.path.dirname(os.__file__)  # noqa: PTH120
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}", os.path.dirname(sys.executable))  # noqa: PTH120

Place = namedtuple("Place", ["file", "line", "function"])  # noqa: PYI024 (as above: typing's import)


def this_frame() -> FrameType:
    """Return the frame of the caller."""
    return sys._getframe(1)  # noqa: SLF001 (documented; the inspect module's way to it costs its import)


def own_place(frame: FrameType | None) -> Place | None:
    """Return the innermost line, from `frame` outwards, that belongs to neither Python nor an installed package."""
    return next((_place(frame) for frame in _outwards(frame) if not _is_installed(frame)), None)


def any_place(frame: FrameType) -> Place:
    """Return the innermost line of an installed package, or of Python where there is none."""
    places = [_place(frame) for frame in _outwards(frame)]
    return next((place for place in places if not _is_pythons(place.file)), places[0])


def place_of_lookup(name: str) -> Place | None:
    """Return the line that awaits asyncio's look-up of `name`, which is done by a thread that knows nothing of it.

    The task is found by what is on its stack: the event loop's own ``getaddrinfo``, of this very name.
    """
    for stack in _stacks_of_tasks():
        if any(frame.f_code.co_name == "getaddrinfo" and frame.f_locals.get("host") == name for frame in stack):
            return next((_place(frame) for frame in stack if not _is_installed(frame)), None)
    return None


def tunnelled_to(frame: FrameType) -> str | None:
    """Return the host for which an HTTPS connection of the standard library goes to a proxy, as urllib3's do too."""
    connections = (one.f_locals.get("self") for one in _outwards(frame) if one.f_code.co_name == "connect")
    return next(filter(None, (getattr(connection, "_tunnel_host", None) for connection in connections)), None)


def _stacks_of_tasks() -> Iterator[list[FrameType]]:
    """Give what each task of each running event loop is in the middle of, innermost first."""
    for frame in sys._current_frames().values() if "asyncio" in sys.modules else ():  # noqa: SLF001 (documented)
        stack = list(_outwards(frame))
        for loop in [one.f_locals.get("self") for one in stack if one.f_code.co_name == "run_forever"]:
            yield stack  # of the task that has not got as far as waiting
            yield from (_awaited(task.get_coro()) for task in sys.modules["asyncio"].all_tasks(loop))


def _awaited(coroutine: Any) -> list[FrameType]:
    """Return the frames of a suspended coroutine and of what it awaits, innermost first."""
    frames: list[FrameType] = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        frames = [frame, *frames] if frame else frames
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return frames


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        file = frame.f_code.co_filename
        if not (file.startswith("<frozen") or any(guard in file for guard in _GUARDS)):
            yield frame
        frame = frame.f_back


def _place(frame: FrameType) -> Place:
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def _is_installed(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    return _is_pythons(file) or any(folder in file for folder in _INSTALLED)


def _is_pythons(file: str) -> bool:
    return file.startswith(_OF_PYTHON) and not any(folder in file for folder in _INSTALLED[:2])
