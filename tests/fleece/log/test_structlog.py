"""fleece beside structlog: its loggers with fleece's lines, and fleece's processors in its chains."""

import io
import json
import logging
import sys

import pytest
import structlog

from fleece import log
from fleece._errors import FleeceError
from fleece.log import get_logger, setup_root_logger


@pytest.fixture(autouse=True)
def _structlog():
    """Leave structlog as it was found."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


FACTORIES = {
    "none": None,
    "standard": structlog.stdlib.LoggerFactory,
    "print": structlog.PrintLoggerFactory,
    "write": structlog.WriteLoggerFactory,
}
WRAPPERS = {
    "none": None,
    "standard": structlog.stdlib.BoundLogger,
    "filtering": structlog.make_filtering_bound_logger(logging.DEBUG),
    "generic": structlog.BoundLogger,
}


@pytest.mark.parametrize(
    ("factory", "wrapper"),
    [(factory, wrapper) for factory in FACTORIES for wrapper in WRAPPERS if factory != wrapper or factory != "none"],
)
def test_a_structlog_logger_writes_the_same_line(factory, wrapper, name, fleece_logs):
    """Whatever structlog's factory and wrapper are, the line is the one that fleece's own logger writes."""
    made = FACTORIES[factory]
    theirs = get_logger(name, logger_factory=made and made(), wrapper_class=WRAPPERS[wrapper])
    ours = get_logger(name)
    structlog.contextvars.bind_contextvars(request="r")

    def write(logger):
        bound = logger.bind(user=7, level="forged")
        bound.warning("stored", count=3)
        try:
            int("x")
        except ValueError:
            bound.error("failed", exc_info=True)
        handler = log.inject_request_ids_into_environment(lambda event, context: bound.info("in"))
        handler({"requestContext": {"requestId": "api"}}, None)

    write(theirs)
    structlog.contextvars.clear_contextvars()
    with log.bound_contextvars(request="r"):
        write(ours)
    lines = [{**line, "timestamp": None, "cold_start": None} for line in fleece_logs.lines]
    assert lines[:3] == lines[3:]
    assert lines[0]["level_"] == "forged"
    assert lines[1]["exception"].endswith("base 10: 'x'")
    assert lines[2]["api_request_id"] == "api"


def test_positional_arguments_work_through_structlog(name, fleece_logs):
    """Structlog's standard wrapper takes % arguments, and so do the lines."""
    get_logger(name, logger_factory=structlog.PrintLoggerFactory()).info("%d of %s", 3, "x")
    get_logger(name, wrapper_class=structlog.stdlib.BoundLogger).info("%d of %s", 3, "x")
    assert [line["event"] for line in fleece_logs.lines] == ["3 of x", "3 of x"]


@pytest.mark.parametrize(
    ("method", "level"),
    [
        ("msg", "info"), ("warn", "warning"), ("err", "error"), ("failure", "error"), ("exception", "error"),
        ("fatal", "critical"),
    ],
)  # fmt: skip
def test_every_method_of_structlogs_loggers_has_a_level(method, level, name, fleece_logs):
    """The names that only structlog's own loggers have log at the levels that their names say."""
    logger = get_logger(name, logger_factory=structlog.PrintLoggerFactory(), wrapper_class=structlog.BoundLogger)
    getattr(logger, method)("x")
    assert [line["level"] for line in fleece_logs.lines] == [level]


def test_exceptions_and_stacks_work_through_structlog(name, fleece_logs):
    """``exception`` and ``stack_info`` put traceback and stack into the line."""
    for factory in (None, structlog.PrintLoggerFactory()):
        logger = get_logger(name, logger_factory=factory, wrapper_class=structlog.stdlib.BoundLogger)
        try:
            int("x")
        except ValueError:
            logger.exception("failed", stack_info=True)
    for line in fleece_logs.lines:
        assert line["level"] == "error"
        assert line["exception"].endswith("base 10: 'x'")
        assert line["stack"].startswith("Stack")
    assert len(fleece_logs.lines) == fleece_logs.out.count("\n") == 2


def test_it_is_a_structlog_logger(name):
    """What is returned is of the wrapper class that was asked for."""
    assert isinstance(get_logger(name, wrapper_class=structlog.stdlib.BoundLogger), structlog.stdlib.BoundLogger)


def test_bytes_loggers_get_bytes(name):
    """Structlog's logger for bytes gets the line as UTF-8."""
    stream = io.BytesIO()
    get_logger(name, logger_factory=structlog.BytesLoggerFactory(stream)).info("größer")
    assert json.loads(stream.getvalue())["event"] == "größer"


@pytest.mark.parametrize("factory", [None, structlog.PrintLoggerFactory()])
def test_levels_hold_for_structlogs_loggers(factory, name, fleece_logs):
    """The level of the logger of that name filters, whatever writes."""
    logger = get_logger(name, level="WARNING", logger_factory=factory, wrapper_class=structlog.stdlib.BoundLogger)
    logger.info("hidden")
    logger.warning("shown")
    assert [line["event"] for line in fleece_logs.lines] == ["shown"]


def test_the_roots_factory_holds_for_all_loggers(name, fleece_logs):
    """A factory given to ``setup_root_logger`` makes every logger after it, until the next set-up."""
    setup_root_logger(logger_factory=structlog.PrintLoggerFactory())
    assert isinstance(get_logger(name), structlog.stdlib.BoundLogger)
    get_logger(name).info("x")
    setup_root_logger()
    assert isinstance(get_logger(name), log.BoundLogger)
    assert [line["event"] for line in fleece_logs.lines] == ["x"]


def test_structlogs_own_configuration_is_left_alone(name):
    """Asking for a structlog logger does not configure structlog for the application."""
    get_logger(name, logger_factory=structlog.PrintLoggerFactory())
    assert not structlog.is_configured()


def test_the_processors_fit_into_an_applications_chain(fleece_logs):
    """``add_request_ids_from_environment`` and ``merge_contextvars`` are processors of structlog."""
    structlog.configure(
        processors=[
            log.merge_contextvars,
            log.add_request_ids_from_environment,
            structlog.processors.JSONRenderer(),
        ]
    )

    @log.inject_request_ids_into_environment
    def handler(event, context):
        with log.bound_contextvars(user=7):
            structlog.get_logger().info("x", api_request_id="forged")

    handler({"requestContext": {"requestId": "api"}}, None)
    assert fleece_logs.lines == [{"event": "x", "user": 7, "api_request_id": "api"}]


def test_fields_of_an_applications_structlog_reach_the_line(name, fleece_logs):
    """An application whose structlog hands its fields to standard logging gets them in fleece's lines."""
    setup_root_logger()
    structlog.configure(
        processors=[structlog.stdlib.render_to_log_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    structlog.get_logger(name).info("x", user=7)
    assert (fleece_logs.lines[0]["event"], fleece_logs.lines[0]["user"]) == ("x", 7)


def test_without_structlog_the_error_says_what_to_install(name, monkeypatch):
    """Asking for structlog where it is not installed is an error that says how to install it."""
    monkeypatch.setitem(sys.modules, "structlog", None)
    with pytest.raises(FleeceError, match="pip install structlog"):
        get_logger(name, logger_factory=lambda *_: None)
    get_logger(name).info("works without")


def test_logme_takes_a_structlog_logger(name, fleece_logs):
    """``logme`` and ``initial_trace_and_context_binds`` work with structlog's loggers."""
    logger = log.initial_trace_and_context_binds(
        get_logger(name, logger_factory=structlog.PrintLoggerFactory()), "1-2-3", None
    )
    log.logme("INFO", logger)(lambda: 5)()
    assert [line["trace_id"] for line in fleece_logs.lines] == ["1-2-3", "1-2-3"]
