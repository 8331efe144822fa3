"""JSON and patterns, by modules of the standard library that are loaded when something is traced.

`json` and `re` would be half of what importing fleece.xray costs. On Lambda they cost nothing here: AWS's own runtime
client has loaded both by then.
"""

from __future__ import annotations

from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable
    from typing import Any


def to_json(value: object) -> str:
    """Return a value, made of JSON's types alone, as compact JSON in ASCII."""
    return _encoder()(value)


def from_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deeply.
    """
    import json  # noqa: PLC0415 (as the module says)

    return json.loads(text)


def json_object(members: Iterable[str]) -> str:
    """Return a JSON object made of its members, each a name and a value in JSON: ``"name":value``."""
    return f"{{{','.join(members)}}}"


@lru_cache(maxsize=64)
def pattern(text: str) -> re.Pattern[str]:
    """Return a compiled pattern."""
    import re  # noqa: PLC0415 (as the module says)

    return re.compile(text)


@lru_cache(maxsize=1)
def _encoder() -> Callable[[object], str]:
    from json import JSONEncoder  # noqa: PLC0415 (as the module says)

    # ASCII, so that a stray surrogate in a name of a file is an escape and not an error.
    return JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
