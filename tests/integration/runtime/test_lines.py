"""What a function's lines look like where AWS's own handler was on the root logger first."""

import json
import re

import pytest

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def parsed(invocation):
    """Return an invocation's lines, every one of which has to be a JSON object."""
    return [json.loads(line) for line in invocation.logs]


@pytest.mark.parametrize("set_up", ["root", "logger"])
@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_every_record_is_one_line(function, log_format, set_up):
    """In both log formats, whoever logs and however, each record is one JSON line and none is printed twice."""
    environment = {"AWS_LAMBDA_LOG_FORMAT": log_format, "SET_UP": set_up}
    invocation = function("lines.everything", environment=environment).invoke()
    lines = parsed(invocation)
    expected = {
        "structured": ("info", "lines"),
        "with arguments": ("warning", "lines"),
        "two\nlines": ("error", "library"),
        "of the root": ("critical", "root"),
        "failed": ("error", "lines"),
        "detail": ("debug", "library"),
    }
    assert [line["event"] for line in lines] == list(expected)
    for line in lines:
        level, logger = expected[line["event"]]
        assert line["level"] == (level if log_format == "Text" else LAMBDAS_LEVELS[level])
        assert line["logger"] == logger
        assert TIMESTAMP.fullmatch(line["timestamp"])
        assert line["lambda_request_id"] == invocation.request_id
        assert line["function_name"] == "test_function"
        assert line["cold_start"] is True
    fields = {line["event"]: line for line in lines}
    assert fields["structured"]["order"] == 7
    assert fields["with arguments"]["user"] == "Ümit"
    assert fields["two\nlines"]["shard"] == 3
    assert fields["failed"]["exception"].endswith("KeyError: 'table'")


LAMBDAS_LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARN", "error": "ERROR", "critical": "FATAL"}


@pytest.mark.parametrize("set_up", ["root", "logger"])
def test_handler_of_aws_is_there_first_and_gives_way(function, set_up):
    """AWS's client has put its handler on the root logger before the module is imported; fleece's takes its place."""
    before, after = function("lines.everything", environment={"SET_UP": set_up}).invoke().result
    assert len(before) == 1
    assert before[0].startswith("LambdaLoggerHandler")
    assert after == ["LineHandler"]


REST_EVENT = {"requestContext": {"requestId": "api-1", "stage": "prod"}, "customer": "Ada"}
QUEUE_EVENT = {"Records": [{"eventSource": "aws:sqs"}]}


def test_warm_invocations_have_their_own_ids(function):
    """In one process, each invocation's lines have its ids, and no API id or bound field of the one before."""
    warm = function("lines.ids")
    events = [REST_EVENT, QUEUE_EVENT, REST_EVENT | {"customer": "Grace"}, {}]
    invocations = [warm.invoke(event) for event in events]
    assert len({invocation.request_id for invocation in invocations}) == 4
    for number, (event, invocation) in enumerate(zip(events, invocations, strict=True)):
        first, second = parsed(invocation)
        assert (first["event"], second["event"]) == ("before binding", "bound")
        api_request_id = event.get("requestContext", {}).get("requestId")
        assert invocation.result == [invocation.request_id, api_request_id]
        for line in (first, second):
            assert line["lambda_request_id"] == invocation.request_id
            assert line.get("api_request_id") == api_request_id
            assert line["cold_start"] is (number == 0)
        assert "customer" not in first
        assert second["customer"] == event.get("customer")


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
@pytest.mark.parametrize(
    ("level", "least"), [(None, "debug"), ("TRACE", "debug"), ("WARN", "warning"), ("FATAL", "critical")]
)
def test_environment_s_level_is_the_level(function, log_format, level, least):
    """``AWS_LAMBDA_LOG_LEVEL``, in Lambda's own names, is the level of every logger; without it all is printed."""
    environment = {"AWS_LAMBDA_LOG_FORMAT": log_format, **({} if level is None else {"AWS_LAMBDA_LOG_LEVEL": level})}
    lines = parsed(function("lines.levels", environment=environment).invoke())
    ordered = ["debug", "info", "warning", "error", "critical"]
    expected = [(name, logger) for name in ordered[ordered.index(least) :] for logger in ("lines", "library")]
    assert [(line["event"], line["logger"]) for line in lines] == expected


def test_trace_joins_lines_and_traces(fleece_runtime, functions):
    """Lines name the invocation's trace, and none when there is none."""
    runtime = fleece_runtime(functions, "lines.ids")
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=1:a87bd80c:0"
    for line in parsed(runtime.invoke({}, trace_header=header)):
        assert line["xray_trace_id"] == "1-5759e988-bd862e3fe1be46a994272793"
    for line in parsed(runtime.invoke({}, trace_header="")):
        assert "xray_trace_id" not in line


def test_lines_of_threads_are_whole(function):
    """However many threads write long lines at once, each line is one JSON object, with the invocation's id."""
    invocation = function("lines.threads").invoke()
    lines = parsed(invocation)
    assert sorted(line["number"] for line in lines) == sorted([*range(8)] * 100)
    assert {line["lambda_request_id"] for line in lines} == {invocation.request_id}
    assert {line["filler"] for line in lines} == {"é" * 5_000, "x" * 10_000}


def test_child_processes_belong_to_the_invocation(function):
    """The lines of a program that the handler starts, and of a process it forks, have the ids of that invocation."""
    booted = function("lines.children")
    for _ in range(2):
        invocation = booted.invoke()
        lines = parsed(invocation)
        assert [line["event"] for line in lines] == ["started", "forked"]
        assert {line["lambda_request_id"] for line in lines} == {invocation.request_id}


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
@pytest.mark.parametrize(
    ("event", "error"),
    [("raise", "LookupError"), ("exit", "Runtime.ExitError"), ("hang", "Sandbox.Timedout")],
)
def test_lines_before_a_bad_end_are_there(function, event, error, log_format):
    """A handler that raises, exits or runs out of time has written its lines, and the next one begins afresh."""
    deadline = 3 if event == "hang" else 30
    booted = function("lines.ends", environment={"AWS_LAMBDA_LOG_FORMAT": log_format}, deadline=deadline)
    failed = booted.invoke(event)
    assert failed.error.type == error
    assert [line["event"] for line in failed.log_lines if "event" in line] == ["before the end"]
    good = booted.invoke()
    assert good.result == "well"
    (line,) = parsed(good)
    assert line["lambda_request_id"] == good.request_id
    assert line["cold_start"] is (event != "raise")  # the other two have cost the process


def test_async_handler_is_refused_by_the_runtime(function):
    """AWS's runtime waits for no coroutine: a decorated ``async def`` is still one, and not taken for a result."""
    error = function("lines.later").invoke().error
    assert error.type == "Runtime.MarshalError"
    assert "coroutine" in error.message
