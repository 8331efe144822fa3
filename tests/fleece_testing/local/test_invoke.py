"""``fleece-local invoke``: a function under AWS's runtime client, led to the stack that runs."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import zipfile

import pytest


@pytest.fixture
def stack(here, running, monkeypatch):  # in this order: `here` takes the variable away
    """Name the stack that runs, as the exported variables do."""
    monkeypatch.setenv("FLEECE_LOCAL_STACK", str(running.folder / "ready.json"))


@pytest.fixture
def event(tmp_path):
    path = tmp_path / "event.json"
    path.write_text('{"id": 7}')
    return path


@pytest.mark.usefixtures("stack")
def test_result_logs_and_trace_each_have_their_place(here, source, event):
    """The result is on stdout, as JSON; the logs and the waterfall of this invocation are on stderr."""
    code, stdout, stderr = here("invoke", source, "--handler", "handler.who", "--event", event)
    assert (code, json.loads(stdout)) == (0, {"arn": "arn:aws:iam::111111111111:user/fleece", "id": 7})
    assert stderr.startswith("printed 7\n")
    assert stderr.count("Trace 1-") == 1
    assert "GetCallerIdentity 200" in stderr


@pytest.mark.usefixtures("stack")
def test_json_is_one_document_of_all_of_it(here, source, event):
    """With --json, stdout is one document, whose trace is what the stack has received."""
    code, stdout, stderr = here("invoke", source, "--handler", "handler.who", "--event", event, "--json")
    document = json.loads(stdout)
    assert (code, stderr, document["error"], document["logs"]) == (0, "", None, ["printed 7"])
    assert [one["name"] for one in document["trace"]["subsegments"]] == ["who", "STS"]
    received = json.loads(here("traces", "--json")[1])
    assert document["trace"] in received["traces"]


def test_a_zip_and_an_event_from_stdin(here, source, monkeypatch):
    """A built zip is invoked with what comes on stdin; with no stack there is no AWS, which is told."""
    with zipfile.ZipFile(here.folder / "code.zip", "w") as package:
        package.writestr("zipped.py", "def main(event, context): return event['words']")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO('{"words": "größer"}'.encode())))
    code, stdout, stderr = here("invoke", "code.zip", "--handler", "zipped.main", "--event", "-")
    assert (code, stdout) == (0, '"größer"\n')
    assert stderr.startswith("No local stack is running ('fleece-local up'), so the function reaches no AWS.\n")


def test_a_variable_reaches_the_function_and_its_output_cannot_reach_the_terminal(here, source, event):
    """--env sets a variable; what the function prints is shown with its control characters escaped."""
    arguments = ("invoke", source, "--handler", "handler.plain", "--event", event, "--env", "COLOUR=a=b")
    code, stdout, stderr = here(*arguments)
    assert (code, stdout) == (0, '"a=b"\n')
    assert "a    b \\x1b[31mred\n" in stderr


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("handler.fails", "the function failed: KeyError: '\\x1b[31mnope'"),
        ("handler.nowhere", "the function failed: Runtime.HandlerNotFound: Handler 'nowhere' missing"),
    ],
)
def test_a_function_that_fails_is_told_by_the_exit_code(here, source, event, handler, message, form):
    """A function that raises, and one that does not come up, end the command with 1 and one line at the end."""
    code, stdout, stderr = here("invoke", source, "--handler", handler, "--event", event, *form)
    assert code == 1
    assert message in stderr.splitlines()[-1].encode().decode("unicode_escape").replace("\x1b", "\\x1b")
    assert bool(stdout) == bool(form)
    if form:
        assert json.loads(stdout)["error"]["message"]


def test_a_function_that_is_too_slow_fails(here, source, event):
    """--timeout is the function's deadline."""
    (source / "slow.py").write_text("import time\ndef main(event, context): time.sleep(60)")
    code, _, stderr = here("invoke", source, "--handler", "slow.main", "--event", event, "--timeout", "0.2")
    assert (code, "Task timed out after 0.20 seconds" in stderr) == (1, True)


@pytest.mark.parametrize(
    ("event_text", "arguments", "code", "message"),
    [
        ("{}", ["nowhere"], 2, "Path 'nowhere' does not exist"),
        ("{}", ["event.json"], 1, "event.json is neither a folder nor a zip archive"),
        ("{}", ["source", "--event", "none.json"], 2, "File 'none.json' does not exist"),
        ("{}", ["source", "--env", "=secret"], 2, "--env takes NAME=VALUE, with an equals sign after a name\n"),
        ("{}", ["source", "--stack", "none.json"], 1, "none.json: no such file, so no local stack is running there"),
        ("{}", ["source", "--stack", "event.json"], 1, "event.json: this is not the file of a local stack"),
        ("{}", ["source", "--timeout", "0"], 2, "0 is not in the range"),
        ("\n", ["source"], 1, "event.json: is empty; an event is a JSON document, {} at least"),
        ('{\n"a": nope}', ["source"], 1, "event.json:2:6: not JSON: Expecting value"),
        ("[" * 100_000, ["source"], 1, "event.json: not JSON in UTF-8"),
    ],
)
def test_wrong_input_is_one_line(here, source, event_text, arguments, code, message):
    """What cannot be invoked is told in one line that names it, and nothing of it is on stdout."""
    (here.folder / "event.json").write_text(event_text)
    done = here("invoke", "--handler", "handler.plain", "--event", "event.json", *arguments)
    assert done[:2] == (code, "")
    assert message in done[2]
    assert [line for line in done[2].splitlines() if not line.startswith("No local stack")] == [
        line for line in done[2].splitlines() if line.startswith("Error: ")
    ]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, 143),
        pytest.param(
            signal.SIGKILL, -9, marks=pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's pipe signals")
        ),
    ],
)
def test_a_function_ends_with_the_command(place, source, number, code):
    """However the command is ended, its function ends too; asked politely, it removes what it has unpacked."""
    pipe = place.folder / "pipe"
    os.mkfifo(pipe)
    (place.folder / "event.json").write_text(json.dumps(str(pipe)))
    with place.start("invoke", source, "--handler", "handler.waits", "--event", "event.json") as process:
        with pipe.open() as output:
            assert int(output.readline()) > 0
            process.send_signal(number)
            assert output.read() == ""  # nobody has it open any more
        process.communicate()
    assert process.returncode == code
    assert number == signal.SIGKILL or list(place.temporary.iterdir()) == []
