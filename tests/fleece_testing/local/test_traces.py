"""``fleece-local traces``: what a running stack has received, and what goes on arriving."""

from __future__ import annotations

import json
import signal

import pytest
from hypothesis import given, strategies as st

from fleece_testing._xray_traces import build_traces
from fleece_testing.local.control import GoneError, ask
from fleece_testing.local.traces import Arrivals, as_document


def test_traces_are_shown_as_waterfalls_and_as_one_document(running, documents, send):
    """Each trace that came is drawn; as JSON, it has its subsegments, callers first."""
    sent = documents()
    send(running.stack["environment"]["AWS_XRAY_DAEMON_ADDRESS"], sent)
    drawn = running.run("traces", "--stack", "ready.json").stdout
    assert f"Trace {sent[0]['trace_id']}" in drawn
    assert "  child" in drawn
    found = json.loads(running.run("traces", "--json").stdout)["traces"]
    assert {"trace_id": sent[0]["trace_id"], "subsegments": [sent[1], sent[0]]} in found


def test_following_a_stack_from_its_first_trace_to_its_end(place, documents, send):
    """Nothing has come: that is told; what comes is drawn, what is refused is told; the stack's end is the end."""
    with place.up() as process:
        assert place.run("traces").stderr == "No trace has come yet.\n"
        with place.start("traces", "--follow") as follower:
            sent = documents()
            send(process.stack["environment"]["AWS_XRAY_DAEMON_ADDRESS"], [{"name": "\x1b"}, *sent])
            assert follower.stdout.readline().rstrip() == f"Trace {sent[0]['trace_id']}"
            process.terminate()
            process.wait()
            _, stderr = follower.communicate()
    refused, ended = stderr.splitlines()
    assert refused.startswith("Warning: X-Ray would have dropped a datagram: ")
    assert "\x1b" not in refused
    assert (follower.returncode, ended) == (0, "The local stack has ended.")


def test_following_as_json_has_a_document_on_each_line_until_a_signal(running, documents, send):
    """With --json each trace is a line; Ctrl-C is how following ends, so it is no failure."""
    first, second = documents(), documents()
    with running.start("traces", "--follow", "--json") as follower:
        found = {}
        for sent in (first, second):
            send(running.stack["environment"]["AWS_XRAY_DAEMON_ADDRESS"], sent)
            while sent[0]["trace_id"] not in found:
                document = json.loads(follower.stdout.readline())
                found[document["trace_id"]] = document["subsegments"]
        follower.send_signal(signal.SIGINT)
        follower.communicate()
    assert follower.returncode == 0
    assert [found[one[0]["trace_id"]] for one in (first, second)] == [first[::-1], second[::-1]]


def test_a_trace_is_at_rest_when_nothing_came_for_a_while(documents):
    """It is given once; a subsegment in progress is waited for longer; if more comes, it is given again, whole."""
    child, root = documents()
    arrivals = Arrivals(quiet=1, patience=10)
    arrivals.add([child], now=0)
    assert arrivals.at_rest(now=0.5) == []
    arrivals.add([child], now=0.5)
    assert arrivals.at_rest(now=1) == []
    assert [trace.id for trace in arrivals.at_rest(now=1.5)] == [child["trace_id"]]
    assert arrivals.at_rest(now=2.5) == []
    arrivals.add([{**root, "in_progress": True}], now=3)
    assert arrivals.at_rest(now=12) == []
    (trace,) = arrivals.at_rest(now=13)
    assert [node.name for node in trace.roots[0].walk()] == ["root", "child"]


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.floats(0, 3), st.booleans()), min_size=1, max_size=20
    )
)
def test_however_traces_arrive_the_last_look_has_all_of_each(steps):
    """Whatever comes when, each trace was given at the end, and the last time with everything that came of it."""
    arrivals, now, came, given_last = Arrivals(quiet=1, patience=2), 0.0, [], {}
    for trace_id, number, pause, looks in steps:
        now += pause
        came.append({"trace_id": trace_id, "id": str(number), "name": "n", "start_time": 1.0, "end_time": 2.0})
        arrivals.add(came[-1:], now)
        if looks:
            given_last |= {trace.id: as_document(trace) for trace in arrivals.at_rest(now)}
    given_last |= {trace.id: as_document(trace) for trace in arrivals.at_rest(now + 2)}
    assert given_last == {trace.id: as_document(trace) for trace in build_traces(came)}


@pytest.mark.parametrize("answer", [b"[]", b"{", b"nothing"])
def test_whoever_else_answers_at_the_address_is_not_the_stack(answer):
    """What is not a JSON object is no answer of a stack's."""
    from fleece_testing._http import LoopbackServer

    def other(environ, start_response):
        start_response("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]

    with LoopbackServer(other) as server, pytest.raises(GoneError, match=server.url):
        ask(server.url, "/health")
