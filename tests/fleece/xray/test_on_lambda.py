"""Traces of a function that runs under AWS's own runtime client."""

import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="AWS's runtime client needs a POSIX system")

CODE = textwrap.dedent(
    """
    import time
    from fleece import xray

    @xray.trace_xray_subsegment()
    def handler(event, context):
        with xray.subsegment("work"):
            time.sleep(event["seconds"])
        if event.get("leave_open"):
            xray.subsegment("left open").__enter__()
        return xray.trace_header()
    """
)


@pytest.fixture
def function(fleece_runtime, tmp_path):
    """Boot the function above."""
    (tmp_path / "app.py").write_text(CODE)
    return fleece_runtime(tmp_path, "app.handler")


def test_each_invocation_has_its_own_trace(function):
    """Warm, the second one does not go on with the first one's, not even with what that left open."""
    for leave_open in (True, False):
        invocation = function.invoke({"seconds": 0, "leave_open": leave_open})
        assert invocation.error is None
        work, handler = invocation.subsegments
        assert (work["name"], handler["name"]) == ("work", "handler")
        assert work["parent_id"] == handler["id"]
        assert invocation.result.startswith(f"Root={handler['trace_id']};Parent=")
    function.xray.check()
    assert [[root.name for root in trace.roots] for trace in function.xray.traces()] == [["handler"], ["handler"]]


def test_the_event_is_not_recorded_with_the_context(function):
    """The context is shown by its type."""
    invocation = function.invoke({"seconds": 0})
    assert invocation.subsegments[-1]["metadata"]["arguments"] == {
        "event": {"seconds": 0},
        "context": "<awslambdaric.lambda_context.LambdaContext>",
    }


def test_a_function_that_times_out_shows_where(function):
    """What is in progress when Lambda ends the process has arrived."""
    invocation = function.invoke({"seconds": 30}, deadline=1.0)
    assert invocation.error is not None
    [trace] = function.xray.traces()
    [handler] = trace.roots
    assert (handler.name, handler.in_progress) == ("handler", True)
    assert [(child.name, child.in_progress) for child in handler.children] == [("work", True)]
