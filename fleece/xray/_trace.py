"""The decorator, and the way to send what it cannot measure."""

from __future__ import annotations

import math
from contextlib import suppress

from fleece._trace_header import is_subsegment_id
from fleece.xray._arguments import parameters, recorded
from fleece.xray._context import current_subsegment, sampled_trace
from fleece.xray._details import details
from fleece.xray._document import datagram, members, opening
from fleece.xray._emitter import link_to_daemon
from fleece.xray._subsegment import begin
from fleece.xray._wrap import name_of, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from fleece.xray._subsegment import Subsegment
    from fleece.xray._wrap import Begin

    F = TypeVar("F", bound=Callable[..., Any])


def trace_xray_subsegment(skip_args: bool = False) -> Callable[[F], F]:
    """Trace the calls of a function: ``@trace_xray_subsegment()``.

    The subsegment has the function's name, and the arguments as metadata ``arguments``, by the names of their
    parameters: bounded, and without what has the name of a secret. It goes on functions, methods, class and static
    methods (above or below their decorator), ``async def``, generators and async generators, `functools.partial` and
    callable objects, and measures each until it is really done. Nothing is changed about what they return or raise;
    only that a coroutine function or generator function given the wrong arguments says so when it is first run.

    Args:
        skip_args: leave the arguments out.

    Raises:
        TypeError: at decoration: the parentheses are missing, `skip_args` is neither True nor False, or what is
            decorated is a class or not callable.
    """
    if callable(skip_args):
        raise TypeError("trace_xray_subsegment is to be called: write @trace_xray_subsegment(), with parentheses")
    if not isinstance(skip_args, bool):
        raise TypeError(f"skip_args must be True or False: {skip_args!r} was given")

    def decorate(func: F) -> F:
        traced: F = wrap(func, lambda function: _begin_call(function, skip_args=skip_args))
        return traced

    return decorate


def _begin_call(func: Any, *, skip_args: bool) -> Begin:
    """Return what opens the subsegment of one call of `func`."""
    name = name_of(func)
    before, names, rest = parameters(func)

    def begin_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Subsegment | None:
        header = sampled_trace()
        if header is None:
            return None
        return begin(header, name, arguments=None if skip_args else recorded(before, names, rest, args, kwargs))

    return begin_call


def send_subsegment_to_xray_daemon(
    subsegment_id: str,
    parent_id: str | None,
    start_time: float,
    end_time: float | None = None,
    name: str | None = None,
    namespace: str | None = "remote",
    extra_data: Mapping[str, Any] | None = None,
) -> None:
    """Send one subsegment of this invocation's trace; for what the decorator and the ``with`` block cannot measure.

    When the invocation is not sampled, or an id or a time is none, nothing is sent. Nothing is raised.

    Args:
        subsegment_id: 16 hex digits, from `generate_subsegment_id`.
        parent_id: 16 hex digits; None for `get_parent_id`'s.
        start_time: seconds since 1970.
        end_time: seconds since 1970; None while it is still in progress.
        name: of what was done; None for ``subsegment``.
        namespace: ``"aws"``, ``"remote"`` or None.
        extra_data: more fields of the document: ``annotations``, ``metadata``, ``http``, ``aws``, ``cause``,
            ``error``, ``throttle``, ``fault``. What the service would not take is left out.
    """
    header = sampled_trace()
    if header is None:
        return
    with suppress(Exception):
        opened = current_subsegment(header)
        parent = parent_id or (header.parent if opened is None else opened.id)
        start = float(start_time)
        end = None if end_time is None else float(end_time)
        if is_subsegment_id(subsegment_id) and is_subsegment_id(parent) and math.isfinite(start + (end or 0.0)):
            beginning = opening(subsegment_id, header.root, parent, name or "subsegment", namespace, f"{start:.6f}")
            ending = None if end is None else f"{end:.6f}"
            link_to_daemon().send(datagram(beginning, members(details(extra_data or {})), ending))
