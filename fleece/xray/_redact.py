"""What may be shown of a value in a trace: a bounded copy, with what looks secret replaced, made of JSON's types alone.

None of the value's own code is run: no ``__repr__``, no property, no iterator, no stream. What is not one of JSON's
types is shown by the name of its type, but for a few types of the standard library.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from itertools import islice

from fleece.xray._lambda_event import summarise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TypeAlias

    JSON: TypeAlias = Any

MASK = "***"
MAX_TEXT = 1_000
MAX_JSON_TEXT = 8_192
MAX_DEPTH = 8
MAX_ITEMS = 50
"""Of one list or dict."""
MAX_VALUES = 1_000
MAX_CHARACTERS = 20_000
"""Of all texts in a value together."""

_MAX_KEY = 200
_MAX_BITS = 64
_PAIR = 2
_CUT = "..."

# Patterns are compiled at their first use, and not at import.
_SENSITIVE = (
    r"authorization|cookie|passw(?:or)?d|passphrase|passcode|pwd|secret|token|credential|signature|jwt"
    r"|(?:api|access|private|signing|encryption)[-_ ]?key|session[-_ ]?id|(?<![a-z])auth(?![a-z])"
)
# One of these is in every text that `_SENSITIVE` is found in; looking for them takes a tenth of the time.
_CLUES = ("auth", "cookie", "pass", "pwd", "secret", "token", "credential", "signature", "jwt", "key", "session")
# The value of `Authorization: ...` and `Cookie: ...` has spaces and semicolons, so it goes to the end of the line.
_HEADER_LINE = r"""(?i)((?:authorization|cookie)\\{0,4}["']?\s{0,4}[:=]\s{0,4}\\{0,4}["']?)[^"'\\\r\n]+"""
_ASSIGNMENT = (
    rf"""(?i)((?:{_SENSITIVE})[\w-]{{0,40}}\\{{0,4}}["']?\s{{0,4}}(?:=>|[:=])\s{{0,4}})"""
    r"""(?:[bru]?"(?:\\.|[^"\\])*"?|[bru]?'(?:\\.|[^'\\])*'?|\\{1,4}["'][^"'\\]*|[^\s,;&)\]}]+)"""
)
_SCHEME = r"(?i)\b(bearer|basic)\s{1,4}[\w.~+/=-]{8,}"
_USER_INFO = r"(://)[^\s/@]{1,256}@"

# Modules whose types have a short `str()` that says nothing but the value.
_PLAIN_MODULES = frozenset({"datetime", "decimal", "fractions", "ipaddress", "pathlib", "uuid"})
_CONTAINERS = (dict, list, tuple, set, frozenset)


@lru_cache(maxsize=512)
def _shown_name(name: str) -> tuple[str, bool]:
    """Return a key as it is shown, and whether its value is not to be: ``password``, ``X-Api-Key``, ``authToken``."""
    return masked(name), re.search(_SENSITIVE, name, re.IGNORECASE) is not None


def recordable(value: Any) -> JSON:
    """Return what a trace may show of `value`: JSON's types alone, masked and bounded in size and depth."""
    return _Walk().value(value)


def recordable_arguments(arguments: dict[str, Any]) -> dict[str, JSON]:
    """Return what a trace may show of a call's arguments, by name."""
    return _Walk().fields(arguments, 1)


def recordable_text(text: str) -> str:
    """Return what a trace may show of a text, such as an exception's message."""
    return _Walk().text(text)


def masked(text: str) -> str:
    """Replace what looks like a secret inside of a text: ``password=...``, ``"token": "..."``, ``Bearer ...``."""
    lower = text.lower()
    if (":" in text or "=" in text) and any(clue in lower for clue in _CLUES):
        text = re.sub(_HEADER_LINE, rf"\1{MASK}", text)
        text = re.sub(_ASSIGNMENT, rf"\1{MASK}", text)
    if "://" in text:
        text = re.sub(_USER_INFO, rf"\1{MASK}@", text)
    if "bearer" in lower or "basic" in lower:
        text = re.sub(_SCHEME, rf"\1 {MASK}", text)
    return text


class _Walk:
    """One walk over a value: how much more may be shown, and which containers it is inside of."""

    __slots__ = ("_characters_left", "_inside", "_values_left")

    def __init__(self) -> None:
        self._values_left = MAX_VALUES
        self._characters_left = MAX_CHARACTERS
        self._inside: set[int] = set()

    def value(self, value: Any, depth: int = 0) -> JSON:
        """Return the JSON value that shows `value`."""
        self._values_left -= 1
        if self._values_left < 0 or self._characters_left < 0:
            return _CUT
        # By its type and not by isinstance, which believes what an object says of its own class.
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str or issubclass(kind, str):
            return self.text(value, depth)
        if kind is int or issubclass(kind, (int, float)):
            return _number(value)
        if issubclass(kind, _CONTAINERS):
            return self._container(value, depth)
        return self.text(_shown(value, kind), depth)

    def text(self, text: str, depth: int = 0) -> str:
        """Return a text masked and bounded; one that is JSON is masked by the names in it."""
        length = str.__len__(text)
        # Longer than is shown, so that a secret at the cut is seen whole.
        start = str.__getitem__(text, slice(0, 2 * MAX_TEXT))
        shown = self._json_text(text, length, depth) if start.lstrip()[:1] in ("{", "[") else None
        is_whole = shown is not None or length <= 2 * MAX_TEXT
        if shown is None:
            shown = masked(start)
        self._characters_left -= len(shown)
        if is_whole and len(shown) <= MAX_TEXT:
            return shown
        return f"{shown[:MAX_TEXT]}{_CUT} ({length} characters)"

    def _json_text(self, text: str, length: int, depth: int) -> str | None:
        if length > MAX_JSON_TEXT:
            return f"<JSON text of {length} characters>"
        try:
            document = json.loads(str.__str__(text))
        except (ValueError, RecursionError):
            return None  # it only begins like JSON
        return json.dumps(self.value(document, depth + 1), separators=(",", ":"))

    def _container(self, value: Any, depth: int) -> JSON:
        if id(value) in self._inside:
            return "<circular>"
        if depth >= MAX_DEPTH:
            return _CUT
        self._inside.add(id(value))
        try:
            if issubclass(type(value), dict):
                return self.fields(summarise(value) or value, depth + 1)
            return self._list(value, depth + 1)
        finally:
            self._inside.discard(id(value))

    def fields(self, value: dict[Any, Any], depth: int) -> dict[str, JSON]:
        """Return a dict with its values masked by their names."""
        shown: dict[str, JSON] = {}
        items = dict.items(value)
        for key, item in items if len(items) <= MAX_ITEMS else islice(items, MAX_ITEMS):
            name, is_secret = _shown_name(key if type(key) is str and len(key) <= _MAX_KEY else self._name(key))
            shown[name] = MASK if is_secret else self.value(item, depth)
        if "value" in shown or "Value" in shown:
            _mask_pair(shown)
        if len(items) > MAX_ITEMS:
            shown[_CUT] = f"{len(items) - MAX_ITEMS} more"
        return shown

    def _list(self, value: Any, depth: int) -> list[JSON]:
        items = list(islice(_items(value), MAX_ITEMS + 1))
        if len(items) == _PAIR and type(items[0]) is str and _shown_name(items[0][:_MAX_KEY])[1]:
            return [self.value(items[0], depth), MASK]  # a header as a pair
        shown = [self.value(item, depth) for item in items[:MAX_ITEMS]]
        if len(items) > MAX_ITEMS:
            shown.append(_CUT)
        return shown

    def _name(self, key: Any) -> str:
        if type(key) is str:
            return key[:_MAX_KEY]
        return str(self.value(key, MAX_DEPTH - 1))[:_MAX_KEY]


def _mask_pair(shown: dict[str, JSON]) -> None:
    """Mask the value of ``{"Name": "password", "Value": ...}``, which is how many AWS calls have it."""
    for name, value in (("name", "value"), ("Name", "Value"), ("key", "value"), ("Key", "Value")):
        if value in shown and _shown_name(str(shown.get(name))[:_MAX_KEY])[1]:
            shown[value] = MASK


def _items(value: Any) -> Iterator[Any]:
    """Iterate as the built-in type does, whatever a class that is derived from it does."""
    kind: Any = next(kind for kind in _CONTAINERS if issubclass(type(value), kind))
    items: Iterator[Any] = kind.__iter__(value)
    return items


def _number(value: float) -> int | float | str:
    """Show a number; as a text where JSON has no number for it, or the service has no room."""
    if isinstance(value, int):
        bits = int.bit_length(value)
        return int.__int__(value) if bits <= _MAX_BITS else f"<int of {bits} bits>"
    return float.__float__(value) if math.isfinite(value) else float.__repr__(value)


def _shown(value: Any, kind: type) -> str:
    """Show a value that JSON has no type for."""
    if kind is bytes or kind is bytearray:
        return f"<{len(value)} bytes>"
    module: Any = kind.__module__  # a str, unless somebody has made it something else
    if isinstance(module, str) and module.partition(".")[0] in _PLAIN_MODULES:
        return str(value)
    return f"<{module}.{kind.__qualname__}>"
