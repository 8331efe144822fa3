"""The X-Ray daemon over real UDP, with AWS's own SDK as one of the senders."""

import json
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests

from fleece_testing import XRayDaemon

HEADER = '{"format": "json", "version": 1}\n'


@pytest.fixture
def daemon():
    with XRayDaemon() as one:
        yield one


@pytest.fixture
def send(daemon):
    """Send a subsegment document to the daemon."""
    host, port = daemon.address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:

        def send_document(name, *, number=1, parent=None, header=HEADER, **fields):
            document = {
                "type": "subsegment",
                "id": f"{number:016x}",
                "trace_id": daemon.trace_id,
                "parent_id": daemon.parent_id if parent is None else f"{parent:016x}",
                "name": name,
                "start_time": 1000 + number,
                **({} if "in_progress" in fields else {"end_time": 2000}),
                **fields,
            }
            sender.sendto((header + json.dumps(document)).encode(), (host, int(port)))

        yield send_document


def test_the_environment_leads_to_the_daemon_and_is_sampled(daemon):
    """The address is loopback's and the trace header has the ids that the daemon tells."""
    environment = daemon.environment()
    assert environment["AWS_XRAY_DAEMON_ADDRESS"] == daemon.address
    assert daemon.address.startswith("127.0.0.1:")
    header = environment["_X_AMZN_TRACE_ID"]
    assert header == f"Root={daemon.trace_id};Parent={daemon.parent_id};Sampled=1"


def test_what_was_sent_is_there_at_once(daemon, send):
    """A question sees everything that was sent before it, with no waiting in the test."""
    for number in range(1, 301):
        send(f"call {number}", number=number)
        assert len(daemon.documents) == number
    assert [one["name"] for one in daemon.subsegments] == [f"call {number}" for number in range(1, 301)]


def test_a_burst_is_taken_in_whole(daemon, send):
    """Many large documents in a row are all received."""
    for number in range(1, 21):
        send("large", number=number, metadata={"default": {"x": "x" * 5_000}})
    assert len(daemon.documents) == 20


def test_in_progress_documents_are_not_complete_subsegments(daemon, send):
    """Both documents of a subsegment are kept; only the complete one counts as a subsegment."""
    send("a", in_progress=True)
    assert daemon.subsegments == []
    send("a")
    assert [one.get("in_progress", False) for one in daemon.documents] == [True, False]
    assert len(daemon.subsegments) == 1


def test_traces_are_trees_whatever_the_order_of_arrival(daemon, send):
    """Children close before their parents; siblings are ordered by their start."""
    send("root", number=1, in_progress=True)
    send("second", number=3, parent=1)
    send("leaf", number=4, parent=3)
    send("first", number=2, parent=1)
    send("root", number=1)
    (trace,) = daemon.traces()
    assert trace.id == daemon.trace_id
    (root,) = trace.roots
    assert [node.name for node in root.walk()] == ["root", "first", "second", "leaf"]
    assert str(trace) == f"Trace {daemon.trace_id}\n  root\n    first\n    second\n      leaf"
    assert not root.in_progress


def test_a_trace_shows_what_never_closed(daemon, send):
    """A function that timed out leaves its open subsegment in the tree."""
    send("slow", in_progress=True)
    (trace,) = daemon.traces()
    assert trace.roots[0].in_progress
    assert "slow (in progress, never closed)" in str(trace)


def test_traces_may_be_deeper_than_pythons_stack(daemon, send):
    """A function that calls itself a thousand times can still be shown."""
    for number in range(1500, 0, -1):
        send("again", number=number, parent=number - 1 if number > 1 else None)
    (trace,) = daemon.traces()
    assert len(list(trace.roots[0].walk())) == 1500
    assert str(trace).endswith(f"\n{'  ' * 1500}again")


def test_embedded_subsegments_are_told_apart_from_what_holds_them(daemon, send):
    """They count as subsegments, belong to the trace that they are in, and to what they are in."""
    inner = {"id": "b" * 16, "name": "inner", "start_time": 1, "end_time": 2, "parent_id": [], "subsegments": []}
    send("outer", subsegments=[{**inner, "id": "a" * 16, "name": "middle", "subsegments": [inner]}])
    assert [one["name"] for one in daemon.subsegments] == ["outer", "middle", "inner"]
    daemon.assert_subsegment("inner", parent="middle")
    daemon.assert_subsegment("middle", parent="outer")
    assert [node.name for node in daemon.traces()[0].roots[0].walk()] == ["outer", "middle", "inner"]


def test_other_traces_stay_apart(daemon, send):
    """Each trace id has a tree of its own, even where ids of subsegments are equal."""
    send("mine", number=1)
    send("other", number=1, trace_id="1-00000000-" + "0" * 24)
    assert [trace.roots[0].name for trace in daemon.traces()] == ["mine", "other"]


def test_assert_subsegment_returns_the_one_that_fits(daemon, send):
    """Name, parent (by name or id), annotations and any other field choose the subsegment."""
    send("outer", number=1)
    send("get", number=2, parent=1, annotations={"table": "users", "n": 1})
    send("get", number=3, annotations={"table": "orders"}, http={"response": {"status": 404, "content_length": 3}})
    assert daemon.assert_subsegment("get", parent="outer")["id"] == f"{2:016x}"
    assert daemon.assert_subsegment("get", parent=daemon.parent_id)["id"] == f"{3:016x}"
    assert daemon.assert_subsegment("get", annotations={"table": "orders"})["id"] == f"{3:016x}"
    assert daemon.assert_subsegment("get", http={"response": {"status": 404}})["id"] == f"{3:016x}"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"name": "put"}, "No subsegment 'put' is complete."),
        ({"name": "get", "parent": "outer"}, "No subsegment 'get' under 'outer' is complete."),
        ({"name": "get", "annotations": {"n": True}}, "No subsegment 'get' with {'annotations': {'n': True}}"),
        ({"name": "get", "fault": True}, "No subsegment 'get' with {'fault': True} is complete."),
        ({"name": "open"}, "No subsegment 'open' is complete."),
    ],
)
def test_assert_subsegment_says_what_came_instead(daemon, send, asked, said):
    """The message names what was asked for, and shows the trees and the refused datagrams."""
    send("get", number=1, annotations={"n": 1})
    send("open", number=2, in_progress=True)
    send("bad(name)", number=3)
    with pytest.raises(AssertionError) as failure:
        daemon.assert_subsegment(**asked)
    message = str(failure.value)
    assert message.startswith(said)
    assert "get {'annotations': {'n': 1}}" in message
    assert "open (in progress, never closed)" in message
    assert "name is 'bad(name)'" in message


def test_assert_subsegment_says_when_nothing_came(daemon):
    """An empty daemon says so."""
    with pytest.raises(AssertionError, match="Nothing came"):
        daemon.assert_subsegment("get")


def test_the_header_of_fleece_1_2_1_is_refused_and_fails_the_check(daemon, send):
    """The repr of a tuple is no header line: no trace of 1.2.1 ever arrived."""
    send("users", header=repr(('{"format": "json", "version": 1}', "")) + "\n")
    assert daemon.documents == []
    assert [one.reason.partition(" (")[0] for one in daemon.refused] == ["the header line is not JSON"]
    with pytest.raises(AssertionError, match=r"X-Ray would have dropped 1 datagram\(s\):\n- the header line"):
        daemon.check()


def test_check_is_content_with_sound_datagrams(daemon, send):
    """Nothing refused, nothing raised."""
    send("users")
    daemon.check()
    assert daemon.refused == []


def test_clear_forgets_everything_and_starts_another_trace(daemon, send):
    """After clear, even what was on its way before it is gone, and the ids are new."""
    send("users")
    send("bad(name)")
    before = daemon.trace_id, daemon.parent_id
    daemon.clear()
    assert (daemon.documents, daemon.subsegments, daemon.refused, daemon.traces()) == ([], [], [], [])
    assert daemon.trace_id != before[0]
    assert daemon.parent_id != before[1]


def test_wait_for_returns_when_enough_has_come_from_another_thread(daemon, send):
    """A sender that is still at work is waited for."""
    go = threading.Event()

    def work():
        go.wait()
        send("late", number=1)
        send("later", number=2)

    thread = threading.Thread(target=work)
    thread.start()
    go.set()
    assert [one["name"] for one in daemon.wait_for(2)] == ["late", "later"]
    thread.join()


def test_wait_for_says_what_has_come_when_it_gives_up(daemon, send):
    """The message has the count and the trees."""
    send("one")
    with pytest.raises(AssertionError, match=r"(?s)2 subsegments were expected within 0 s, 1 came.*one"):
        daemon.wait_for(2, timeout=0)


def test_what_a_child_process_sent_is_there_when_it_has_ended(daemon):
    """The environment is all that a child needs; its datagrams outlive it."""
    program = (
        "import json, os, socket\n"
        "root, parent, _ = (part.split('=')[1] for part in os.environ['_X_AMZN_TRACE_ID'].split(';'))\n"
        "host, port = os.environ['AWS_XRAY_DAEMON_ADDRESS'].split(':')\n"
        "document = {'type': 'subsegment', 'id': '0' * 16, 'trace_id': root, 'parent_id': parent, 'name': 'child',\n"
        "            'start_time': 1, 'end_time': 2}\n"
        "text = json.dumps({'format': 'json', 'version': 1}) + '\\n' + json.dumps(document)\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(text.encode(), (host, int(port)))\n"
    )
    subprocess.run([sys.executable, "-c", program], env={**os.environ, **daemon.environment()}, check=True)
    daemon.assert_subsegment("child", parent=daemon.parent_id)


def test_aws_own_sdk_is_understood():
    """Segments of aws-xray-sdk, with subsegments and an exception inside, are taken and told apart."""
    # Not imported by those who only collect this file: its import opens a socket.
    from aws_xray_sdk.core import xray_recorder
    from aws_xray_sdk.core.recorder import AWSXRayRecorder

    with XRayDaemon(namespaces={"aws", "remote", "local"}) as daemon:
        recorder = AWSXRayRecorder()
        recorder.configure(service="service", sampling=False, daemon_address=daemon.address)
        recorder.begin_segment("service", traceid=daemon.trace_id)
        with recorder.in_subsegment("users") as subsegment:
            subsegment.put_annotation("table", "users")
            subsegment.put_metadata("key", {"any": [1]})
            with recorder.in_subsegment("DynamoDB", namespace="aws"):
                pass
        with pytest.raises(ZeroDivisionError), recorder.in_subsegment("failing"):
            1 / 0  # noqa: B018 (raising is its point)
        recorder.end_segment()
        daemon.check()
        daemon.assert_subsegment("users", parent="service", annotations={"table": "users"})
        daemon.assert_subsegment("DynamoDB", parent="users", namespace="aws")
        failing = daemon.assert_subsegment("failing", parent="service", fault=True)
        assert failing["cause"]["exceptions"][0]["type"] == "ZeroDivisionError"
        (trace,) = daemon.traces()
        assert [node.name for node in trace.roots[0].walk()] == ["service", "users", "DynamoDB", "failing"]
        # The SDK leaves its sockets to the garbage collector, those of its global recorder too.
        recorder.emitter._socket.close()
        xray_recorder.emitter._socket.close()


def test_sampling_rules_are_answered_on_the_same_port(daemon):
    """AWS's SDK asks the daemon over TCP: everything is sampled by the default rule."""
    url = f"http://{daemon.address}"
    rules = requests.post(f"{url}/GetSamplingRules", timeout=5).json()["SamplingRuleRecords"]
    assert [(one["SamplingRule"]["RuleName"], one["SamplingRule"]["FixedRate"]) for one in rules] == [("Default", 1.0)]
    statistics = [{"RuleName": "Default"}, {"RuleName": "other"}]
    asked = {"SamplingStatisticsDocuments": statistics}
    targets = requests.post(f"{url}/SamplingTargets", json=asked, timeout=5).json()
    assert [one["RuleName"] for one in targets["SamplingTargetDocuments"]] == ["Default"]
    assert [one["RuleName"] for one in targets["UnprocessedStatistics"]] == ["other"]
    assert requests.get(f"{url}/GetSamplingRules", timeout=5).status_code == 404
    assert requests.post(f"{url}/GetSamplingRules", headers={"Origin": "http://a"}, timeout=5).status_code == 403


def test_documents_can_be_handed_on_to_the_emulated_service(fleece_aws, daemon, send):
    """Each document is sent once, in batches as the real daemon sends them; after a clear those that are new."""
    xray = fleece_aws.client("xray")
    for number in range(1, 61):
        send("a", number=number)
    daemon.forward(xray)
    daemon.forward(xray)
    send("b", number=100)
    daemon.forward(xray)
    (trace,) = xray.batch_get_traces(TraceIds=[daemon.trace_id])["Traces"]
    assert len(trace["Segments"]) == 61
    assert len(fleece_aws.calls("xray", "PutTraceSegments")) == 3
    daemon.clear()
    send("c", number=101)
    daemon.forward(xray)
    assert len(fleece_aws.calls("xray", "PutTraceSegments")) == 4


def test_starting_and_stopping_leaves_nothing_behind():
    """No thread and no port is left, stopping twice is nothing, and what came can still be read."""
    before = set(threading.enumerate())
    daemon = XRayDaemon().start()
    assert daemon.start() is daemon
    host, port = daemon.address.split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"?", (host, int(port)))
    daemon.stop()
    daemon.stop()
    assert set(threading.enumerate()) <= before
    assert len(daemon.refused) == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind((host, int(port)))
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = daemon.address


def test_a_taken_port_is_an_error(daemon):
    """A port of one's own choice that is not free is Python's OSError."""
    with pytest.raises(OSError, match="in use"):
        XRayDaemon(int(daemon.address.split(":")[1])).start()


def test_the_fixture_sets_the_environment_and_checks(fleece_xray):
    """`fleece_xray` is a cleared daemon, and the environment of the test leads to it."""
    assert os.environ["AWS_XRAY_DAEMON_ADDRESS"] == fleece_xray.address
    assert os.environ["_X_AMZN_TRACE_ID"] == fleece_xray.trace_header
    assert fleece_xray.documents == []
    assert int(fleece_xray.trace_id.split("-")[1], 16) <= time.time()
