"""What a line holds, and how long it may be: pure."""

from __future__ import annotations

import functools
import logging
import os
import time

from fleece._logging.arguments import require
from fleece._logging.encoding import encode, key_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

OWN_KEYS = frozenset(
    {
        "event", "level", "logger", "timestamp", "exception", "stack", "truncated",
        "api_request_id", "lambda_request_id", "function_name", "cold_start", "xray_trace_id",
    }
)  # fmt: skip
"""Keys that only fleece writes. A field of such a name is kept under the name with an underscore behind it."""

LONGEST = 256 * 1024 - 26
"""Bytes: CloudWatch's old limit for an event, which tools behind it still have, less the 26 it counts for itself."""

_SHORTEST = 1024
"""Bytes that a line is always left: there must be room for fleece's own keys."""

_LAMBDA_LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")

_WHOLE = 40
"""Bytes of a value up to which it is never shortened: ids, levels and timestamps are below."""


class LineSettings:
    """What the environment says about lines.

    Attributes:
        level: the number of the level of which there are lines, where the program asks for none.
        lambda_levels: whether levels are written in Lambda's own names, by which it filters lines in its JSON format.
        longest: bytes in UTF-8 after which a line is cut, its line feed included.
        misread: the variables that cannot be read, each with what is taken in its place.
    """

    __slots__ = ("lambda_levels", "level", "longest", "misread")

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.misread: dict[str, str] = {}
        self.lambda_levels = (
            environment.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
            or environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "lambda-managed-instances"
        )
        self.level = logging.DEBUG
        level = environment.get("AWS_LAMBDA_LOG_LEVEL")
        if level:
            try:
                self.level = level_number(level)
            except ValueError:
                self.misread["AWS_LAMBDA_LOG_LEVEL"] = "DEBUG"
        self.longest = LONGEST
        longest = environment.get("FLEECE_LOG_MAX_BYTES")
        if longest:
            try:
                self.longest = max(int(longest), _SHORTEST)
            except ValueError:
                self.misread["FLEECE_LOG_MAX_BYTES"] = "256 KB"


def lambda_level(number: int) -> str:
    """Return Lambda's own name of a level."""
    return _LAMBDA_LEVELS[min(max(number // 10, 0), 5)]


def level_number(level: Any) -> int:
    """Return the number of a level given by number or name.

    Raises:
        TypeError: it is neither.
        ValueError: there is no level of that name.
    """
    wanted = "DEBUG, INFO, WARNING, ERROR, CRITICAL or a number"
    require(isinstance(level, (int, str)) and not isinstance(level, bool), "level", wanted, level)
    if isinstance(level, int):
        return level
    name = level.strip().upper()
    known: Any = logging.DEBUG if name == "TRACE" else logging.getLevelName(name)
    if isinstance(known, int):
        return known
    require(name.isdecimal(), "level", wanted, level, ValueError)
    return int(name)


def timestamp(created: float) -> str:
    """Return seconds since the epoch as ISO 8601 in UTC, with microseconds."""
    second, microsecond = divmod(int(created * 1_000_000), 1_000_000)
    return _second(second) + str(microsecond).zfill(6) + "Z"


@functools.lru_cache(maxsize=1)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))


def renamed(fields: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a program's fields under names that are text, and not fleece's own."""
    free: dict[str, Any] = {}
    for key, value in fields.items():
        name = key if type(key) is str else key_text(key)
        while name in OWN_KEYS or (name is not key and (name in fields or name in free)):
            name += "_"
        free[name] = value
    return free


class Ids(dict[str, str | bool]):
    """The fields that say which invocation a line belongs to; never written to once made.

    Attributes:
        text: the same as a piece of a line, because many lines have it.
    """

    __slots__ = ("text",)

    def __init__(self, fields: Mapping[str, str | bool]) -> None:
        super().__init__(fields)
        self.text = members(self)


def members(fields: Mapping[str, Any]) -> str:
    """Return fields as JSON that continues an object."""
    return f", {encode(fields)[1:-1]}" if fields else ""


def line(
    event: object, level: str, logger: str, created: float, ids: Ids, fields: Mapping[str, Any], longest: int = LONGEST
) -> str:
    """Return a line as JSON: whole, or marked with ``"truncated": true`` and cut to less than `longest` bytes."""
    start = f'{{"event": {encode(event)}{_level_and_logger(level, logger)}{timestamp(created)}"{ids.text}'
    text = f"{start}, {encode(fields)[1:]}" if fields else start + "}"
    # A character is four bytes at most: only lines near the limit are measured.
    if len(text) * 4 < longest or _size(text) < longest:
        return text
    own = {"event": event, "level": level, "logger": logger, "timestamp": timestamp(created), **ids}
    return encode(_shortened({**own, **fields, "truncated": True}, longest))


@functools.lru_cache(maxsize=256)
def _level_and_logger(level: str, logger: str) -> str:
    return f', "level": {encode(level)}, "logger": {encode(logger)}, "timestamp": "'


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _shortened(values: dict[str, Any], longest: int) -> dict[str, Any]:
    """Give every value its first bytes, and share the rest of the room so that the longest values lose most."""
    room = longest - len("{}\n")
    sizes: dict[str, int] = {}
    for name in sorted(values, key=lambda name: name not in OWN_KEYS):
        size = _size(encode(values[name]))
        least = _size(encode(name)) + len(": , ") + min(size, _WHOLE)
        if least <= room:  # else the field goes: there are thousands, or its name alone is too long
            sizes[name] = size
            room -= least
    share = _fair_share([size - _WHOLE for size in sizes.values() if size > _WHOLE], room)
    return {
        name: values[name] if size <= _WHOLE + share else _start_of(values[name], _WHOLE + share)
        for name, size in sizes.items()
    }


def _fair_share(demands: list[int], room: int) -> int:
    """Return the largest share that each demand can have, where those that need less leave the rest to the others."""
    demands.sort()
    for position, demand in enumerate(demands):
        share = room // (len(demands) - position)
        if demand > share:
            return share
        room -= demand
    return room


def _start_of(value: object, size: int) -> str:
    """Return the start of a text, or of a value's JSON, whose own JSON has at most `size` bytes."""
    text = value if isinstance(value, str) else encode(value)
    length = size
    while (now := _size(encode(text[:length] + "…"))) > size and length:
        length = min(length * size // now, length - 1)
    return text[:length] + "…"
