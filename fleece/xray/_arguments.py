"""The arguments of a call, by the names of their parameters."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from types import MethodType

from fleece.xray._redact import recordable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CO_VARARGS = 0x04  # as `inspect` names it
_SELF = ("self", "cls")


def parameters(func: Any) -> tuple[tuple[str, ...], str]:
    """Return the names that positional arguments have, in order, and the name for those beyond, for `recorded`."""
    func, bound = _unwrapped(func)
    code = getattr(func, "__code__", None)
    if code is None:
        code = getattr(type(func).__call__, "__code__", None)
        bound += 1
    if code is None:
        return (), "args"
    names = code.co_varnames[: code.co_argcount]
    rest = "args"
    if code.co_flags & _CO_VARARGS:
        rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
    return names[bound:], rest


def recorded(names: tuple[str, ...], rest: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a trace may show of the arguments, by name; ``None`` when even that fails."""
    with suppress(Exception):
        arguments = dict(zip(names, args, strict=False))
        if names[:1] and names[0] in _SELF:
            arguments.pop(names[0], None)
        if len(args) > len(names):
            arguments[rest] = args[len(names) :]
        arguments.update(kwargs)
        shown: dict[str, Any] = recordable(arguments)
        return shown
    return None


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
