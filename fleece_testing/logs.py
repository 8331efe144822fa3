"""The JSON lines that a test wrote, as a list to look into and as assertions that explain themselves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def parse_lines(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Return those of the lines that are JSON objects, parsed, in order."""
    return [parsed for line in lines if (parsed := _parse(line)) is not None]


def _parse(line: str) -> dict[str, Any] | None:
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
