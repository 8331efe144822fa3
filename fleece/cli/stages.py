"""Stages: which one a name means, in ``environments.yml`` and in ``config.yml`` alike.

A stage is named outright (``prod``) or by a regular expression between slashes (``/feature-.*/``). A name means the
stage that equals it; else the first expression of the file that matches all of it.
"""

from __future__ import annotations

import functools
import re
import warnings
from typing import TYPE_CHECKING

from fleece.cli._backtracking import is_slow
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
        StageError: it is too long, no regular expression, or one such as ``(a+)+``, whose matching can take longer than
            anybody waits.
    """
    expression = stage[1:-1]
    if len(expression) > MAX_EXPRESSION:
        raise StageError(
            f"the stage /{expression[:20]}.../ has {len(expression)} characters, {MAX_EXPRESSION} at most are allowed"
        )
    try:
        with warnings.catch_warnings():
            # Flags that are not at the start: an error from Python 3.11 on.
            warnings.simplefilter("error", DeprecationWarning)
            pattern = re.compile(expression)
    except (re.error, DeprecationWarning, OverflowError, RecursionError) as error:
        raise StageError(f"the stage {stage} is not a regular expression: {error}") from error
    if _is_slow(expression):
        raise StageError(
            f"the stage {stage} can take for ever to match: it repeats what can match in several ways, as (a+)+ "
            "does, or too often; write it flat"
        )
    return pattern


@functools.lru_cache(maxsize=256)  # a configuration names its stages at each value
def _is_slow(expression: str) -> bool:
    return is_slow(expression, MAX_NAME)
