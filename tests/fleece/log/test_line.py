"""What a line looks like."""

import collections
import datetime as dt
import decimal
import json
import logging
import os
import re
import subprocess
import sys
import uuid

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from fleece.log import get_logger

OWN_KEYS = [
    "event", "level", "logger", "timestamp", "exception", "stack", "truncated",
    "api_request_id", "lambda_request_id", "function_name", "cold_start", "xray_trace_id",
]  # fmt: skip


def strict(text):
    """Parse as a parser does that knows RFC 8259 only."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_a_line_has_its_four_keys_and_the_fields(name, fleece_logs):
    """A line is one JSON object with event, level, logger, timestamp and the fields given."""
    get_logger(name).info("stored", bucket="photos", count=3)
    assert fleece_logs.out.count("\n") == 1
    (line,) = fleece_logs.lines
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("timestamp"))
    assert line == {"event": "stored", "level": "info", "logger": name, "bucket": "photos", "count": 3}


def test_the_timestamp_is_the_records_time_in_utc(name, fleece_logs):
    """The timestamp is when the record was made, in UTC to the microsecond, whatever the time zone."""
    logger = get_logger(name)
    record = logger.makeRecord(name, logging.INFO, "", 0, "then", (), None)
    record.created = 1_000_000_000.000042
    logger.handle(record)
    assert fleece_logs.lines[0]["timestamp"] == "2001-09-09T01:46:40.000042Z"


@pytest.mark.parametrize(
    ("method", "level"),
    [("debug", "debug"), ("info", "info"), ("warning", "warning"), ("error", "error"), ("critical", "critical")],
)
def test_levels_are_lower_case(method, level, name, fleece_logs):
    """Levels are written in lower case under the names that Python gives them."""
    getattr(get_logger(name), method)("x")
    assert fleece_logs.lines[0]["level"] == level


@pytest.mark.parametrize(
    "variables",
    [{"AWS_LAMBDA_LOG_FORMAT": "JSON"}, {"AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"}],
)
def test_in_lambdas_json_format_levels_have_lambdas_names(variables, name, monkeypatch, fleece_logs):
    """Where Lambda filters lines by their level, levels are written as Lambda calls them."""
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    logger = get_logger(name, level=1)
    for level in (5, 10, 20, 30, 40, 50, 60):
        logger.log(level, "x")
    assert [line["level"] for line in fleece_logs.lines] == [
        "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "FATAL",
    ]  # fmt: skip


def test_positional_arguments_go_into_the_event(name, fleece_logs):
    """Arguments are put into the event with %, also by names from one mapping."""
    logger = get_logger(name)
    logger.info("%s has %d", "box", 3)
    logger.info("%(a)s", {"a": 1})
    logger.info("100%")
    assert [line["event"] for line in fleece_logs.lines] == ["box has 3", "1", "100%"]


def test_the_event_may_be_a_keyword_or_missing(name, fleece_logs):
    """As in structlog, the event may be given by name, or not at all; it is always there in the line."""
    logger = get_logger(name)
    logger.info(event="by name", a=1)
    logger.info(a=1)
    logger.info("twice", event="field")
    assert [line["event"] for line in fleece_logs.lines] == ["by name", "", "twice"]
    assert fleece_logs.lines[2]["event_"] == "field"


def test_a_mapping_as_the_event_stays_one(name, fleece_logs):
    """A dict or list logged as the event is written as JSON, not as Python's text of it."""
    get_logger(name).info({"a": [1, None]})
    assert fleece_logs.lines[0]["event"] == {"a": [1, None]}


@pytest.mark.parametrize("key", OWN_KEYS)
def test_own_keys_cannot_be_forged(key, name, fleece_logs):
    """A field named as one of fleece's own keys is kept under that name with an underscore behind it."""
    logger = get_logger(name).bind(**{key: "bound"})
    logger.info("x", **{key: "forged"})
    logging.getLogger(name).info("x", extra={key: "forged"})
    ours, others = fleece_logs.lines
    assert ours[f"{key}_"] == others[f"{key}_"] == "forged"
    assert "forged" not in (ours.get(key), others.get(key))


def test_own_keys_cannot_be_forged_by_what_only_looks_different(name, fleece_logs):
    """A key that is no text, but reads as one of fleece's own in JSON, gets its underscore too."""

    class Key:
        def __str__(self):
            return "level"

    get_logger(name).info("ours", extra={Key(): "forged", None: 1})
    logging.getLogger(name).info("theirs", extra={Key(): "forged", 7: 1})
    ours, theirs = fleece_logs.lines
    assert fleece_logs.out.count('"level":') == 2
    assert (ours["level"], ours["level_"], ours["null"]) == ("info", "forged", 1)
    assert (theirs["level"], theirs["level_"], theirs["7"]) == ("info", "forged", 1)


def test_renamed_fields_overwrite_no_other_field(name, fleece_logs):
    """A field that has to be renamed takes a name that is free."""
    get_logger(name).info("x", level=1, level_=2)
    get_logger(name).info("y", extra={("a", 1): 1, "('a', 1)": 2, UnicodeError("a"): 3, UnicodeError("a"): 4})
    first, second = fleece_logs.lines
    assert (first["level_"], first["level__"]) == (2, 1)
    assert (second["('a', 1)_"], second["('a', 1)"], second["a"], second["a_"]) == (1, 2, 3, 4)


def test_usual_values_are_written_in_their_usual_form(name, fleece_logs):
    """Dates are ISO 8601; UUIDs, decimals, paths and bytes are their text; sets are lists; errors say their type."""
    identity = uuid.uuid4()
    get_logger(name).info(
        "x",
        date=dt.date(2026, 1, 2),
        identity=identity,
        money=decimal.Decimal("1.10"),
        data=b"abc\xff",
        members={1, "one"},
        error=KeyError("k"),
        environment=os.environ,
    )
    line = fleece_logs.lines[0]
    assert line["date"] == "2026-01-02"
    assert line["identity"] == str(identity)
    assert line["money"] == "1.10"
    assert line["data"] == "abc\\xff"
    assert sorted(line["members"], key=str) == [1, "one"]
    assert line["error"] == "KeyError('k')"
    assert line["environment"]["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        ([1, float("-inf")], [1, "-Infinity"]),
        ({(1, 2): 0, 1: "int", None: 2, "a": 3}, {"(1, 2)": 0, "1": "int", "null": 2, "a": 3}),
        ({1: "int", "1": "str", (): 0}, {"1": "int", "1_": "str", "()": 0}),
        (10**5000, hex(10**5000)),
        ("\udcff", "\\udcff"),
    ],
    ids=["nan", "infinity", "inside", "keys", "same keys", "huge", "surrogate"],
)  # fmt: skip
def test_values_outside_of_json_are_written_as_text(value, written, name, fleece_logs):
    """NaN, infinities, keys of other types, huge integers and lone surrogates become valid JSON, and lose nothing."""
    get_logger(name).info("x", value=value)
    assert strict(fleece_logs.out)["value"] == written


def test_a_structure_that_contains_itself_is_cut_there(name, fleece_logs):
    """Circular values are written up to where they begin again."""
    circle = {"a": 1}
    circle["self"] = [circle]
    get_logger(name).info("x", circle=circle)
    assert strict(fleece_logs.out)["circle"] == {"a": 1, "self": ["<circular dict>"]}


def test_a_mapping_of_another_type_that_contains_itself_is_cut_there(name, fleece_logs):
    """What is no dict, but is written as one, is written up to where it begins again as well."""
    circle = collections.UserDict(a=1)
    circle["self"] = [circle]
    get_logger(name).info("x", circle=circle)
    written = strict(fleece_logs.out)["circle"]
    assert (written["a"], type(written["self"][0])) == (1, str)


class Growing:
    """Change what it is in whenever it is asked for its text."""

    def __init__(self, grow):
        self.grow = grow

    def __str__(self):
        self.grow(self)
        return "growing"


def test_what_changes_while_it_is_written_is_written_as_it_was(name, plain_handler):
    """A container that grows meanwhile, as under another thread's hands, loses nothing, and does not go on for ever."""
    items, values = [float("nan")], {"nan": float("nan")}
    items.append(Growing(lambda growing: len(items) < 100 and items.append(growing)))
    values["growing"] = Growing(lambda growing: values.update(more=growing))
    logger = get_logger(name)
    logger.propagate = False
    logger.addHandler(plain_handler)
    logger.info("x", items=items, values=values)
    line = strict(plain_handler.texts[0])
    assert line["items"] == ["NaN", "growing"]
    assert line["values"] == {"nan": "NaN", "growing": "growing"}


def test_deep_nesting_is_cut(name, fleece_logs):
    """A value nested deeper than Python's recursion limit, or stack, still makes a line that can be read."""
    value = []
    for _ in range(200_000):
        value = [value]
    get_logger(name).info("x", value=value)
    assert "nested too deeply" in json.dumps(strict(fleece_logs.out)["value"])


class Broken:
    """Fail in everything that a logger might ask for."""

    def __repr__(self):
        raise RuntimeError("broken")

    __str__ = __repr__
    __len__ = __repr__
    __bool__ = __repr__

    @property
    def __class__(self):
        raise RuntimeError("broken")


class Hostile(dict):
    """A dict that cannot be read."""

    def items(self):
        raise RuntimeError("broken")

    __iter__ = keys = values = items


def test_broken_objects_cost_only_themselves(name, fleece_logs):
    """An object that cannot even be printed is named by its type, wherever it stands; the rest of the line is there."""
    logger = get_logger(name)
    logger.info("field", bad=Broken(), good=1)
    logger.info("nested", bad=[{"a": Broken()}], good=1)
    logger.info("argument %s", Broken(), good=1)
    logger.info(Broken(), good=1)
    logger.info("hostile", bad=Hostile(a=1), good=1)
    logger.bind(bad=Broken()).info("bound", good=1)
    logging.getLogger(name).info("extra", extra={"bad": Broken(), "good": 1})
    for special in ("exc_info", "stack_info", "stacklevel", "extra"):
        logger.info("special", good=1, **{special: Broken()})
    assert len(fleece_logs.lines) == 11
    assert all(line["good"] == 1 for line in fleece_logs.lines)
    assert "Broken object" in fleece_logs.lines[0]["bad"]
    assert "Broken object" in fleece_logs.lines[1]["bad"][0]["a"]
    assert fleece_logs.lines[2]["event"] == "argument %s"


@pytest.mark.parametrize("args", [("x",), (1, 2), ({},)])
def test_a_bad_format_keeps_its_arguments(args, name, fleece_logs):
    """A format that does not fit its arguments is written as it is, with the arguments beside it."""
    get_logger(name).info("%d", *args)
    assert fleece_logs.lines[0]["event"] == "%d"
    assert fleece_logs.lines[0]["positional_args"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None, exclude_categories=()))
    | st.binary()
    | st.datetimes()
    | st.builds(object)
    | st.builds(Broken),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.none() | st.integers() | st.floats() | st.text() | st.tuples(st.text()), inner, max_size=4)
        | st.sets(st.integers() | st.text(), max_size=3)
    ),
    max_leaves=12,
)
NAMES = st.text(max_size=12) | st.sampled_from(
    [*OWN_KEYS, "exc_info", "extra", "stacklevel", "stack_info", "msg", "args"]
)


METHODS = {
    "debug": "debug", "info": "info", "warning": "warning", "warn": "warning", "error": "error", "exception": "error",
    "critical": "critical", "fatal": "critical", "log": "error",
}  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from([*METHODS]),
    event=VALUES,
    args=st.lists(VALUES, max_size=2),
    bound=st.dictionaries(NAMES, VALUES, max_size=2),
    fields=st.dictionaries(NAMES, VALUES, max_size=5),
)
@example(method="info", event="\x1b[31m\x9b31m\r\n\x85\u2028", args=[], bound={}, fields={"a\nb": "\u2029"})
def test_any_call_makes_one_line_of_strict_json(method, event, args, bound, fields, name, plain_handler):
    """Whatever is logged makes one line of strict JSON with fleece's own keys, and nothing is raised."""
    logger = get_logger(name)
    logger.propagate = False
    logger.handlers = [plain_handler]
    plain_handler.texts.clear()
    level = [Broken()] if method == "log" else []
    getattr(logger.bind(**bound), method)(*level, event, *args, **fields)
    (text,) = plain_handler.texts
    assert len(text.splitlines()) == 1
    line = strict(text.encode().decode())
    assert line["level"] == METHODS[method]
    assert line["logger"] == name
    assert set(line) >= {"event", "timestamp"}
    assert re.fullmatch(r"-?\d+-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["timestamp"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(attributes=st.dictionaries(st.sampled_from(["msg", "args", "levelname", "created", "name", "a"]), VALUES))
def test_any_record_makes_one_line_of_strict_json(attributes, name, plain_handler):
    """Whatever has been made of a record, by a filter or another process, makes one line with the four keys."""
    logger = get_logger(name)
    logger.propagate = False
    logger.handlers = [plain_handler]
    plain_handler.texts.clear()
    record = logging.makeLogRecord({"name": name, "levelno": logging.INFO, "levelname": "INFO", **attributes})
    logger.handle(record)
    (text,) = plain_handler.texts
    assert len(text.splitlines()) == 1
    line = strict(text.encode().decode())
    assert set(line) >= {"event", "level", "logger", "timestamp"}
    assert re.fullmatch(r"-?\d+-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["timestamp"])


TEXTS = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=JSON)
def test_what_json_can_say_is_said_unchanged(value, name, plain_handler):
    """A value that JSON has a form for comes back equal, as a field of fleece's loggers and as an extra of others'."""
    logger = get_logger(name)
    logger.propagate = False
    logger.handlers = [plain_handler]
    plain_handler.texts.clear()
    logger.info("x", value=value)
    logging.getLogger(name).info("x", extra={"value": value})
    assert [strict(text)["value"] for text in plain_handler.texts] == [value, value]


def test_text_stays_readable(name, fleece_logs):
    """Text outside of ASCII is written as UTF-8, not escaped."""
    get_logger(name).info("größer ✓")
    assert '"größer ✓"' in fleece_logs.out


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_the_bytes_are_utf8_whatever_stdouts_encoding(encoding):
    """A process whose stdout has another encoding writes the same JSON, in bytes that are valid UTF-8."""
    code = "from fleece.log import get_logger; get_logger('x').info('größer ✓ \\U0001f411', a='\\udcff')"
    output = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    assert output.stderr == b""
    assert json.loads(output.stdout.decode("utf-8"))["event"] == "größer ✓ \U0001f411"


def test_an_exception_is_in_its_line_with_what_caused_it(name, fleece_logs):
    """An exception is one line, with the traceback of its cause and context."""
    logger = get_logger(name)
    try:
        try:
            {}["cause"]
        except KeyError as error:
            raise ValueError("effect") from error
    except ValueError:
        logger.exception("failed", a=1)
    (line,) = fleece_logs.lines
    assert (line["event"], line["level"], line["a"]) == ("failed", "error", 1)
    assert line["exception"].index("KeyError: 'cause'") < line["exception"].index("direct cause")
    assert line["exception"].endswith("ValueError: effect")
    assert fleece_logs.out.count("\n") == 1


def test_a_traceback_that_came_as_text_is_in_the_line(name, fleece_logs):
    """A record of another process, whose exception is text by now, has it in its line."""
    logger = get_logger(name)
    came = {"name": name, "levelno": logging.ERROR, "levelname": "ERROR", "exc_text": "Traceback\nKeyError: 'k'"}
    logger.handle(logging.makeLogRecord(came))
    assert fleece_logs.lines[0]["exception"] == "Traceback\nKeyError: 'k'"


@pytest.mark.parametrize("how", ["true", "instance", "triple"])
def test_exc_info_is_taken_in_all_its_forms(how, name, fleece_logs):
    """``exc_info`` may be true, an exception or a triple, at any level."""
    try:
        int("x")
    except ValueError as error:
        given_as = {"true": True, "instance": error, "triple": sys.exc_info()}[how]
        get_logger(name).info("x", exc_info=given_as)
    assert fleece_logs.lines[0]["exception"].endswith("base 10: 'x'")


@pytest.mark.parametrize("exc_info", [True, False, None, (None, None, None), "text", (1, 2), (1, 2, 3)])
def test_exc_info_without_an_exception_adds_nothing_and_raises_nothing(exc_info, name, fleece_logs):
    """``exc_info`` where no exception is being handled leaves a usual line, whatever was given."""
    get_logger(name).info("x", exc_info=exc_info)
    assert fleece_logs.lines[0]["event"] == "x"


def test_a_stack_is_in_its_line(name, fleece_logs):
    """``stack_info`` puts the stack of the caller into the line, and ends it at the caller."""
    get_logger(name).info("x", stack_info=True)
    assert fleece_logs.lines[0]["stack"].endswith('get_logger(name).info("x", stack_info=True)')
    assert fleece_logs.out.count("\n") == 1


def test_a_long_line_is_cut_and_marked(name, fleece_logs):
    """A line over 256 KB is cut to less, is still JSON, and says so; short fields are whole."""
    get_logger(name).info("x", text="é" * 300_000, many=list(range(100_000)), short="whole", level=1)
    line = strict(fleece_logs.out)
    assert len(fleece_logs.out.encode()) <= 256 * 1024
    assert line["truncated"] is True
    assert (line["event"], line["short"], line["level_"]) == ("x", "whole", 1)
    assert line["text"].rstrip("…") in "é" * 300_000
    assert line["many"].startswith("[0, 1, 2")


def test_a_line_is_measured_in_bytes(name, fleece_logs):
    """Text outside of ASCII, of fewer characters than there may be bytes, is cut where its bytes are too many."""
    get_logger(name).info("é" * 200_000)
    assert fleece_logs.lines[0]["truncated"] is True
    assert len(fleece_logs.out.encode()) <= 256 * 1024


def test_a_cut_line_uses_its_room(name, monkeypatch, fleece_logs):
    """What is left of a line that is too long fills the room that it has, its line feed included."""
    monkeypatch.setenv("FLEECE_LOG_MAX_BYTES", "2000")
    get_logger(name).info("x" * 5000)
    assert 1990 < len(fleece_logs.out.encode()) <= 2000


def test_a_line_below_the_limit_is_whole(name, fleece_logs):
    """A line of 255 KB is neither cut nor marked."""
    get_logger(name).info("x" * 255 * 1024)
    assert fleece_logs.lines[0]["event"] == "x" * 255 * 1024
    assert "truncated" not in fleece_logs.lines[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    event=st.text(max_size=3000),
    fields=st.dictionaries(st.text(max_size=600), st.text(max_size=1500) | st.lists(st.floats(), max_size=200)),
    limit=st.integers(1024, 3000),
)
def test_no_line_is_longer_than_was_set(event, fields, limit, name, plain_handler):
    """``FLEECE_LOG_MAX_BYTES`` holds for any line, in bytes and with its line feed; what is cut is still JSON."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLEECE_LOG_MAX_BYTES", str(limit))
        logger = get_logger(name)
    logger.propagate = False
    logger.handlers = [plain_handler]
    plain_handler.texts.clear()
    logger.info("%s", event, **fields)
    (text,) = plain_handler.texts
    assert len(text.encode()) < limit
    line = strict(text)
    assert line["level"] == "info"
    assert "truncated" in line or line["event"] == event


def test_thousands_of_fields_are_cut_too(name, fleece_logs):
    """Of more fields than a line can hold, the last go."""
    get_logger(name).info("x", **{f"field_{number}": "value" for number in range(20_000)})
    assert len(fleece_logs.out) <= 256 * 1024
    line = strict(fleece_logs.out)
    assert line["truncated"] is True
    assert line["field_0"] == "value"
    assert "field_19999" not in line
