"""Text from outside, shown to people."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return others' text with control characters escaped, so that it cannot move the cursor or set colours."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
