"""The words of the command line, before click reads them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleece.cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXCLUDE = ("-e", "--exclude")

_LISTS = ("-d", "--dependencies", *_EXCLUDE)
"""Options that take nothing at all for an empty list."""


def spread_excludes(arguments: Sequence[str]) -> list[str]:
    """Repeat ``-e`` before each word that follows it, up to the next option or ``--``.

    ``-e a b -t out`` becomes ``-e a -e b -t out``: click's options take a fixed number of words, and this one took as
    many as came.
    """
    spread: list[str] = []
    taking = False
    for number, word in enumerate(arguments):
        if word == "--":
            return [*spread, *arguments[number:]]
        if word in _EXCLUDE:
            taking = True
        elif word.startswith("-") and len(word) > 1:
            taking = False
            spread.append(word)
        else:
            spread += [_EXCLUDE[0], word] if taking else [word]
    return spread


def refuse_empty(arguments: Sequence[str]) -> None:
    """See that no word is empty, which is mostly a variable that is not set, and would mean a default or this folder.

    Raises:
        UsageError: one is.
    """
    for before, word in zip(["", *arguments], arguments, strict=False):
        if not word and before not in _LISTS:
            where = f"after {before}" if before else "at the start"
            raise UsageError(f"there is an empty word {where}: is a variable not set?")
