"""How long a regular expression can keep `re` busy, found from what it is made of rather than by trying.

`re` tries one way through an expression after the other, and ``(a|a)*`` or ``a*a*a*a*a*a*`` have so many that nobody
waits for the last. Here all of them are counted, for a text in which every character is as good as another, which is
the worst that a text can be: how many ways lead to each position, step by step.
"""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

if sys.version_info >= (3, 11):
    from re import _parser as parser  # type: ignore[attr-defined]  # private, as `sre_parse` never was
else:
    import sre_parse as parser

__all__ = ["is_slow", "parser"]

Ways: TypeAlias = "list[int]"
"""How many ways lead to each position of the text."""

_MOST_STEPS = 20_000_000  # of `re`; some tenths of a second
_MOST_VISITS = 20_000  # of ours; an expression of 200 characters that is any use needs some hundreds


def is_slow(expression: str, length: int) -> bool:
    """Whether an expression could keep `re` busy for longer than a second with a text of up to `length` characters.

    What is quick only because its parts cannot match the same characters, such as ``([a-z]+-)*``, counts as slow too.

    Args:
        expression: a regular expression that compiles.
        length: of the longest text, in characters.
    """
    count = _Count()
    try:
        count.sequence([1] + [0] * length, parser.parse(expression))
    except _TooManyError:
        return True
    return False


class _TooManyError(Exception):
    """There are more ways than anybody waits for."""


class _Count:
    """Counts the steps that `re` makes when it has to try everything."""

    def __init__(self) -> None:
        self._steps = 0
        self._visits = 0

    def sequence(self, ways: Ways, items: Any) -> Ways:
        """Return the ways after all of some items, one after the other."""
        for name, argument in items:
            self._steps += sum(ways)
            self._visits += 1
            if self._steps > _MOST_STEPS or self._visits > _MOST_VISITS:
                raise _TooManyError
            ways = self._item(ways, str(name), argument)
        return ways

    def _item(self, ways: Ways, name: str, argument: Any) -> Ways:
        if name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            return self._repeat(ways, *argument)
        if name in {"SUBPATTERN", "ATOMIC_GROUP"}:
            return self.sequence(ways, argument[-1] if name == "SUBPATTERN" else argument)
        if name == "BRANCH":
            return self._either(ways, argument[1])
        if name == "GROUPREF_EXISTS":
            return self._either(ways, [one for one in argument[1:] if one is not None])
        if name in {"ASSERT", "ASSERT_NOT"}:
            self.sequence(ways, argument[1])
            return ways
        # One character, whichever; or what a group has found, which is as many at least.
        return ways if name == "AT" else [0, *ways[:-1]]

    def _either(self, ways: Ways, branches: Any) -> Ways:
        return [sum(after) for after in zip(*(self.sequence(ways, branch) for branch in branches), strict=True)]

    def _repeat(self, ways: Ways, low: int, high: int, body: Any) -> Ways:
        found = [0] * len(ways)
        for times in range(int(high) + 1):
            if times >= low:
                found = [one + more for one, more in zip(found, ways, strict=True)]
            after = self.sequence(ways, body)
            # Beyond the end of the text, or nowhere: `re` does not repeat what is empty without end either.
            if not any(after) or after == ways:
                return found if times >= low else after
            ways = after
        return found
