"""Times as services write them: ISO 8601 with a time zone."""

from __future__ import annotations

from datetime import datetime


def moment(text: object) -> datetime | None:
    """Read a time of ISO 8601 that has a time zone, or return None."""
    if not isinstance(text, str):
        return None
    try:
        # Python 3.10 does not know the Z.
        read = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else None
