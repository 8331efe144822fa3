"""Timeouts as `fleece.boto3` and `fleece.requests` take them: a number of seconds above zero, or None."""

from __future__ import annotations

from threading import TIMEOUT_MAX  # for sockets as well: some three hundred years

from fleece._defaults import Timeouts


def checked_seconds(name: str, value: object) -> float | None:
    """Return `value`, or raise a `ValueError` that names the argument and what was given."""
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= TIMEOUT_MAX:
        return value
    raise ValueError(
        f"{name} must be a number of seconds above zero and up to {TIMEOUT_MAX:.0f}, or None: {value!r} was given"
    )


def checked_timeouts(timeout: object, connect_timeout: object, read_timeout: object) -> Timeouts:
    """Return the three as given, each checked by `checked_seconds`."""
    return Timeouts(
        checked_seconds("timeout", timeout),
        checked_seconds("connect_timeout", connect_timeout),
        checked_seconds("read_timeout", read_timeout),
    )
