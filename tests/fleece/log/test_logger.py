"""The logger that a program calls."""

import copy
import io
import logging
import pickle
import sys

import pytest

from fleece import log
from fleece.log import get_logger, getLogger


def test_bind_binds_to_the_logger_it_returns_only(name, fleece_logs):
    """Bound fields are in the lines of the logger that ``bind`` returned, and in no other's."""
    logger = get_logger(name)
    bound = logger.bind(user=7)
    bound.bind(request=1).info("both")
    bound.info("one")
    logger.info("none")
    get_logger(name).info("none either")
    both, one, none, none_either = fleece_logs.lines
    assert (both["user"], both["request"], one["user"]) == (7, 1, 7)
    assert not {"user", "request"} & {*none, *none_either}
    assert "request" not in one


def test_unbind_and_new_take_fields_away(name, fleece_logs):
    """``new`` keeps only what it is given; ``unbind`` refuses names that are not bound, ``try_unbind`` does not."""
    bound = get_logger(name).bind(a=1, b=2)
    bound.new(c=3).info("new")
    bound.unbind("a").info("unbind")
    bound.try_unbind("a", "z").info("try")
    with pytest.raises(KeyError):
        bound.unbind("a", "z")
    kept = [set(line) & {"a", "b", "c"} for line in fleece_logs.lines]
    assert kept == [{"c"}, {"b"}, {"b"}]


def test_given_fields_win_over_bound_ones_and_these_over_the_contexts(name, fleece_logs):
    """The nearest value of a field is the one in the line."""
    with log.bound_contextvars(a="context", b="context", c="context"):
        get_logger(name).bind(a="bound", b="bound").info("x", a="given")
    line = fleece_logs.lines[0]
    assert (line["a"], line["b"], line["c"]) == ("given", "bound", "context")


def test_the_rest_is_the_standard_loggers(name, plain_handler):
    """What a standard logger has, the logger has too: reading, calling and setting reach the standard one."""
    logger, standard = get_logger(name), logging.getLogger(name)
    logger.addHandler(plain_handler)
    logger.setLevel("ERROR")
    logger.propagate = False
    assert standard.handlers == logger.handlers == [plain_handler]
    assert logger.name == name
    assert logger.level == standard.level == logging.ERROR
    assert not standard.propagate
    assert not logger.isEnabledFor(logging.WARNING)
    assert logger.getEffectiveLevel() == logging.ERROR
    with pytest.raises(AttributeError):
        logger.no_such_thing  # noqa: B018 (the look-up is the test)


def test_getlogger_is_get_logger():
    """The standard name for it is the same function."""
    assert getLogger is get_logger


def test_a_child_keeps_the_fields(name, fleece_logs):
    """``getChild`` gives the logger below, with the fields bound so far."""
    get_logger(name).bind(a=1).getChild("child").info("x")
    assert (fleece_logs.lines[0]["logger"], fleece_logs.lines[0]["a"]) == (f"{name}.child", 1)


@pytest.mark.parametrize("remake", [copy.copy, copy.deepcopy, lambda logger: pickle.loads(pickle.dumps(logger))])  # noqa: S301
def test_a_logger_can_be_copied_and_pickled(remake, name, fleece_logs):
    """A logger that is an attribute of something copied or sent to another process still works there."""
    remake(get_logger(name).bind(a=1)).info("x")
    assert fleece_logs.lines[0]["a"] == 1


@pytest.mark.parametrize(
    "method", ["debug", "info", "warning", "warn", "error", "critical", "fatal", "exception", "log"]
)
def test_the_record_says_where_the_call_stands(method, name, plain_handler):
    """Each method reports its caller's file, line and function, as standard logging does."""
    logger = get_logger(name)
    logger.addHandler(plain_handler)
    level = ("INFO",) if method == "log" else ()
    getattr(logger, method)(*level, "x")
    expected = sys._getframe().f_lineno - 1
    record = plain_handler.records[0]
    assert (record.pathname, record.lineno) == (__file__, expected)
    assert record.funcName == "test_the_record_says_where_the_call_stands"


def test_stacklevel_names_the_callers_caller(name, plain_handler):
    """``stacklevel`` moves the reported place outwards, and not beyond the outermost frame."""
    logger = get_logger(name)
    logger.addHandler(plain_handler)

    def helper(stacklevel):
        logger.info("x", stacklevel=stacklevel)

    helper(2)
    helper("x")
    helper(10**9)
    caller, own, outermost = (record.funcName for record in plain_handler.records)
    assert (caller, own) == ("test_stacklevel_names_the_callers_caller", "helper")
    assert outermost not in (caller, own)


def test_extra_becomes_fields(name, fleece_logs):
    """The standard ``extra`` is taken as fields, also with names that standard logging refuses; keywords win."""
    get_logger(name).info("x", extra={"message": "m", "name": "n", "a": 1}, a=2)
    line = fleece_logs.lines[0]
    assert (line["message"], line["name"], line["a"]) == ("m", "n", 2)


@pytest.mark.parametrize(
    ("level", "written"), [("warning", "warning"), ("TRACE", "debug"), (10, "debug"), ("?", "error")]
)
def test_log_takes_names_and_numbers(level, written, name, fleece_logs):
    """``log`` takes a level's name or number, and an unknown one is an error's rather than nothing."""
    get_logger(name).log(level, "x")
    assert fleece_logs.lines[0]["level"] == written


def test_what_is_filtered_out_is_not_looked_at(name, fleece_logs):
    """A call below the logger's level writes nothing and never asks its arguments for their text."""
    asked = []

    class Asked:
        def __str__(self):
            asked.append(self)
            return ""

    logger = get_logger(name, level="WARNING")
    logger.info("%s", Asked(), field=Asked())
    logger.log("info", Asked())
    assert fleece_logs.lines == []
    assert asked == []


def test_a_change_of_levels_holds_from_the_next_call_on(name, fleece_logs):
    """However a level is changed, on the logger, above it or for the process, calls follow at once."""
    logger = get_logger(name, level="INFO")
    logger.debug("off")
    logger.setLevel("DEBUG")
    logger.debug("set on the logger")
    logging.getLogger(name).setLevel("INFO")
    logger.debug("off")
    logging.getLogger(name).setLevel(logging.NOTSET)
    logger.debug("set above")
    logging.disable(logging.DEBUG)
    try:
        logger.debug("off")
    finally:
        logging.disable(logging.NOTSET)
    logger.debug("not disabled")
    logger.disabled = True
    try:
        logger.debug("off")
    finally:
        logger.disabled = False
    assert [line["event"] for line in fleece_logs.lines] == ["set on the logger", "set above", "not disabled"]


def test_a_logger_class_of_the_programs_own_is_asked(name, fleece_logs):
    """What a program's own class of loggers does with records is done."""

    class Counting(logging.Logger):
        count = 0

        def handle(self, record):
            self.count += 1
            super().handle(record)

    logger = get_logger(name)
    logger.manager.loggerDict.pop(name)
    before = logging.getLoggerClass()
    logging.setLoggerClass(Counting)
    try:
        logger = get_logger(name)
    finally:
        logging.setLoggerClass(before)
    logger.info("x")
    assert logger.count == len(fleece_logs.lines) == 1


def test_filters_of_the_logger_may_add_fields_and_drop_lines(name, fleece_logs):
    """Standard filters work: what they put on the record is in the line, and what they refuse is not written."""
    logger = get_logger(name)

    def tenant(record):
        record.tenant = "t1"
        return record.getMessage() and "secret" not in record.msg

    logger.addFilter(tenant)
    try:
        logger.info("x")
        logger.info("secret")
    finally:
        logger.removeFilter(tenant)
    assert [line["tenant"] for line in fleece_logs.lines] == ["t1"]


def test_a_text_that_logs_while_it_is_logged_does_no_harm(name, plain_handler):
    """An object whose text logs a line of its own makes two lines."""
    logger = get_logger(name)
    logger.addHandler(plain_handler)
    logger.propagate = False

    class Chatty:
        def __str__(self):
            logger.info("inner")
            return "outer"

    logger.info("x", value=Chatty())
    assert ['"inner"' in text for text in plain_handler.texts] == [True, False]


def test_a_line_for_a_closed_stream_goes_to_stderr(name, capsys):
    """A line that the stream has not taken is on stderr, once, as a line."""
    stream = io.StringIO()
    logger = get_logger(name, stream=stream)
    stream.close()
    logger.info("x")
    captured = capsys.readouterr()
    assert captured.err.count('"event": "x"') == captured.err.count("\n") == 1
    assert captured.out == ""


def test_binds_of_an_invocation(name, fleece_context, fleece_logs):
    """The trace id and the context's names are bound to the logger returned, whose earlier fields stay."""
    logger = get_logger(name).bind(service="users")
    context = fleece_context(function_name="users")
    log.initial_trace_and_context_binds(logger, "1-2-3", context).info("bound")
    log.initial_trace_and_context_binds(logging.getLogger(name), "1-2-3", None).info("standard")
    logger.info("before")
    bound, standard, before = fleece_logs.lines
    assert bound["service"] == "users"
    assert bound["trace_id"] == standard["trace_id"] == "1-2-3"
    assert bound["lambda_context"] == {
        attribute: getattr(context, attribute)
        for attribute in (
            "aws_request_id", "function_name", "function_version", "invoked_function_arn",
            "log_group_name", "log_stream_name", "memory_limit_in_mb",
        )
    }  # fmt: skip
    assert set(standard["lambda_context"].values()) == {None}
    assert "trace_id" not in before


@pytest.mark.parametrize("make", [get_logger, logging.getLogger])
def test_logme_logs_entering_and_exiting(make, name, fleece_logs):
    """A decorated function logs both with its name, the second with what it returned, and keeps its name."""
    get_logger()

    @log.logme(level="INFO", logger=make(name))
    def add(a, b):
        """Add."""
        return a + b

    assert add(1, b=2) == 3
    assert (add.__name__, add.__doc__) == ("add", "Add.")
    entering, exiting = fleece_logs.lines
    assert (entering["event"], exiting["event"], exiting["add_response"]) == ("Entering add", "Exiting add", 3)
    assert {entering["level"], exiting["level"]} == {"info"}
    assert entering["logger"] == name


def test_logme_takes_an_adapter_with_what_it_adds(name, fleece_logs):
    """The fields of a logging.LoggerAdapter are on both lines; of two adapters, the outer one's win."""
    get_logger(name)
    inner = logging.LoggerAdapter(logging.getLogger(name), {"order": 7, "region": "there"})
    adapter = logging.LoggerAdapter(inner, {"region": "here"})

    @log.logme(level="INFO", logger=adapter)
    def work():
        return "done"

    assert work() == "done"
    assert [(line["event"], line["order"], line["region"]) for line in fleece_logs.lines] == [
        ("Entering work", 7, "here"),
        ("Exiting work", 7, "here"),
    ]


def test_logme_finds_the_functions_own_logger(fleece_logs):
    """Without a logger, lines go to that of the function's module, at DEBUG; an error passes through."""

    @log.logme()
    def fail():
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    (line,) = fleece_logs.lines
    assert (line["logger"], line["level"]) == (__name__, "debug")


def test_logme_waits_for_coroutines(name, fleece_logs):
    """Of an ``async def`` the result is logged, not the coroutine."""
    import asyncio

    @log.logme(logger=get_logger(name))
    async def answer():
        return 42

    assert asyncio.run(answer()) == 42
    assert fleece_logs.lines[-1]["answer_response"] == 42
