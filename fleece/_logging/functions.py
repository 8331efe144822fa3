"""What a decorator has to know about the function it is given."""

from __future__ import annotations

import functools
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CO_COROUTINE = 0x80  # `inspect.CO_COROUTINE`: importing `inspect` for it would cost milliseconds of a cold start


def is_coroutine_function(function: Any) -> bool:
    """Whether calling `function` (a function, method, partial or object with ``__call__``) makes a coroutine."""
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    if code is not None and code.co_flags & _CO_COROUTINE:
        return True
    # Who marks a function as a coroutine function has imported inspect to do so.
    inspect = sys.modules.get("inspect")
    return inspect is not None and inspect.iscoroutinefunction(function)
