"""Blocks of code as subsegments, and what is added to the one that is open."""

import asyncio
import contextvars
import enum
import itertools
import json
import socket
import sys
import threading
import time

import pytest

from fleece import xray


def test_blocks_nest(fleece_xray):
    """Each is the child of the one around it; the namespace is there where it is one that X-Ray knows."""
    with xray.subsegment("outer", "remote"):
        with xray.subsegment("first", namespace="aws"):
            pass
        with xray.subsegment("second", namespace="local"):
            pass
    [trace] = fleece_xray.traces()
    [outer] = trace.roots
    assert outer.document["namespace"] == "remote"
    assert [child.document.get("namespace") for child in outer.children] == ["aws", None]


def test_async_with(fleece_xray):
    """The same, in coroutines; two at once do not mix."""

    async def work(name):
        async with xray.subsegment(name):
            await asyncio.sleep(0)
            async with xray.subsegment(f"in {name}"):
                await asyncio.sleep(0)

    async def both():
        await asyncio.gather(work("a"), work("b"))

    asyncio.run(both())
    [trace] = fleece_xray.traces()
    assert {root.name: [child.name for child in root.children] for root in trace.roots} == {
        "a": ["in a"],
        "b": ["in b"],
    }


def test_one_block_can_be_entered_inside_of_itself(fleece_xray):
    """Each entering is a subsegment of its own."""
    block = xray.subsegment("again")
    with block, block:
        pass
    with block:
        pass
    [trace] = fleece_xray.traces()
    assert [[child.name for child in root.children] for root in trace.roots] == [["again"], []]


def test_one_block_can_be_entered_by_several_tasks_at_once(fleece_xray):
    """Each has its own, whichever ends first, and what is put into the block goes to the task's own."""
    block = xray.subsegment("shared")

    async def work(name, turns):
        with xray.subsegment(name):
            async with block:
                for _ in range(turns):
                    await asyncio.sleep(0)
                block.put_annotation("name", name)
                with xray.subsegment(f"in {name}"):
                    block.put_metadata("name", name)
                    await asyncio.sleep(0)
                if name == "b":
                    raise KeyError(name)

    async def all_of_them():
        return await asyncio.gather(work("a", 5), work("b", 1), work("c", 3), return_exceptions=True)

    assert [type(one) for one in asyncio.run(all_of_them())] == [type(None), KeyError, type(None)]
    [trace] = fleece_xray.traces()
    for root in trace.roots:
        [shared] = root.children
        assert [child.name for child in shared.children] == [f"in {root.name}"]
        assert shared.document["annotations"] == {"name": root.name}
        assert shared.document["metadata"] == {"default": {"name": root.name}}
        assert shared.document.get("fault", False) is (root.name == "b")
    assert sorted(root.name for root in trace.roots) == ["a", "b", "c"]
    assert xray.get_parent_id() == fleece_xray.parent_id


def test_one_block_can_be_entered_by_several_threads_at_once(fleece_xray):
    """Threads that meet inside of it and leave it in another order."""
    block, meet = xray.subsegment("shared"), threading.Barrier(4)
    before_me = [threading.Event() for _ in range(5)]
    before_me[0].set()

    def work(number):
        with xray.subsegment(f"thread {number}"), block:
            meet.wait()
            before_me[number].wait()
            block.put_annotation("number", number)
        before_me[number + 1].set()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [trace] = fleece_xray.traces()
    annotations = {root.name: [child.document["annotations"] for child in root.children] for root in trace.roots}
    assert annotations == {f"thread {number}": [{"number": number}] for number in range(4)}


@pytest.mark.parametrize("decision", ["0", "1"])
def test_a_block_that_was_left_open_can_be_entered_by_the_next_invocation(fleece_xray, trace, decision):
    """What the last invocation has left open is not what this one ends, sampled or not."""
    block = xray.subsegment("block")
    block.__enter__()
    before = len(fleece_xray.documents)
    trace(f"Root=1-5759e988-ffffffffffffffffffffffff;Parent=53995c3f42cd8ad8;Sampled={decision}")
    with block:
        block.put_annotation("of", "this invocation")
    documents = fleece_xray.documents[before:]
    assert [document["trace_id"] for document in documents] == ["1-5759e988-ffffffffffffffffffffffff"] * 2 * int(
        decision
    )


def test_a_block_that_is_left_in_another_context(fleece_xray):
    """As by a framework that runs each step of a coroutine in a context of its own."""
    block = xray.subsegment("block")
    contextvars.copy_context().run(block.__enter__)
    contextvars.copy_context().run(block.put_annotation, "key", 1)
    contextvars.copy_context().run(block.__exit__, None, None, None)
    assert fleece_xray.assert_subsegment("block")["annotations"] == {"key": 1}
    block.__exit__(None, None, None)
    assert len(fleece_xray.documents) == 2


def test_what_goes_on_after_a_block_has_ended_adds_to_it_where_it_is_open(fleece_xray):
    """A context from within the block outlives it: what is added there later goes to the block's next entering."""
    block = xray.subsegment("block")
    with block:
        kept = contextvars.copy_context()
    with block:
        kept.run(block.put_annotation, "key", 1)
    assert [document.get("annotations") for document in fleece_xray.subsegments] == [None, {"key": 1}]


def test_an_exception_in_a_block_passes(fleece_xray):
    """It is recorded as a fault and not swallowed."""
    with pytest.raises(ZeroDivisionError), xray.subsegment("fails"):
        1 / 0  # noqa: B018
    assert fleece_xray.assert_subsegment("fails")["fault"] is True


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("orders/create", "orders/create"),
        ("<b>?*", "_b___"),
        ("", "_"),
        ("x" * 300, "x" * 200),
        ("größe 日本", "größe 日本"),
        ("back\\slash\n", "back\\slash_"),
    ],
)
def test_names_are_as_the_service_takes_them(fleece_xray, name, sent):
    """Characters that it refuses become underscores."""
    with xray.subsegment(name):
        pass
    assert fleece_xray.subsegments[0]["name"] == sent


def test_a_clock_that_is_set_back_gives_no_negative_duration(fleece_xray):
    """A subsegment does not end before it begins."""
    now = time.time_ns()
    with pytest.MonkeyPatch.context() as patch, xray.subsegment("x"):
        patch.setattr(time, "time_ns", lambda: now - 3600 * 10**9)
    [document] = fleece_xray.subsegments
    assert document["end_time"] == document["start_time"]


@pytest.mark.parametrize("sampled", [True, False])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((3,), "name must be a text: 3 was given"),
        ((None,), "name must be a text: None was given"),
        ((b"name",), "name must be a text: b'name' was given"),
        (("name", 3), "namespace must be a text or None: 3 was given"),
    ],
)
def test_a_name_that_is_no_text_is_told_at_the_call(fleece_xray, trace, sampled, arguments, told):
    """Sampled or not, so that it does not come out in production first."""
    if not sampled:
        trace(None)
    with pytest.raises(TypeError, match=told):
        xray.subsegment(*arguments)
    assert fleece_xray.documents == []


def test_annotations_go_to_the_innermost_subsegment(fleece_xray):
    """Or to the block's own, through the block."""
    with xray.subsegment("outer") as outer, xray.subsegment("inner"):
        xray.put_annotation("where", "inner")
        outer.put_annotation("where", "outer")
    assert fleece_xray.assert_subsegment("inner")["annotations"] == {"where": "inner"}
    assert fleece_xray.assert_subsegment("outer")["annotations"] == {"where": "outer"}


class Colour(enum.Enum):
    RED = 1


class Unprintable:
    def __str__(self):
        raise ZeroDivisionError

    __repr__ = __str__


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("text", "text"),
        (True, True),
        (3, 3),
        (2.5, 2.5),
        (None, "None"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (2**60, str(2**60)),
        ("x" * 2000, "x" * 1000),
        (Colour.RED, "Colour.RED"),
        (Unprintable(), "<Unprintable>"),
        ("\ud800", "\ud800"),
    ],
)
def test_annotation_values_are_texts_numbers_or_booleans(fleece_xray, value, sent):
    """Whatever it was, the service takes it."""
    with xray.subsegment("x"):
        xray.put_annotation("key", value)
    assert fleece_xray.subsegments[0]["annotations"] == {"key": sent}
    if value == value and not isinstance(value, Unprintable):  # noqa: PLR0124 (not NaN)
        assert xray.to_safe_annotation_value(value) == sent


@pytest.mark.parametrize("key", [None, 3, ("a", 1), b"key", Unprintable(), Colour.RED])
def test_keys_and_namespaces_that_are_no_texts_do_no_harm(fleece_xray, key):
    """They are data, and may come from a request: taken as texts where that is possible, and never an error."""
    with xray.subsegment("x") as block:
        for put in (xray, block):
            put.put_annotation(key, key)
            put.put_metadata(key, key)
            put.put_metadata("key", key, namespace=key)
    assert len(fleece_xray.subsegments) == 1


@pytest.mark.parametrize(
    ("key", "sent"),
    [("user_id", "user_id"), ("user-id", "user_id"), ("größe", "gr__e"), ("", "_"), ("a" * 600, "a" * 500)],
)
def test_annotation_keys_are_letters_digits_and_underscores(fleece_xray, key, sent):
    """Others become underscores."""
    assert xray.to_safe_annotation_key(key) == sent
    with xray.subsegment("x"):
        xray.put_annotation(key, 1)
    assert fleece_xray.subsegments[0]["annotations"] == {sent: 1}


def test_at_most_fifty_annotations_are_kept(fleece_xray):
    """The service indexes no more; those that are there can still be changed."""
    with xray.subsegment("x"):
        for number in range(60):
            xray.put_annotation(f"key{number}", number)
        xray.put_annotation("key0", "changed")
    annotations = fleece_xray.subsegments[0]["annotations"]
    assert len(annotations) == 50
    assert annotations["key0"] == "changed"


def test_metadata_is_by_namespace_and_masked(fleece_xray):
    """Also when the key itself is that of a secret, or the value is a Lambda event."""
    with xray.subsegment("x") as block:
        xray.put_metadata("order", {"id": 1, "card": {"Token": "hunter2"}})
        xray.put_metadata("password", "hunter2", namespace="login")
        block.put_metadata("Records", [1], namespace="login")
    assert fleece_xray.subsegments[0]["metadata"] == {
        "default": {"order": {"id": 1, "card": {"Token": "***"}}},
        "login": {"password": "***", "Records": [1]},
    }


def test_without_a_subsegment_nothing_is_added(fleece_xray):
    """And nothing raises."""
    xray.put_annotation("key", 1)
    xray.put_metadata("key", 1)
    assert fleece_xray.documents == []


def test_threads_may_add_while_it_ends(fleece_xray):
    """The document is sent whole whatever they are doing."""
    stop = threading.Event()

    def annotate():
        for number in itertools.count():
            xray.put_metadata(f"key{number}", number)
            xray.put_annotation(f"key{number}", number)
            if stop.is_set():
                break

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that they do get between
    try:
        for _ in range(30):
            stop.clear()
            with xray.subsegment("shared"):
                thread = threading.Thread(target=xray.bind_context(annotate))
                thread.start()
                for number in range(2000):
                    xray.put_metadata(f"mine{number}", number)
            stop.set()
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(fleece_xray.subsegments) == 30


def test_a_subsegment_can_be_sent_by_hand(fleece_xray):
    """With 1.2.1's parameters; end_time makes it complete."""
    an_id = xray.generate_subsegment_id()
    xray.send_subsegment_to_xray_daemon(an_id, None, 1.5, name="by hand")
    xray.send_subsegment_to_xray_daemon(
        subsegment_id=an_id,
        parent_id="0123456789abcdef",
        start_time=1,
        end_time=2,
        name="by hand?",
        namespace="aws",
        extra_data={
            "annotations": {"a-b": 1},
            "metadata": {"default": {"password": "hunter2"}, "flat": 1},
            "http": {"request": {"method": "GET", "url": 5, "body": "hunter2"}, "response": {"status": 200}},
            "aws": {"operation": "PutItem", "other": 1},
            "cause": {
                "working_directory": "/",
                "exceptions": [{"id": an_id, "message": "no", "stack": [{"path": "a"}, 5]}, {}],
            },
            "fault": True,
            "error": "yes",
            "trace_id": "forged",
        },
    )
    started, ended = fleece_xray.documents
    assert started == {
        "type": "subsegment",
        "id": an_id,
        "trace_id": fleece_xray.trace_id,
        "parent_id": fleece_xray.parent_id,
        "name": "by hand",
        "namespace": "remote",
        "start_time": 1.5,
        "in_progress": True,
    }
    assert ended == {
        "type": "subsegment",
        "id": an_id,
        "trace_id": fleece_xray.trace_id,
        "parent_id": "0123456789abcdef",
        "name": "by hand_",
        "namespace": "aws",
        "start_time": 1.0,
        "end_time": 2.0,
        "annotations": {"a_b": 1},
        "metadata": {"default": {"password": "***", "flat": 1}},
        "http": {"request": {"method": "GET"}, "response": {"status": 200}},
        "aws": {"operation": "PutItem"},
        "cause": {
            "working_directory": "/",
            "exceptions": [{"id": an_id, "message": "no", "stack": [{"path": "a"}]}],
        },
        "fault": True,
    }


@pytest.mark.parametrize(
    "arguments",
    [
        {"subsegment_id": "no id"},
        {"parent_id": "no id"},
        {"start_time": float("nan")},
        {"start_time": "yesterday"},
        {"end_time": float("inf")},
        {"name": 5},
    ],
)
def test_what_cannot_be_sent_by_hand_is_dropped(fleece_xray, arguments):
    """Nothing is raised, and nothing that the service would refuse is sent."""
    good = {"subsegment_id": xray.generate_subsegment_id(), "parent_id": None, "start_time": 1.0, "end_time": 2.0}
    xray.send_subsegment_to_xray_daemon(**{**good, **arguments})
    assert fleece_xray.documents == []


@pytest.mark.parametrize(
    ("extra", "sent"),
    [
        ({"metadata": "text"}, {"metadata": {"default": {"value": "text"}}}),
        ({"metadata": {"mine": {"a": 1}}}, {"metadata": {"mine": {"a": 1}}}),
        ({"annotations": [1], "http": "text", "aws": None, "error": 1}, {}),
        ({"cause": "0123456789abcdef"}, {"cause": "0123456789abcdef"}),
        ({"cause": {"exceptions": "text"}}, {"cause": {}}),
        ({"http": {"response": {"status": True, "content_length": 2**80}}}, {"http": {"response": {}}}),
    ],
)
def test_of_extra_data_what_is_right_is_sent(fleece_xray, extra, sent):
    """The rest is left out."""
    xray.send_subsegment_to_xray_daemon(xray.generate_subsegment_id(), None, 1.0, 2.0, extra_data=extra)
    [document] = fleece_xray.subsegments
    usual = {"type", "id", "trace_id", "parent_id", "name", "namespace", "start_time", "end_time"}
    assert {name: value for name, value in document.items() if name not in usual} == sent


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://user:hunter2@token:8443/a?b=hunter2#c", "https://token:8443/a"),
        ("https://host?b=hunter2", "https://host"),
        ("https://host/a#hunter2", "https://host/a"),
        ("https://user:p@ss@host/a", "https://host/a"),
        ("https://host/@a", "https://host/@a"),
        ("/path?b=hunter2", "/path"),
    ],
)
def test_urls_are_sent_without_query_and_user(fleece_xray, url, sent):
    """Also those that are sent by hand."""
    xray.send_subsegment_to_xray_daemon(
        xray.generate_subsegment_id(), None, 1.0, 2.0, "x", extra_data={"http": {"request": {"url": url}}}
    )
    assert fleece_xray.subsegments[0]["http"]["request"]["url"] == sent


@pytest.mark.parametrize("sampled", ["0", "?"])
def test_nothing_is_sent_by_hand_when_not_sampled(fleece_xray, trace, sampled):
    """As everything else."""
    trace(f"Root={fleece_xray.trace_id};Parent={fleece_xray.parent_id};Sampled={sampled}")
    xray.send_subsegment_to_xray_daemon(xray.generate_subsegment_id(), None, 1.0, 2.0)
    assert fleece_xray.documents == []


def test_documents_are_one_line_of_ascii(fleece_xray):
    """The daemon cuts at the first newline."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(5)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_XRAY_DAEMON_ADDRESS", f"127.0.0.1:{daemon.getsockname()[1]}")
            with xray.subsegment("größe"):
                xray.put_metadata("text", "line\nline\u2028")
        datagrams = [daemon.recv(65_507) for _ in range(2)]
    for datagram in datagrams:
        header, body = datagram.decode("ascii").split("\n")
        assert json.loads(header) == {"format": "json", "version": 1}
        assert json.loads(body)["name"] == "größe"
