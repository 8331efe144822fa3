"""Profile a share of a Lambda function's invocations, each as one line of its log.

Examples:
    >>> @profile_handler(sample=0.1)
    ... def handler(event, context): ...
    {"event": "Profiling completed", "level": "info", "logger": "profiler", ...,
     "profiling_data": [{"ncalls": 465, "tottime": 0.21, "tpercall": 0.00045, "cumtime": 1.3, "cpercall": 1.3,
                         "filename": "/var/task/app.py", "lineno": 12, "function": "walk"}, ...],
     "total_calls": 2910, "primitive_calls": 2446, "total_time": 1.31}
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from fleece import log
from fleece._logging.arguments import require, require_count, require_number
from fleece._logging.functions import is_coroutine_function
from fleece._logging.logger import binding
from fleece._logging.retry import random

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from cProfile import Profile
    from typing import Any, TypeAlias, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])
    Function: TypeAlias = tuple[str, int, str]
    Numbers: TypeAlias = tuple[int, int, float, float, Mapping[Function, Any]]

__all__ = ["profile_handler"]

DEFAULT_FILTER = ("/var/task/",)
DEFAULT_LIMIT = 20
PROFILE_SAMPLE = 0.5


def profile_handler(
    sample: float = PROFILE_SAMPLE,
    stats_filter: Sequence[str] | None = None,
    stats_limit: int = DEFAULT_LIMIT,
    logger: Any = None,
) -> Callable[[F], F]:
    """Decorate a handler so that a share of its invocations is profiled with `cProfile`.

    A profiled invocation logs ``Profiling completed`` at ``INFO``, also when it raises. Its fields are ``total_calls``,
    ``primitive_calls`` (those not made by recursion), ``total_time`` in seconds, and ``profiling_data``: for each
    function ``ncalls``, ``tottime`` (without what it called) and ``cumtime`` (with it) in seconds, ``tpercall`` and
    ``cpercall`` (the same for a call, recursion counting once in the latter), ``filename``, ``lineno`` and
    ``function``; those that took most come first.

    Of an ``async def``, what else the event loop runs meanwhile is profiled with it. Where another profiler is active,
    the invocation runs without.

    Args:
        sample: the share of invocations to profile, from 0 to 1.
        stats_filter: regular expressions; functions are listed whose ``filename:lineno(function)`` all of them are
            found in. Default: the function's own code, under ``/var/task/``.
        stats_limit: how many functions to list.
        logger: where to log; default: the logger ``profiler``. A standard logger will do.

    Raises:
        TypeError: an argument has the wrong type; `sample` is the function, because the parentheses are missing.
        ValueError: a number is out of its range, or a pattern is no regular expression.
    """
    require_number("sample", sample, "a share from 0 to 1", highest=1)
    require_count("stats_limit", stats_limit)
    patterns = _compiled(DEFAULT_FILTER if stats_filter is None else stats_filter)
    if logger is not None:
        binding(logger)  # what is no logger is refused here, and not in an invocation

    def report(profile: Profile) -> None:
        profile.create_stats()
        fields = _summary(profile.stats, patterns, stats_limit)
        target = log.get_logger("profiler") if logger is None else binding(logger)
        target.info("Profiling completed", **fields)

    def decorator(func: F) -> F:
        if is_coroutine_function(func):

            @functools.wraps(func)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                profile = _started(sample)
                if profile is None:
                    return await func(*args, **kwargs)
                try:
                    return await func(*args, **kwargs)
                finally:
                    report(profile)

        else:

            @functools.wraps(func)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                profile = _started(sample)
                if profile is None:
                    return func(*args, **kwargs)
                try:
                    return func(*args, **kwargs)
                finally:
                    report(profile)

        return wrapper  # type: ignore[return-value]

    return decorator


def _compiled(patterns: Any) -> list[re.Pattern[str]]:
    is_list = isinstance(patterns, Iterable) and not isinstance(patterns, (str, bytes))
    require(is_list, "stats_filter", "a list of regular expressions", patterns)
    return [_pattern(pattern) for pattern in patterns]


def _pattern(pattern: Any) -> re.Pattern[str]:
    wanted = "of regular expressions"
    require(isinstance(pattern, (str, re.Pattern)), "stats_filter", wanted, pattern)
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"stats_filter must be {wanted}: {pattern!r} was given ({error})") from error


def _started(sample: float) -> Profile | None:
    """Return a profile that is running, for the share `sample` of calls; else ``None``."""
    if random() >= sample:
        return None
    from cProfile import Profile  # noqa: PLC0415 (not paid for by invocations that are not profiled)

    profile = Profile()
    try:
        profile.enable()
    except ValueError:  # from Python 3.12: another profiler is active, and the invocation goes first
        return None
    return profile


def _summary(stats: Mapping[Function, Numbers], patterns: Sequence[re.Pattern[str]], limit: int) -> dict[str, Any]:
    """Return a profile's data (`pstats` names it so: calls, of them primitive, times, callers) as a line's fields."""
    shown = [
        _function(function, numbers)
        for function, numbers in stats.items()
        if all(pattern.search("{}:{}({})".format(*function)) for pattern in patterns)
    ]
    shown.sort(key=lambda entry: (-entry["cumtime"], -entry["tottime"], entry["filename"], entry["lineno"]))
    return {
        "profiling_data": shown[:limit],
        "total_calls": sum(numbers[1] for numbers in stats.values()),
        "primitive_calls": sum(numbers[0] for numbers in stats.values()),
        "total_time": sum(numbers[2] for numbers in stats.values()),
    }


def _function(function: Function, numbers: Numbers) -> dict[str, Any]:
    filename, lineno, name = function
    primitive, calls, own, cumulative, _ = numbers
    return {
        "ncalls": calls,
        "tottime": own,
        "tpercall": own / calls if calls else 0.0,
        "cumtime": cumulative,
        "cpercall": cumulative / primitive if primitive else 0.0,
        "filename": filename,
        "lineno": lineno,
        "function": name,
    }
