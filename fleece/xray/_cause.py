"""An exception as the `cause` of a subsegment: its chain, with messages masked and stacks bounded; pure."""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from itertools import islice

from fleece.xray._context import generate_subsegment_id
from fleece.xray._redact import recordable_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any

MAX_EXCEPTIONS = 8
MAX_FRAMES = 50
_MAX_PATH = 500
# A `__str__` may be traced, and raise errors that have a `__str__`: each would ask all of its chain, and so on.
_asking: ContextVar[bool] = ContextVar("fleece.xray.asking", default=False)
_HERE = os.path.join(os.path.dirname(__file__), "")  # noqa: PTH118, PTH120 (pathlib is milliseconds of a cold start)


def cause_of(
    error: BaseException, *, remote: bool = False, new_id: Callable[[], str] = generate_subsegment_id
) -> dict[str, Any]:
    """Return the `cause` that tells of an exception and of those that it came from.

    Args:
        error: the exception, as it was caught.
        remote: whether it was another service that failed.
        new_id: makes the id of each exception, 16 hex digits.
    """
    chain = list(islice(_chain(error), MAX_EXCEPTIONS))
    ids = [new_id() for _ in chain]
    exceptions = [_exception(one, an_id, remote=remote) for one, an_id in zip(chain, ids, strict=True)]
    for exception, cause in zip(exceptions, ids[1:], strict=False):
        exception["cause"] = cause
    told: dict[str, Any] = {"exceptions": exceptions}
    with suppress(OSError):  # it may have been deleted
        told["working_directory"] = os.getcwd()[:_MAX_PATH]  # noqa: PTH109 (as above)
    return told


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions from `error` to its origin, as a traceback would tell of them."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ if one.__cause__ is not None or one.__suppress_context__ else one.__context__


def _exception(error: BaseException, an_id: str, *, remote: bool) -> dict[str, Any]:
    stack, more = _stack(error.__traceback__)
    told = {
        "id": an_id,
        "message": _message(error),
        "type": type(error).__name__,
        "remote": remote,
        "stack": stack,
    }
    if more:
        told["truncated"] = more
    return told


def _message(error: BaseException) -> str:
    if _asking.get():
        return "<no message: its __str__ is under way>"
    token = _asking.set(True)
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 (whatever somebody's own __str__ raises)
        return "<no message: its __str__ failed>"
    finally:
        _asking.reset(token)
    return recordable_text(message)


def _stack(trace: TracebackType | None) -> tuple[list[dict[str, Any]], int]:
    """Return the innermost frames, and how many more there are.

    The innermost comes first: it is what an answer to "where?" begins with.
    """
    count = 0
    innermost: deque[TracebackType] = deque(maxlen=MAX_FRAMES)
    while trace is not None:  # each of many traced callers walks all of them, so no more is done here than must be
        if not trace.tb_frame.f_code.co_filename.startswith(_HERE):
            count += 1
            innermost.append(trace)
        trace = trace.tb_next
    return [_frame(one) for one in reversed(innermost)], count - len(innermost)


def _frame(trace: TracebackType) -> dict[str, Any]:
    code = trace.tb_frame.f_code
    return {
        "path": code.co_filename[:_MAX_PATH],
        "line": trace.tb_lineno or 0,  # None for an instruction that has no line
        "label": code.co_name[:_MAX_PATH],
    }
