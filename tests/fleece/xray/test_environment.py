"""What the environment says and cannot be read: one warning a process, and no change in what traced code does."""

import os
import re
import subprocess
import sys
import textwrap
import warnings

import pytest

from fleece import xray

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
HEADER, ADDRESS, IN_PROGRESS = "_X_AMZN_TRACE_ID", "AWS_XRAY_DAEMON_ADDRESS", "FLEECE_XRAY_IN_PROGRESS"
GOOD = {HEADER: TRACE, ADDRESS: "127.0.0.1:1"}


@pytest.fixture
def warned(monkeypatch):
    """Make traced calls in an environment, and return the warnings that were given."""

    def call(**environment):
        for name, value in {**GOOD, IN_PROGRESS: None, **environment}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            assert [xray.trace_xray_subsegment()(lambda: "result")() for _ in range(5)] == ["result"] * 5
            with xray.subsegment("block"):
                xray.put_annotation("key", "value")
        return [str(one.message) for one in given]

    return call


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        (HEADER, "garbage", "_X_AMZN_TRACE_ID is 'garbage', which cannot be read; nothing is traced without Root="),
        (HEADER, "Root=1-2-3;Parent=53995c3f42cd8ad8;Sampled=1", "nothing is traced without Root="),
        (ADDRESS, "127.0.0.1:daemon", "AWS_XRAY_DAEMON_ADDRESS is '127.0.0.1:daemon', .* set it to HOST:PORT"),
        (ADDRESS, "tcp:127.0.0.1:2000", "set it to HOST:PORT"),
        (IN_PROGRESS, "no", "FLEECE_XRAY_IN_PROGRESS is 'no', which cannot be read; set it to 0 .* or to 1"),
        (IN_PROGRESS, "x" * 10_000, r"is 'x{200}', which"),
    ],
)
def test_what_cannot_be_read_is_told_once(warned, variable, value, told):
    """In one line that names the variable, shows the beginning of what it is, and says what to do."""
    [warning] = warned(**{variable: value})
    assert re.search(told, warning)
    assert warned(**{variable: f"{value} other"}) == []


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {HEADER: None, ADDRESS: None},
        {HEADER: "", ADDRESS: "", IN_PROGRESS: ""},
        {HEADER: TRACE.replace("Sampled=1", "Sampled=?")},
        {HEADER: f"{TRACE};Lineage=a:1;"},
        {HEADER: TRACE.replace("Sampled=1", "Sampled=0"), ADDRESS: "not looked at"},
        {IN_PROGRESS: "0"},
        {IN_PROGRESS: "1"},
    ],
    ids=str,
)
def test_nothing_is_told_where_there_is_nothing_to_tell(warned, environment):
    """Neither of what is missing nor of what Lambda may say."""
    assert warned(**environment) == []


@pytest.mark.parametrize(("variable", "value"), [(HEADER, "garbage"), (ADDRESS, "garbage :"), (IN_PROGRESS, "perhaps")])
def test_a_warning_that_is_turned_into_an_error_stays_inside(monkeypatch, variable, value):
    """`-W error` is for the code of others."""
    for name, good in GOOD.items():
        monkeypatch.setenv(name, good)
    monkeypatch.setenv(variable, value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [xray.trace_xray_subsegment()(lambda: "result")() for _ in range(3)] == ["result"] * 3


def test_all_at_once_in_a_process_of_its_own():
    """Each variable has its line on stderr, once, from however many calls and threads."""
    code = """
        import os, threading
        from fleece import xray

        @xray.trace_xray_subsegment()
        def work():
            return "result"

        def call():
            for _ in range(50):
                assert work() == "result"

        good = os.environ["_X_AMZN_TRACE_ID"]
        for header in ("garbage", good):
            os.environ["_X_AMZN_TRACE_ID"] = header
            threads = [threading.Thread(target=call) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        os.environ["AWS_XRAY_DAEMON_ADDRESS"] = "127.0.0.1:1"
        call()
    """
    environment = {**os.environ, HEADER: TRACE, ADDRESS: "garbage :", IN_PROGRESS: "perhaps"}
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", textwrap.dedent(code)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stderr.splitlines() if "RuntimeWarning: " in line]
    assert [line.partition("RuntimeWarning: ")[2].partition(" ")[0] for line in lines] == [HEADER, ADDRESS, IN_PROGRESS]
