"""Traces of a function that runs under AWS's own runtime client."""

import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

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


def test_an_invocation_without_a_trace_is_not_traced(function):
    """No header, and one that is not sampled, between two that are: nothing is left over from these."""
    headers = [None, "", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0", None]
    invocations = [function.invoke({"seconds": 0}, trace_header=header) for header in headers]
    assert [invocation.error for invocation in invocations] == [None] * 4
    assert [len(invocation.subsegments) for invocation in invocations] == [2, 0, 0, 2]
    assert invocations[1].result is None
    assert invocations[2].result == headers[2]
    assert len(function.xray.subsegments) == 4
    function.xray.check()


def test_the_workers_of_a_managed_instance_do_not_mix(fleece_runtime, tmp_path):
    """Each is a fork with a socket of its own; invocations that run at the same time are traces of their own."""
    (tmp_path / "app.py").write_text(CODE)
    function = fleece_runtime(tmp_path, "app.handler", concurrency=3)
    with ThreadPoolExecutor(3) as pool:
        invocations = list(pool.map(lambda _: function.invoke({"seconds": 0.05}), range(9)))
    assert [invocation.error for invocation in invocations] == [None] * 9
    roots = [[root.name for root in trace.roots] for trace in function.xray.traces()]
    assert roots == [["handler"]] * 9
    assert all(len(trace.roots[0].children) == 1 for trace in function.xray.traces())
    function.xray.check()


SNAPSHOT = textwrap.dedent(
    """
    import os
    import random
    import socket

    made_by = []

    class Socket(socket.socket):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            if self.type == socket.SOCK_DGRAM:
                made_by.append(os.getpid())

    socket.socket = Socket

    from fleece import xray

    @xray.trace_xray_subsegment(skip_args=True)
    def handler(event, context):
        return {"made_by": made_by, "pid": os.getpid(), "number": random.random()}

    os.environ["_X_AMZN_TRACE_ID"] = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    handler(None, None)
    """
)


def test_a_restored_snapshot_has_a_socket_and_ids_of_its_own(fleece_runtime, tmp_path):
    """What was opened before the snapshot leads nowhere after it, and chance repeats itself in each copy."""
    (tmp_path / "app.py").write_text(SNAPSHOT)
    function = fleece_runtime(tmp_path, "app.handler", snapstart=True)
    first = function.invoke()
    function.restore()
    second = function.invoke()
    assert first.result["number"] == second.result["number"]
    assert first.subsegments[0]["id"] != second.subsegments[0]["id"]
    for invocation in (first, second):
        before, after = invocation.result["made_by"]
        assert before != after == invocation.result["pid"]
    function.xray.check()
