"""What `Runtime` is given, looked at before it reaches a process, where nobody could say whose mistake it was."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from threading import TIMEOUT_MAX
from typing import Any

from fleece_testing._arguments import checked_text, json_text

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

MAX_EVENT = 6 * 1024 * 1024
"""The largest event that Lambda takes from a caller, in bytes of JSON."""


def checked_number(name: str, value: object) -> int:
    """Return a number of workers, or of megabytes.

    Raises:
        TypeError, ValueError: it is no whole number above zero.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number: {value!r} was given")
    if value < 1:
        raise ValueError(f"{name} must be one or more: {value!r} was given")
    return value


def checked_path(name: str, value: object) -> Path:
    """Return a path, given as one or as text.

    Raises:
        TypeError: it is neither.
    """
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name} must be a path: {value!r} was given")
    return Path(value)


def checked_seconds(name: str, value: object) -> float:
    """Return a time to wait, which always has an end.

    Raises:
        ValueError: it is no number of seconds above zero.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= TIMEOUT_MAX:
        return value
    raise ValueError(f"{name} must be a number of seconds above zero: {value!r} was given")


def checked_environment(value: object) -> dict[str, str]:
    """Return a copy of the variables. No value of theirs is in the message: it may be a secret.

    Raises:
        TypeError, ValueError: they are no mapping of text to text, or no process can have them.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"environment must be a mapping: {type(value).__name__} was given")
    for name, text in value.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise TypeError(f"environment must be a mapping of text to text: {name!r} is {type(text).__name__}")
        if not name or "=" in name or "\0" in name + text:
            raise ValueError(f"environment has a variable that no process can have: {name!r}")
    return dict(value)


def header(name: str, value: object) -> str:
    """Return what goes into a header as it is, which is empty where there is none.

    Raises:
        TypeError, ValueError: it is not text, or would not get through.
    """
    if value is None:
        return ""
    text = checked_text(name, value)
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"{name} must be printable ASCII: {value!r} was given")
    return text


def json_header(name: str, value: object) -> str:
    """Return a mapping as JSON for a header, which is empty where there is none.

    Raises:
        TypeError, ValueError: it is no mapping, or JSON cannot say what is in it.
    """
    if value is None:
        return ""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping: {value!r} was given")
    return json_text(name, dict(value))


def payload(event: Any) -> bytes:
    """Return the event as Lambda hands it out.

    Raises:
        TypeError, ValueError: JSON cannot say it, or it is larger than Lambda takes.
    """
    text = json_text("event", event).encode()
    if len(text) > MAX_EVENT:
        raise ValueError(f"event has {len(text)} bytes of JSON, and Lambda takes at most {MAX_EVENT} from a caller")
    return text
