"""What a test hands on is looked at where it is given: a misspelt name is found where it was written."""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


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
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    known = [parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY]
    check_known(what, known, given, kind)


def check_known(what: str, known: Sequence[str], given: Iterable[str], kind: str = "key") -> None:
    """See that all names are known ones; the arguments are those of `check_names`.

    Raises:
        TypeError: with the nearest name, or all that there are.
    """
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


def check_times(times: object, hint: str = "") -> None:
    """See that something can fail so often.

    Raises:
        ValueError: it can not.
    """
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        raise ValueError(f"times is how many answers fail, one or more, not {times!r}{hint}")


def check_status(status: object, lowest: int = 400) -> None:
    """See that an answer can have this status.

    Raises:
        ValueError: it can not.
    """
    if not (isinstance(status, int) and lowest <= status <= 599):  # noqa: PLR2004 (HTTP's highest)
        raise ValueError(f"status is the number of an HTTP status, {lowest} to 599, not {status!r}")


def checked_text(name: str, value: object) -> str:
    """Return a text.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text: {value!r} was given")
    return value


def checked_lifetime(name: str, value: object) -> float:
    """Return for how many seconds something is good; a negative number is of something that has ended.

    Raises:
        TypeError: it is no number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds: {value!r} was given")
    return value


def checked_list(name: str, value: Iterable[Any]) -> list[Any]:
    """Return what is given as a list, a tuple or another iterable.

    Raises:
        TypeError: it is none; or a text, of which each letter would be taken for one.
    """
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name} must be a list: write [{value!r}], not {value!r}")
    if not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a list: {value!r} was given")
    return list(value)


def checked_mapping(name: str, value: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a copy of a dictionary, an empty one of None.

    Raises:
        TypeError: it is none, or has a key that is no text.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a dictionary: {value!r} was given")
    for key in value:
        checked_text(f"A key of {name}", key)
    return dict(value)


def checked_texts(name: str, value: Mapping[str, str] | None) -> dict[str, str]:
    """Return a copy of a dictionary of texts, an empty one of None.

    Raises:
        TypeError: it is none, or has something else in it.
    """
    return {key: checked_text(f"{name}[{key!r}]", one) for key, one in checked_mapping(name, value).items()}


def json_text(name: str, value: Any) -> str:
    """Return `value` as JSON.

    Raises:
        TypeError, ValueError: JSON cannot say it.
    """
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} must be what JSON can say: {value!r} was given ({error})") from None
