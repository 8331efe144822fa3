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
        ({"memory": "512"}, TypeError, "memory must be a whole number: '512' was given"),
        ({"memory": 0}, ValueError, "memory must be one or more: 0 was given"),
        ({"region": 1}, TypeError, "region must be text: 1 was given"),
        ({"account": 123456789012}, TypeError, "account must be text: 123456789012 was given"),
        ({"function_name": None}, TypeError, "function_name must be text: None was given"),
        ({"function_version": 1}, TypeError, "function_version must be text: 1 was given"),
        ({"handler": None}, TypeError, "handler must be text: None was given"),
        ({"xray": "127.0.0.1:2000"}, TypeError, "xray must be an XRayDaemon: '127.0.0.1:2000' was given"),
        ({"code": None}, TypeError, "code must be a path: None was given"),
    ],
)
def test_senseless_function_is_refused(code, arguments, error, message):
    """A function that could not be run, or would be waited for without end, is refused when it is described."""
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        Runtime(**{"code": code, "handler": "app.main", **arguments})


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
        (
            {"event": "x" * 6_291_455},
            ValueError,
            "event has 6291457 bytes of JSON, and Lambda takes at most 6291456 from a caller",
        ),
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


def test_the_largest_event_is_taken(fleece_runtime, code):
    """An event of as many bytes as Lambda takes comes through."""
    assert len(fleece_runtime(code, "app.main", echo=False).invoke("x" * 6_291_454).result) == 6_291_454


def test_an_interpreter_that_is_none(code, tmp_path):
    """An interpreter that is not there, or that is none, is named as such."""
    with pytest.raises(FileNotFoundError, match=r"^There is no interpreter 'python0\.9': give a path, or a name that"):
        Runtime(code, "app.main", python="python0.9").start()
    for text in ("#!/bin/sh\nexit 3\n", "#!/bin/sh\necho hello\n"):
        script = tmp_path / f"python{len(text)}"
        script.write_text(text)
        script.chmod(0o755)
        with pytest.raises(ValueError, match=rf"^{re.escape(str(script))} is no interpreter of Python that works"):
            Runtime(code, "app.main", python=str(script)).start()
