"""What holds for every environment, every argument, every exception and every shape of a program."""

import asyncio
import contextlib
import functools
import itertools
import os
import socket
import threading
import types
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fleece import xray

# How many is the profile's business: see tests/conftest.py.
many = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

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
COMPLETE = [f"Root={ROOT}", "Parent=53995c3f42cd8ad8", "Sampled=1"]
headers = st.none() | st.one_of(
    st.lists(header_fields, max_size=6).map(";".join),
    st.lists(header_fields, max_size=2).flatmap(lambda more: st.permutations([*COMPLETE, *more])).map(";".join),
)
# DAEMON is where a daemon listens: what is sent there is looked at.
addresses = st.none() | st.one_of(
    st.sampled_from(
        [
            "DAEMON",
            " DAEMON ",
            "tcp:127.0.0.1:1 udp:DAEMON",
            "udp:DAEMON tcp:127.0.0.1:1",
            "127.0.0.1:1",
            "[::1]:1",
            "nowhere.invalid:2000",
            "127.0.0.1",
            "0.0.0.0:70000",
            "255.255.255.255:2000",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
)
in_progress = st.none() | st.sampled_from(["", "0", "1", "no", "\n", "00"])


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


@contextlib.contextmanager
def environment(header, address=None, in_progress=None):
    """Have these three in the environment, and nothing else that tracing looks at."""
    values = {
        "_X_AMZN_TRACE_ID": header,
        "AWS_XRAY_DAEMON_ADDRESS": address,
        "FLEECE_XRAY_IN_PROGRESS": in_progress,
    }
    with patch.dict(os.environ):
        for name, value in values.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        yield


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


async def async_generator(result, error):
    yield result
    function(result, error)


class Thing:
    """What has methods."""

    def method(self, result, error):
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


def last_of(iterator):
    """Return the last item of an asynchronous generator that never waits."""

    async def read():
        return [item async for item in iterator][-1]

    return run(read())


KINDS = {
    "function": (function, lambda returned: returned),
    "method": (Thing().method, lambda returned: returned),
    "partial": (functools.partial(function), lambda returned: returned),
    "coroutine": (coroutine, run),
    "generator": (generator, drive),
    "async generator": (async_generator, last_of),
}
every_kind = pytest.mark.parametrize(("func", "finish"), KINDS.values(), ids=KINDS)


def same(kind, traced, plain):
    """Whether two outcomes are the same: the very same object has been returned or raised."""
    # A coroutine or generator makes a RuntimeError of its own, each time another one, of these two.
    is_own = kind is not function and plain[-1] is RuntimeError
    return (traced[0], traced[-1]) == (plain[0], plain[-1]) if is_own else traced == plain


@every_kind
@pytest.mark.fleece_expects_refusal  # some of the addresses are elsewhere
@given(
    header=headers,
    address=addresses,
    in_progress=in_progress,
    result=values,
    error=st.none() | errors,
    namespace=any_text,
)
@many
def test_no_environment_changes_what_a_call_does(
    fleece_xray, no_names, func, finish, header, address, in_progress, result, error, namespace
):
    """The same object is returned or raised, whatever header, address and setting are, and what is sent is valid."""
    plain = outcome(lambda: finish(func(result, error)))
    traced = xray.trace_xray_subsegment()(func)
    daemon = None if address is None else address.replace("DAEMON", fleece_xray.address)
    with environment(header, daemon, in_progress):
        assert same(func, outcome(lambda: finish(traced(result, error))), plain)
        with xray.subsegment("block", namespace) as block:
            assert same(func, outcome(lambda: finish(xray.bind_context(traced)(result, error))), plain)
            block.put_annotation("result", result)
            xray.put_metadata("result", result)
    fleece_xray.check()


@every_kind
@given(result=values, error=st.none() | errors, key=keys | any_text, name=st.text(st.characters(exclude_categories=[])))
@many
def test_no_value_changes_what_a_call_does_or_makes_a_bad_document(fleece_xray, func, finish, result, error, key, name):
    """Every datagram is one that the daemon and the service take, and there are two for each subsegment."""
    before = len(fleece_xray.documents)
    plain = outcome(lambda: finish(func(result, error)))
    with xray.subsegment(name) as block:
        xray.put_annotation(key, result)
        block.put_metadata(key, result, namespace=name)
        assert same(func, outcome(lambda: finish(xray.trace_xray_subsegment()(func)(result, error))), plain)
    assert len(fleece_xray.documents) == before + 4
    fleece_xray.check()


@given(
    an_id=values | st.just("0123456789abcdef"),
    times=st.lists(st.floats() | st.integers() | leaves, min_size=2, max_size=2),
    name=values,
    namespace=values,
    fields=st.dictionaries(
        st.sampled_from(["annotations", "metadata", "http", "aws", "cause", "error", "throttle", "fault", "name"]),
        values,
    ),
)
@many
def test_what_is_sent_by_hand_is_valid_or_not_sent(fleece_xray, an_id, times, name, namespace, fields):
    """Whatever it is that is handed over; nothing is raised."""
    xray.send_subsegment_to_xray_daemon(an_id, None, *times, name, namespace, fields)
    fleece_xray.check()


@given(header=headers)
@many
def test_the_header_for_downstream_is_always_one(header):
    """Printable ASCII in one line; the trace is the same, and its decision."""
    with environment(header):
        sent, trace = xray.trace_header(), xray.get_trace_id()
    assert (sent is None) == (trace.trace_id is None)
    if sent is not None:
        assert sent.isascii()
        assert sent.isprintable()
        assert sent.startswith(f"Root={trace.trace_id}")
        with environment(sent):
            assert xray.get_trace_id() == trace
            assert xray.trace_header() == sent


# Programs: each call is of one of these kinds, and makes calls of its own, one after the other or, where the kind says
# so, at once. Two generators that are read in turn share out the calls; who reads one makes a call between two items.

PLAIN = ["function", "generator", "generators in turn", "block", "threads"]
ASYNC = ["coroutine", "async generator", "async generators in turn", "async block", "tasks"]
programs = st.recursive(
    st.tuples(st.sampled_from(PLAIN + ASYNC), st.just([])),
    lambda inner: st.tuples(st.sampled_from(PLAIN + ASYNC), st.lists(inner, max_size=3)),
    max_leaves=8,
)


class Program:
    """Runs a tree of calls, and knows which call was made by which."""

    def __init__(self):
        self.calls = set()
        self._numbers = itertools.count()

    def run(self, tree, caller=None):
        """Run a tree from plain code: what is plain is called directly, and what is async in a loop of its own."""
        kind, children = tree
        if kind in PLAIN:
            self._run_plain(kind, children, caller)
        else:
            # In a thread, since there may be a loop further out in this one.
            in_threads([lambda: asyncio.run(self._run_async(kind, children, caller))])

    async def run_in_loop(self, tree, caller):
        """Run a tree from async code."""
        kind, children = tree
        if kind in PLAIN:
            self._run_plain(kind, children, caller)
        else:
            await self._run_async(kind, children, caller)

    def _run_plain(self, kind, children, caller):
        name = self._begin(kind, caller)
        if kind == "block":
            with xray.subsegment(name):
                list(self._each(name, children))
        elif kind == "threads":
            traced(in_threads, name)([functools.partial(self.run, child, name) for child in children])
        elif kind == "generator":
            self._read(traced(self._each, name)(name, children), caller)
        elif kind == "generators in turn":
            second = self._begin(kind, caller)
            both = traced(self._each, name)(name, children[::2]), traced(self._each, second)(second, children[1::2])
            self._read(itertools.zip_longest(*both), caller)
        else:
            traced(lambda: list(self._each(name, children)), name)()

    def _each(self, name, children):
        for child in children:
            self.run(child, name)
            yield

    def _read(self, items, caller):
        for _ in items:
            self.run(("function", []), caller)

    async def _run_async(self, kind, children, caller):
        name = self._begin(kind, caller)
        if kind == "async block":
            async with xray.subsegment(name):
                await self._one_by_one(name, children)
        elif kind == "tasks":
            await traced(self._at_once, name)(name, children)
        elif kind == "async generator":
            await self._read_in_turn([traced(self._each_in_loop, name)(name, children)], caller)
        elif kind == "async generators in turn":
            second = self._begin(kind, caller)
            halves = [(name, children[::2]), (second, children[1::2])]
            await self._read_in_turn([traced(self._each_in_loop, half[0])(*half) for half in halves], caller)
        else:
            await traced(self._one_by_one, name)(name, children)

    async def _each_in_loop(self, name, children):
        for child in children:
            await self.run_in_loop(child, name)
            yield

    async def _one_by_one(self, name, children):
        async for _ in self._each_in_loop(name, children):
            pass

    async def _at_once(self, name, children):
        await asyncio.gather(*(self.run_in_loop(child, name) for child in children))

    async def _read_in_turn(self, streams, caller):
        while streams:
            items = [await anext(stream, streams) for stream in streams]
            streams = [stream for stream, item in zip(streams, items, strict=True) if item is not streams]
            await self.run_in_loop(("coroutine", []), caller)

    def _begin(self, kind, caller):
        name = f"{kind} {next(self._numbers)}"
        self.calls.add((name, caller))
        return name


def in_threads(work):
    """Call each in a thread of its own, and wait for all of them."""
    threads = [threading.Thread(target=xray.bind_context(one)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def traced(func, name):
    """Return a function, or what does as a method does, traced under a name."""
    plain = getattr(func, "__func__", func)
    named = types.FunctionType(plain.__code__, plain.__globals__, name, plain.__defaults__, plain.__closure__)
    decorated = xray.trace_xray_subsegment(skip_args=True)(named)
    return functools.partial(decorated, func.__self__) if plain is not func else decorated


@given(tree=programs)
@many
def test_documents_nest_as_calls_do(fleece_xray, tree):
    """For programs of functions, coroutines, tasks, threads, generators and blocks, nested at random."""
    before = len(fleece_xray.subsegments)
    program = Program()
    program.run(tree)
    documents = fleece_xray.subsegments[before:]
    names = {document["id"]: document["name"] for document in documents}
    assert {(document["name"], names.get(document["parent_id"])) for document in documents} == program.calls
    assert len(documents) == len(program.calls)
    assert xray.get_parent_id() == fleece_xray.parent_id
    fleece_xray.check()
