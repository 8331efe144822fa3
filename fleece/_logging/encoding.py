"""Any Python value as one line of valid JSON: pure, and it never raises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from json import encoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DEEPEST = 60
"""Levels of nesting that are written out; a reader with a recursion limit must be able to load the line."""

# Outside of ASCII, three kinds of character must not stand in a line as they are: C1 controls (a terminal obeys them),
# the line separators of Unicode (`str.splitlines` and some log agents split there) and lone surrogates (not text).
_UNSAFE = "[\x80-\x9f\u2028\u2029\ud800-\udfff]"


def text_of(value: object) -> str:
    """Return ``str(value)``, or a stand-in when the object cannot say what it is."""
    for describe in (str, repr, object.__repr__):
        try:
            return str.__str__(describe(value))  # exactly a str, also where __str__ returned a subclass of it
        except Exception:  # noqa: BLE001, S112 (somebody else's __str__ may raise anything)
            continue
    return "<unprintable>"


def substitute(value: object) -> Any:
    """Return what stands in a line for a value of a type that JSON does not have."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, BaseException):
        return repr(value)
    if hasattr(type(value), "isoformat"):
        return text_of(value.isoformat())  # type: ignore[attr-defined]
    # Not the fields of dataclasses and the like: their own text knows which of them are secrets.
    return text_of(value)


# What `json.JSONEncoder.encode` makes anew at each call, made once: half of a line's time went there. Circular values
# are left to the recursion limit, which costs nothing until there is one.
_quote = encoder.encode_basestring
_make_encoder = getattr(encoder, "c_make_encoder", None)  # absent where Python is not CPython
if _make_encoder is not None:
    _encode_chunks = _make_encoder(None, substitute, _quote, None, ": ", ", ", False, False, False)
else:
    _encode_chunks = encoder.JSONEncoder(ensure_ascii=False, allow_nan=False, default=substitute).iterencode


def encode(value: object) -> str:
    """Return `value` as JSON, on one line, whatever it is.

    Text stays readable (not escaped to ASCII). NaN and the infinities become strings, a value that contains itself or
    is nested too deeply is cut there, and keys become text as `json` does it or by `str`.
    """
    try:
        line = _quote(value) if type(value) is str else "".join(_encode_chunks(value, 0))
    except Exception:  # noqa: BLE001 (the values' own methods run in there)
        line = "".join(_encode_chunks(_plain(value, ()), 0))
    return line if line.isascii() else re.sub(_UNSAFE, _escape, line)


def ascii_only(line: str) -> str:
    """Return the same JSON with every character outside of ASCII escaped, for streams that are not UTF-8."""
    return re.sub("[^\x00-\x7f]", lambda match: encoder.encode_basestring_ascii(match[0])[1:-1], line)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    # A lone surrogate has no valid escape in JSON either: it is shown as text, with its backslash escaped.
    return f"\\\\u{code:04x}" if code >= 0xD800 else f"\\u{code:04x}"  # noqa: PLR2004 (the first surrogate)


def _plain(value: object, parents: tuple[int, ...]) -> Any:  # noqa: PLR0911 (one for each kind of value)
    """Rebuild a value that `json` refused, out of what it takes; `parents` are the ids of the containers around it."""
    try:
        if isinstance(value, (dict, list, tuple)):
            return _plain_container(value, parents)
        if isinstance(value, str):
            return str.__str__(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return _plain_integer(value)
        if isinstance(value, float):
            return _plain_float(value)
        if id(value) in parents or len(parents) >= _DEEPEST:
            return text_of(value)
        return _plain(substitute(value), (*parents, id(value)))
    except Exception:  # noqa: BLE001 (one bad value must not cost the others)
        return text_of(value)


def _plain_container(value: dict[Any, Any] | list[Any] | tuple[Any, ...], parents: tuple[int, ...]) -> Any:
    if id(value) in parents:
        return f"<circular {type(value).__name__}>"
    if len(parents) >= _DEEPEST:
        return f"<{type(value).__name__} nested too deeply>"
    parents = (*parents, id(value))
    if not isinstance(value, dict):
        return [_plain(item, parents) for item in list(value)]
    plain: dict[str, Any] = {}
    for key, item in list(value.items()):  # a list, because another thread may be writing to it
        name = key_text(key)
        while name in plain:  # 1 and "1" are two keys here, and one in JSON
            name += "_"
        plain[name] = _plain(item, parents)
    return plain


def _plain_integer(value: int) -> Any:
    try:
        int.__repr__(value)
    except ValueError:  # Python refuses to write more than 4,300 decimal digits
        return hex(value)
    return int.__int__(value)


def _plain_float(value: float) -> Any:
    name = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(float.__repr__(value))
    return name or float.__float__(value)


def key_text(key: object) -> str:
    """Return the text that stands in a line for a dict's key."""
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    return text_of(key)
