"""Stages: which one a name means, in ``environments.yml`` and in ``config.yml`` alike.

A stage is named outright (``prod``) or by a regular expression between slashes (``/feature-.*/``). A name means the
stage that equals it; else the first expression of the file that matches all of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_EXPRESSION = 200
"""Longest regular expression, in characters."""

MAX_NAME = 64
"""Longest stage name, in characters."""


class StageError(CommandError):
    """A stage in a file cannot be used: its expression is broken, or could run for ever."""


def match(name: str, stages: Iterable[str]) -> str | None:
    """Return which of `stages`, in the order of their file, `name` means; None when it is none of them.

    Raises:
        UsageError: `name` is longer than a stage's name can be.
        StageError: one of the expressions tried is refused, see `compiled`.
    """
    if len(name) > MAX_NAME:
        raise UsageError(f"the stage {name[:20]!r}... has {len(name)} characters, {MAX_NAME} at most are allowed")
    stages = list(stages)
    if name in stages:
        return name
    return next((stage for stage in stages if is_expression(stage) and compiled(stage).fullmatch(name)), None)


def is_expression(stage: str) -> bool:
    """Whether `stage` is a regular expression: between two slashes."""
    return len(stage) > 1 and stage.startswith("/") and stage.endswith("/")


def compiled(stage: str) -> re.Pattern[str]:
    """Compile the expression of a stage that `is_expression`.

    Raises:
        StageError: it is too long, no regular expression, or repeats a repeat without bounds, as in ``(a+)+``, whose
            matching can take longer than anybody waits.
    """
    expression = stage[1:-1]
    if len(expression) > MAX_EXPRESSION:
        raise StageError(
            f"the stage /{expression[:20]}.../ has {len(expression)} characters, {MAX_EXPRESSION} at most are allowed"
        )
    try:
        pattern = re.compile(expression)
    except (re.error, OverflowError, RecursionError) as error:
        raise StageError(f"the stage {stage} is not a regular expression: {error}") from error
    if repeats_a_repeat(expression):
        raise StageError(f"the stage {stage} repeats a repeat, as in (a+)+, which can take for ever: write it flat")
    return pattern


_TOKEN = re.compile(
    r"""
    \\.                                  # an escaped character
    | \[ \^? \]? (?: \\. | [^\]\\] )* \] # a character class
    | (?P<comment> \(\? \# [^)]* \) )
    | (?P<open> \( )
    | (?P<close> \) )
    | (?P<unbounded> [*+] | \{ \d* , \} )
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def repeats_a_repeat(expression: str) -> bool:
    """Whether a group that holds an unbounded repeat is itself repeated without bounds.

    Args:
        expression: a regular expression that compiles.
    """
    open_groups = [False]  # for each group that is open, and the whole: is there an unbounded repeat in it?
    closed = False  # the same for the group that the token before has closed
    for token in _TOKEN.finditer(expression):
        if token["comment"]:
            continue
        if token["unbounded"]:
            if closed:
                return True
            open_groups[-1] = True
        elif token["open"]:
            open_groups.append(False)
        if token["close"]:
            closed = open_groups.pop()
            open_groups[-1] |= closed
        else:
            closed = False
    return False
