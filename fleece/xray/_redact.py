"""What may be shown of a value in a trace: JSON, bounded, with what looks secret replaced.

It is written in the one walk over the value that masks it: a copy to be encoded later would be a second walk. None of
the value's own code is run: no ``__repr__``, no property, no iterator, no stream. What is not one of JSON's types is
shown by the name of its type, but for a few types of the standard library.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import islice

from fleece.xray._lambda_event import summarise
from fleece.xray._text import from_json, json_object, pattern, to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

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
_CONSTANTS = {None: "null", True: "true", False: "false"}
_MASK_JSON = f'"{MASK}"'
_CUT_JSON = f'"{_CUT}"'

_SENSITIVE = (
    r"authorization|cookie|passw(?:or)?d|passphrase|passcode|pwd|secret|token|credential|signature|jwt"
    r"|(?:api|access|private|signing|encryption)[-_ ]?key|session[-_ ]?id|(?<![a-z])auth(?![a-z])"
)
# One of these is in every text that `_SENSITIVE` is found in; looking for them takes a tenth of the time.
_CLUES = ("auth", "cookie", "pass", "pwd", "secret", "token", "credential", "signature", "jwt", "key", "session")
# The value of `Authorization: ...` and `Cookie: ...` has spaces and semicolons, so it goes to the end of the line.
_HEADER_LINE = r"""(?i)((?:authorization|cookie)\\{0,4}["']?\s{0,4}[:=]\s{0,4}\\{0,4}["']?)[^"'\\\r\n]+"""
_SENSITIVE_NAME = f"(?i){_SENSITIVE}"
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
    """Return a key as JSON, and whether its value is not to be shown: ``password``, ``X-Api-Key``, ``authToken``."""
    return to_json(masked(name)), pattern(_SENSITIVE_NAME).search(name) is not None


def recordable(value: Any) -> str:
    """Return what a trace may show of `value`, as JSON: masked, and bounded in size and depth."""
    return _Walk().value(value)


def recordable_members(items: Iterable[tuple[Any, Any]], count: int) -> dict[str, str]:
    """Return what a trace may show of so many values that have names: the members of a JSON object, by name in JSON."""
    return _Walk().members(items, count, 1)


def recordable_text(text: str) -> str:
    """Return what a trace may show of a text, such as an exception's message; as it is, not as JSON."""
    return _Walk().text(text)


def masked(text: str) -> str:
    """Replace what looks like a secret inside of a text: ``password=...``, ``"token": "..."``, ``Bearer ...``."""
    lower = text.lower()
    if (":" in text or "=" in text) and any(clue in lower for clue in _CLUES):
        text = pattern(_HEADER_LINE).sub(rf"\1{MASK}", text)
        text = pattern(_ASSIGNMENT).sub(rf"\1{MASK}", text)
    if "://" in text:
        text = pattern(_USER_INFO).sub(rf"\1{MASK}@", text)
    if "bearer" in lower or "basic" in lower:
        text = pattern(_SCHEME).sub(rf"\1 {MASK}", text)
    return text


class _Walk:
    """One walk over a value: how much more may be shown, and which containers it is inside of."""

    __slots__ = ("_characters_left", "_inside", "_values_left")

    def __init__(self) -> None:
        self._values_left = MAX_VALUES
        self._characters_left = MAX_CHARACTERS
        self._inside: list[int] = []

    def value(self, value: Any, depth: int = 0) -> str:
        """Return the JSON that shows `value`."""
        self._values_left -= 1
        if self._values_left < 0 or self._characters_left < 0:
            return _CUT_JSON
        # By its type and not by isinstance, which believes what an object says of its own class.
        kind = type(value)
        if kind is int and value.bit_length() <= _MAX_BITS:  # as `_scalar` would show it, in half the time
            return repr(value)
        if kind is str or issubclass(kind, str):
            return to_json(self.text(value, depth))
        if value is None or issubclass(kind, (int, float)):
            return _scalar(value)
        if issubclass(kind, _CONTAINERS):
            return self._container(value, depth)
        return to_json(self.text(_shown(value, kind), depth))

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
            document = from_json(str.__str__(text))
        except (ValueError, RecursionError):
            return None  # it only begins like JSON
        return self.value(document, depth + 1)

    def _container(self, value: Any, depth: int) -> str:
        if id(value) in self._inside:
            return '"<circular>"'
        if depth >= MAX_DEPTH:
            return _CUT_JSON
        self._inside.append(id(value))
        try:
            if issubclass(type(value), dict):
                fields = summarise(value) or value
                members = self.members(dict.items(fields), dict.__len__(fields), depth + 1)
                return json_object(members.values())
            return f"[{','.join(self._list(value, depth + 1))}]"
        finally:
            self._inside.pop()

    def members(self, items: Iterable[tuple[Any, Any]], count: int, depth: int) -> dict[str, str]:
        """Return the members of a JSON object by name, the values masked by their names."""
        shown: dict[str, str] = {}  # two keys may be shown alike, but JSON is to have one
        for key, item in items if count <= MAX_ITEMS else islice(items, MAX_ITEMS):
            name, is_secret = _shown_name(key if type(key) is str and len(key) <= _MAX_KEY else self._name(key))
            shown[name] = f"{name}:{_MASK_JSON if is_secret else self.value(item, depth)}"
        if '"value"' in shown or '"Value"' in shown:
            _mask_pair(shown)
        if count > MAX_ITEMS:
            shown[_CUT_JSON] = f'{_CUT_JSON}:"{count - MAX_ITEMS} more"'
        return shown

    def _list(self, value: Any, depth: int) -> list[str]:
        items = list(islice(_items(value), MAX_ITEMS + 1))
        if len(items) == _PAIR and type(items[0]) is str and _shown_name(items[0][:_MAX_KEY])[1]:
            return [self.value(items[0], depth), _MASK_JSON]  # a header as a pair
        shown = [self.value(item, depth) for item in items[:MAX_ITEMS]]
        if len(items) > MAX_ITEMS:
            shown.append(_CUT_JSON)
        return shown

    def _name(self, key: Any) -> str:
        if type(key) is str:
            return key[:_MAX_KEY]
        name = self.value(key, MAX_DEPTH - 1)
        return str(from_json(name) if name.startswith('"') else name)[:_MAX_KEY]


def _mask_pair(shown: dict[str, str]) -> None:
    """Mask the value of ``{"Name": "password", "Value": ...}``, which is how many AWS calls have it."""
    for name, value in (("name", '"value"'), ("Name", '"Value"'), ("key", '"value"'), ("Key", '"Value"')):
        member = shown.get(f'"{name}"')
        if member is not None and value in shown:
            of_what = str(from_json(json_object([member]))[name])
            if _shown_name(of_what[:_MAX_KEY])[1]:
                shown[value] = f"{value}:{_MASK_JSON}"


def _items(value: Any) -> Iterator[Any]:
    """Iterate as the built-in type does, whatever a class that is derived from it does."""
    kind: Any = next(kind for kind in _CONTAINERS if issubclass(type(value), kind))
    items: Iterator[Any] = kind.__iter__(value)
    return items


def _scalar(value: float | None) -> str:
    """Show a number, a boolean or None; as a text where JSON has no number for it, or the service has no room."""
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    if isinstance(value, int):
        bits = int.bit_length(value)
        return int.__repr__(value) if bits <= _MAX_BITS else f'"<int of {bits} bits>"'
    shown = float.__repr__(value)
    return shown if math.isfinite(value) else f'"{shown}"'


def _shown(value: Any, kind: type) -> str:
    """Show a value that JSON has no type for."""
    if kind is bytes or kind is bytearray:
        return f"<{len(value)} bytes>"
    module: Any = kind.__module__  # a str, unless somebody has made it something else
    if isinstance(module, str) and module.partition(".")[0] in _PLAIN_MODULES:
        return str(value)
    return f"<{module}.{kind.__qualname__}>"
