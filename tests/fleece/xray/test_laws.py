"""What holds for every environment, every argument, every exception and every shape of a program."""

import asyncio
import itertools
import os
import socket
import threading
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fleece import xray

many = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

any_text = st.text(st.characters(), max_size=30)
ROOT = "1-5759e988-bd862e3fe1be46a994272793"
header_fields = st.one_of(
    st.sampled_from(
        [
            f"Root={ROOT}",
            "Parent=53995c3f42cd8ad8",
            "Sampled=1",
            "Sampled=0",
            "Sampled=?",
            "Lineage=a87bd80c:1|68fd508a:5",
            f"Self={ROOT}",
            "Root=1-2-3",
            "Parent=",
            "",
            "=",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)
headers = st.none() | st.lists(header_fields, max_size=6).map(";".join)
addresses = st.none() | st.one_of(
    st.sampled_from(
        [
            "127.0.0.1:1",
            "[::1]:1",
            "tcp:127.0.0.1:1 udp:127.0.0.1:1",
            "udp:127.0.0.1:1 tcp:127.0.0.1:1",
            "nowhere.invalid:2000",
            "127.0.0.1",
            "0.0.0.0:70000",
            "255.255.255.255:2000",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)


class Hostile:
    """An object that answers to nothing."""

    def __getattribute__(self, name):
        raise ZeroDivisionError

    __str__ = __repr__ = __len__ = __iter__ = __bool__ = __getattribute__


def _circle():
    circle: dict = {}
    circle["self"] = [circle]
    return circle


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=[]), max_size=30),
    st.binary(max_size=10),
    st.builds(Hostile),
    st.builds(_circle),
    st.just("x" * 2_000_000),
    st.just('{"password": "x", "a": [1'),
)
keys = st.one_of(
    st.text(max_size=10), st.integers(), st.tuples(st.integers(), st.text(max_size=3)), st.binary(max_size=3)
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=10
)
errors = st.one_of(
    st.builds(ValueError, values),
    st.sampled_from([SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), StopIteration(1), GeneratorExit()]),
)


@pytest.fixture
def no_names(monkeypatch):
    """Answer every look-up of a name at once: there is none."""

    def getaddrinfo(*args, **kwargs):
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def _environment(header, address):
    both = {"_X_AMZN_TRACE_ID": header, "AWS_XRAY_DAEMON_ADDRESS": address}
    return patch.dict(os.environ, {name: value for name, value in both.items() if value is not None})


def outcome(call, *args, **kwargs):
    """Return what a call returns or raises, as something to compare."""
    try:
        return "returned", id(call(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 (whatever it is)
        return "raised", id(error), type(error)


def function(result, error):
    if error is not None:
        raise error
    return result


async def coroutine(result, error):
    return function(result, error)


def generator(result, error):
    yield result
    return function(result, error)


def drive(iterator):
    """Return what a generator returns."""
    while True:
        try:
            next(iterator)
        except StopIteration as stop:
            return stop.value


def run(awaitable):
    """Run a coroutine that never waits, with nothing between it and its outcome."""
    try:
        awaitable.send(None)
    except StopIteration as stop:
        return stop.value


KINDS = [
    (function, lambda made: made),
    (coroutine, run),
    (generator, drive),
]


@pytest.mark.parametrize(("func", "finish"), KINDS, ids=["function", "coroutine", "generator"])
@given(header=headers, address=addresses, result=values, error=st.none() | errors)
@many
def test_no_environment_changes_what_a_call_does(no_names, func, finish, header, address, result, error):
    """The same object is returned or raised, whatever the trace header and the daemon's address are."""
    # A generator makes RuntimeError of StopIteration; a new object each time, so that only its type can be compared.
    sizes = slice(None) if func is function or not isinstance(error, StopIteration) else slice(2, None)
    plain = outcome(lambda: finish(func(result, error)))
    traced = xray.trace_xray_subsegment()(func)
    with _environment(header, address):
        assert outcome(lambda: finish(traced(result, error)))[sizes] == plain[sizes]
        with xray.subsegment("block"):
            assert outcome(lambda: finish(traced(result, error)))[sizes] == plain[sizes]


@pytest.mark.parametrize(("func", "finish"), KINDS, ids=["function", "coroutine", "generator"])
@given(result=values, error=st.none() | errors, key=keys | any_text, name=st.text(st.characters(exclude_categories=[])))
@many
def test_no_value_changes_what_a_call_does_or_makes_a_bad_document(fleece_xray, func, finish, result, error, key, name):
    """Every datagram is one that the daemon and the service take, and there are two for each subsegment."""
    sizes = slice(None) if func is function or not isinstance(error, StopIteration) else slice(2, None)
    before = len(fleece_xray.documents)
    plain = outcome(lambda: finish(func(result, error)))
    with xray.subsegment(name) as block:
        xray.put_annotation(key, result)
        block.put_metadata(key, result, namespace=name)
        assert outcome(lambda: finish(xray.trace_xray_subsegment()(func)(result, error)))[sizes] == plain[sizes]
    assert len(fleece_xray.documents) == before + 4
    fleece_xray.check()


@given(header=headers)
@many
def test_the_header_for_downstream_is_always_one(header):
    """Printable ASCII in one line; the trace is the same, and its decision."""
    with _environment(header, None):
        sent, trace = xray.trace_header(), xray.get_trace_id()
    assert (sent is None) == (trace.trace_id is None)
    if sent is not None:
        assert sent.isascii()
        assert sent.isprintable()
        assert sent.startswith(f"Root={trace.trace_id}")
        with _environment(sent, None):
            assert xray.get_trace_id() == trace
            assert xray.trace_header() == sent


# Programs: each call is of one of these kinds, and makes calls of its own.

KINDS_OF_CALL = ["function", "generator", "block", "coroutine", "async generator", "async block", "tasks"]
programs = st.recursive(
    st.tuples(st.sampled_from(KINDS_OF_CALL), st.just([])),
    lambda inner: st.tuples(st.sampled_from(KINDS_OF_CALL), st.lists(inner, max_size=3)),
    max_leaves=6,
)


class Program:
    """Runs a tree of calls, and knows which call was made by which."""

    def __init__(self):
        self.calls = set()
        self._numbers = itertools.count()

    async def run(self, tree, caller=None):
        kind, children = tree
        name = f"{kind} {next(self._numbers)}"
        self.calls.add((name, caller))
        if kind in ("function", "generator", "block"):
            self._run_plain(kind, name, children)
        else:
            await self._run_async(kind, name, children)

    def _run_plain(self, kind, name, children):
        def each():
            for child in children:
                yield self._in_thread(child, name)

        if kind == "block":
            with xray.subsegment(name):
                list(each())
            return
        func = each if kind == "generator" else lambda: list(each())
        func.__name__ = name
        list(xray.trace_xray_subsegment()(func)())

    def _in_thread(self, child, caller):
        # A loop of its own, since the plain function that waits for it may be inside of one.
        work = xray.bind_context(lambda: asyncio.run(self.run(child, caller)))
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    async def _run_async(self, kind, name, children):
        async def each():
            for child in children:
                await self.run(child, name)
                yield child

        async def one_by_one():
            async for _ in each():
                pass

        async def at_once():
            await asyncio.gather(*(self.run(child, name) for child in children))

        if kind == "async block":
            async with xray.subsegment(name):
                await one_by_one()
        elif kind == "async generator":
            each.__name__ = name
            async for _ in xray.trace_xray_subsegment()(each)():
                pass
        else:
            func = at_once if kind == "tasks" else one_by_one
            func.__name__ = name
            await xray.trace_xray_subsegment()(func)()


@given(tree=programs)
@settings(many, max_examples=60)
def test_documents_nest_as_calls_do(fleece_xray, tree):
    """For programs of functions, coroutines, tasks, threads, generators and blocks, nested at random."""
    before = len(fleece_xray.subsegments)
    program = Program()
    asyncio.run(program.run(tree))
    documents = fleece_xray.subsegments[before:]
    names = {document["id"]: document["name"] for document in documents}
    assert {(document["name"], names.get(document["parent_id"])) for document in documents} == program.calls
    assert xray.get_parent_id() == fleece_xray.parent_id
