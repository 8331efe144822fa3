"""The arguments of a call, by the names of their parameters."""

from __future__ import annotations

import sys
from functools import partial
from itertools import chain
from types import MethodType

from fleece.xray._redact import recordable_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_CO_VARARGS = 0x04  # as `inspect` names it
_SELF = ("self", "cls")


def parameters(func: Any) -> tuple[int, tuple[str, ...], str]:
    """Return what `recorded` needs to know of a function.

    How many positional arguments come before those to record (``self``), the names of these, and the name for those
    beyond.
    """
    func, bound = _unwrapped(func)
    code = getattr(func, "__code__", None)
    if code is None:
        code = getattr(type(func).__call__, "__code__", None)
        bound += 1
    if code is None:
        return 0, (), "args"
    names = code.co_varnames[: code.co_argcount]
    rest = "args"
    if code.co_flags & _CO_VARARGS:
        rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
    names = names[bound:]
    return (1, names[1:], rest) if names[:1] and names[0] in _SELF else (0, names, rest)


def recorded(
    before: int, names: tuple[str, ...], rest: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, str]:
    """Return what a trace may show of the arguments, as `recordable_members`; nothing when even that fails."""
    try:
        if before:
            args = args[before:]
        if len(args) > len(names):
            names, args = (*names, rest), (*args[: len(names)], args[len(names) :])
        arguments: Iterable[tuple[str, Any]] = zip(names, args)  # noqa: B905 (what is left has defaults)
        if kwargs:
            arguments = chain(arguments, kwargs.items())
        return recordable_members(arguments, len(args) + len(kwargs))
    except Exception:  # noqa: BLE001 (a dict that another thread is changing, a class that lies about itself)
        return {}


def _unwrapped(func: Any) -> tuple[Any, int]:
    """Return the innermost function of `func`, and how many of its first parameters are bound already."""
    bound = 0
    for _ in range(sys.getrecursionlimit()):  # an object may claim to wrap itself
        if isinstance(func, partial):
            bound += len(func.args)
            func = func.func
        elif isinstance(func, MethodType):
            bound += 1
            func = func.__func__
        elif hasattr(func, "__wrapped__"):
            func = func.__wrapped__
        else:
            break
    return func, bound
