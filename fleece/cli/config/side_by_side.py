"""Calls made side by side, in threads that nobody has to wait for: Ctrl-C ends the process at once."""

from __future__ import annotations

import gc
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def call_each(call: Callable[[Item], Answer], items: Sequence[Item], width: int) -> Iterator[Answer]:
    """Yield what `call` returns for each item, in order, `width` calls being under way at a time.

    The first in order that raises ends it: what it raised is raised here, once the calls under way have ended; the
    others are not made. What interrupts this thread in between, such as Ctrl-C, waits for no call.
    """
    calls = _Calls(call, items)
    threads = [threading.Thread(target=calls.work, daemon=True) for _ in range(min(width, len(items)))]
    for thread in threads:
        thread.start()
    # Nobody need look for garbage in what there was before, which takes a tenth of the time of short calls.
    gc.freeze()
    try:
        for answer in calls.answers:
            yield answer.result()
    except Exception:
        for thread in threads:
            thread.join()
        raise
    finally:
        gc.unfreeze()
        calls.drop()
    for thread in threads:
        thread.join()


class _Calls(Generic[Item, Answer]):
    """Calls that wait for a thread, and what has become of them."""

    def __init__(self, call: Callable[[Item], Answer], items: Sequence[Item]) -> None:
        self.answers: list[Future[Answer]] = [Future() for _ in items]
        self._call = call
        self._waiting: queue.SimpleQueue[tuple[Item, Future[Answer]]] = queue.SimpleQueue()
        for waiting in zip(items, self.answers, strict=True):
            self._waiting.put(waiting)

    def work(self) -> None:
        """Make calls until none waits."""
        while True:
            try:
                item, answer = self._waiting.get_nowait()
            except queue.Empty:
                return
            try:
                answer.set_result(self._call(item))
            except BaseException as error:  # noqa: BLE001 (raised again where the answer is asked for)
                self.drop()  # those before this one have begun: it is the first to raise, or one of them is
                answer.set_exception(error)

    def drop(self) -> None:
        """Make none of those that wait."""
        while True:
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                return
