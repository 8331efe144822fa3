"""What the public functions cannot take is refused at the call."""

import logging
import math
import re

import pytest

from fleece import log
from fleece.profiling import profile_handler


class Unprintable:
    """An object without a text."""

    def __repr__(self):
        raise RuntimeError("no text")


class Lines:
    """An object whose text is several lines."""

    def __repr__(self):
        return "<Lines\n of text>"


def retry(**options):
    return log.RetryHandler(**{"handler": logging.NullHandler(), **options})


WRONG_TYPES = [
    (log.setup_root_logger, "level", [3.5, True, ["INFO"], Unprintable(), Lines()]),
    (log.setup_root_logger, "stream", ["stdout", 1]),
    (log.setup_root_logger, "logger_factory", ["structlog"]),
    (log.get_logger, "name", [5, b"name", logging.getLogger("x")]),
    (log.get_logger, "level", [3.5, True, ["INFO"]]),
    (log.get_logger, "stream", ["stdout"]),
    (log.get_logger, "logger_factory", [1]),
    (log.get_logger, "wrapper_class", ["BoundLogger"]),
    (retry, "handler", [None, "handler", logging.NullHandler, logging.getLogger("x")]),
    (retry, "max_retries", ["5", 1.0, None, True]),
    (retry, "backoff_base", ["0.1", None, True]),
    (retry, "backoff_cap", ["1", None, True]),
    (log.logme, "level", [print, None, 3.5]),
    (log.logme, "logger", ["x", 1, print]),
    (log.inject_request_ids_into_environment, "func", [None, "handler", {}]),
    (profile_handler, "sample", [print, "0.5", None, True]),
    (profile_handler, "stats_filter", ["/var/task/", 1, [1], [None]]),
    (profile_handler, "stats_limit", ["20", 1.5, None, True]),
    (profile_handler, "logger", ["x", 1, print]),
]
WRONG_VALUES = [
    (log.setup_root_logger, "level", ["LOUD", "", "-1"]),
    (log.get_logger, "level", ["LOUD", ""]),
    (retry, "max_retries", [-1]),
    (retry, "backoff_base", [-0.1, math.nan, math.inf]),
    (retry, "backoff_cap", [-1, math.nan, math.inf]),
    (log.logme, "level", ["LOUD"]),
    (profile_handler, "sample", [-0.1, 1.1, 50, math.nan]),
    (profile_handler, "stats_filter", [["("]]),
    (profile_handler, "stats_limit", [-1]),
]


def cases(table, error):
    return [
        pytest.param(function, name, value, error, id=f"{function.__name__}-{name}-{number}")
        for function, name, values in table
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("function", "name", "value", "error"), cases(WRONG_TYPES, TypeError) + cases(WRONG_VALUES, ValueError)
)
def test_a_wrong_argument_is_refused_by_its_name(function, name, value, error):
    """The error is one line that names the argument and what was given, and nothing has been set up."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.getLogRecordFactory()
    with pytest.raises(error) as caught:
        function(**{name: value})
    message = str(caught.value)
    shown = type(value).__name__ if isinstance(value, (Unprintable, Lines)) else repr(value).strip("[]")
    assert re.match(rf"{name} must be .*: .*{re.escape(shown)}.* was given", message)
    assert "\n" not in message
    assert (root.handlers, root.level, logging.getLogRecordFactory()) == before


def test_what_is_given_is_not_shown_at_length():
    """A huge value is cut in the message."""
    with pytest.raises(ValueError, match="level must be") as caught:
        log.setup_root_logger("x" * 10_000)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("logger", ["x", None, print])
def test_binds_of_an_invocation_want_a_logger(logger):
    """``initial_trace_and_context_binds`` refuses what is no logger."""
    with pytest.raises(TypeError, match=f"logger must be .*{re.escape(repr(logger))} was given"):
        log.initial_trace_and_context_binds(logger, "1-2-3", None)


def test_the_bounds_themselves_are_taken():
    """Zero retries, no wait, and a share of nothing or all are what a program may ask for."""
    retry(max_retries=0, backoff_base=0, backoff_cap=0)
    for sample in (0, 1, 0.0, 1.0):
        profile_handler(sample=sample, stats_filter=(), stats_limit=0)
