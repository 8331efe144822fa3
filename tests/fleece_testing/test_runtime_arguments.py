"""What `Runtime` refuses, at the call and by the argument's name, before any process is asked to make sense of it."""

import re
import sys

import pytest

from fleece_testing import Runtime


@pytest.fixture
def code(tmp_path):
    """Write a function that returns its event, and return its folder."""
    (tmp_path / "app.py").write_text("def main(event, context):\n    return event\n")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"concurrency": 0}, ValueError, "concurrency must be one or more: 0 was given"),
        ({"concurrency": -1}, ValueError, "concurrency must be one or more: -1 was given"),
        ({"concurrency": "2"}, TypeError, "concurrency must be a whole number: '2' was given"),
        ({"concurrency": 2.5}, TypeError, "concurrency must be a whole number: 2.5 was given"),
        ({"init_timeout": 0}, ValueError, "init_timeout must be a number of seconds above zero: 0 was given"),
        ({"init_timeout": None}, ValueError, "init_timeout must be a number of seconds above zero: None was given"),
        ({"environment": {"N": 1}}, TypeError, "environment must be a mapping of text to text: 'N' is int"),
        ({"environment": ["N"]}, TypeError, "environment must be a mapping: list was given"),
        ({"environment": {"A=B": ""}}, ValueError, "environment has a variable that no process can have: 'A=B'"),
        ({"environment": {"": "x"}}, ValueError, "environment has a variable that no process can have: ''"),
        ({"environment": {"A": "\0"}}, ValueError, "environment has a variable that no process can have: 'A'"),
    ],
)
def test_senseless_function_is_refused(code, arguments, error, message):
    """A function that could not be run, or would be waited for without end, is refused when it is described."""
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        Runtime(code, "app.main", **arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        *(
            ({"deadline": bad}, ValueError, f"deadline must be a number of seconds above zero: {bad!r} was given")
            for bad in (0, -1, None, "3", True, float("nan"), sys.maxsize)
        ),
        ({"trace_header": "a\nb"}, ValueError, r"trace_header must be printable ASCII: 'a\nb' was given"),
        ({"tenant_id": "€"}, ValueError, "tenant_id must be printable ASCII: '€' was given"),
        ({"tenant_id": 5}, TypeError, "tenant_id must be text: 5 was given"),
        ({"client_context": "x"}, TypeError, "client_context must be a mapping: 'x' was given"),
        ({"identity": ["x"]}, TypeError, "identity must be a mapping: ['x'] was given"),
        ({"event": b"x"}, TypeError, "event must be what JSON can say: b'x' was given (*)"),
        ({"event": [float("nan")]}, ValueError, "event must be what JSON can say: [nan] was given (*)"),
        ({"identity": {"a": {1}}}, TypeError, "identity must be what JSON can say: {'a': {1}} was given (*)"),
    ],
)
def test_senseless_invocation_is_refused_and_the_process_lives_on(fleece_runtime, code, arguments, error, message):
    """What the runtime client could not be told is refused, and the next invocation finds the process as it was."""
    runtime = fleece_runtime(code, "app.main")
    with pytest.raises(error, match=f"^{re.escape(message)}$".replace(r"\*", ".*")):
        runtime.invoke(**arguments)
    assert runtime.invoke(1).result == 1
    assert runtime.logs == []
