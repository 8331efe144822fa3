"""Keyword arguments that are handed on: a misspelt one is found where it was written."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def check_names(what: str, function: Callable[..., Any], given: Iterable[str], kind: str = "argument") -> None:
    """See that a function takes keyword arguments of these names.

    Args:
        what: what the caller called, for the message.
        function: what it will be handed on to.
        given: the names.
        kind: what they are to the caller, for the message.

    Raises:
        TypeError: with the nearest name, or all that there are.
    """
    __tracebackhide__ = True
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    known = [parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known)}"
            raise TypeError(f"{what} has no {kind} {name!r}; {hint}")


def keywords_of(fixture: str, request: Any) -> dict[str, Any]:
    """Return the keywords that indirect parametrisation gives to a fixture, none without it.

    Raises:
        TypeError: it gives something else.
    """
    given = getattr(request, "param", {})
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{fixture} is parametrised by dictionaries of its keyword arguments, not {given!r}: write"
            f' @pytest.mark.parametrize("{fixture}", [{{...}}], indirect=True)'
        )
    return dict(given)
