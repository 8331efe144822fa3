"""What the public functions of logging cannot take: it is refused at the call, by the argument's name."""

from __future__ import annotations

import math

from fleece._logging.encoding import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MOST_SHOWN = 200


def require(holds: bool, name: str, wanted: str, value: object, error: type[Exception] = TypeError) -> None:
    """Raise the error, one line that says which argument is wrong and what was given, unless `holds`."""
    if not holds:
        try:
            given = repr(value)
        except Exception:  # noqa: BLE001 (somebody else's __repr__ may raise anything)
            given = text_of(value)
        shown = " ".join(given[:_MOST_SHOWN].split())
        raise error(f"{name} must be {wanted}: {shown} was given")


def require_number(name: str, value: Any, wanted: str, highest: float = math.inf) -> None:
    """Require a finite number from 0 up to `highest`."""
    require(isinstance(value, (int, float)) and not isinstance(value, bool), name, wanted, value)
    require(0 <= value <= highest and value < math.inf, name, wanted, value, ValueError)


def require_count(name: str, value: Any) -> None:
    """Require a whole number, 0 or more."""
    wanted = "a whole number, 0 or more"
    require(isinstance(value, int) and not isinstance(value, bool), name, wanted, value)
    require(value >= 0, name, wanted, value, ValueError)


def require_name(value: object) -> None:
    """Require what names a logger."""
    require(value is None or isinstance(value, str), "name", "a logger's name, or None", value)


def require_stream(value: object) -> None:
    """Require what lines can be written to, or ``None``."""
    require(value is None or callable(getattr(value, "write", None)), "stream", "open for writing, or None", value)


def require_callable(name: str, value: object) -> None:
    """Require something to call, or ``None``."""
    require(value is None or callable(value), name, "callable, or None", value)
