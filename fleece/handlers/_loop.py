"""The event loop of a container: made at the first use, and alive as long as the thread that uses it."""

from __future__ import annotations

import asyncio
import selectors
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from fleece._defaults import defaults

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


class _Loop(asyncio.SelectorEventLoop):
    """A loop that can be closed in a forked child.

    Its selector is of the kind that keeps its state in this process. The default one keeps it in the kernel, where a
    child that closes its copy would change the parent's.
    """

    def __init__(self) -> None:
        # Windows, where functions are merely tried, has no such one, and no fork either.
        selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)
        super().__init__(selector())

    def __del__(self, _warn: Any = None) -> None:
        if not self.is_running():
            self.close()


class _Owner:
    """Closes its loop when nobody has the owner any more, as in a forked child, which drops its parent's.

    The loop refers to itself: left to the garbage collector, its sockets may come to their end before it does.
    """

    def __init__(self, loop: _Loop) -> None:
        self.loop = loop

    def __del__(self) -> None:
        if not self.loop.is_running():
            self.loop.close()


class _ThreadsLoop(threading.local):
    """A loop for each thread: Lambda handles one request at a time in each."""

    def __init__(self) -> None:
        self.owner = _Owner(_Loop())
        self.loop = self.owner.loop
        self.belongings: dict[object, Any] = {}


def require_no_running_loop() -> None:
    """Refuse to go on where an event loop is running already, which another one cannot do beside it.

    Raises:
        RuntimeError: an event loop is running in this thread.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "An event loop is running in this thread: call this from a synchronous Lambda handler, "
        "or in a thread of its own (await asyncio.to_thread(...))"
    )


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on the loop that all of this thread's requests share.

    It sees the context variables that the caller has set. Tasks that it leaves behind go on at the next call.
    """
    return _of_this_thread().loop.run_until_complete(coroutine)


def owner() -> object:
    """Return what keeps this thread's loop open as long as somebody has it."""
    return _of_this_thread().owner


def belongings() -> dict[object, Any]:
    """Return what is kept as long as this thread's loop, by what identifies that which it was made for."""
    return _of_this_thread().belongings


def _of_this_thread() -> _ThreadsLoop:
    return defaults.resource("fleece.handlers.loop", _ThreadsLoop)
