"""`trace_xray_subsegment` on every kind of callable: the trace is right, and the callable is as it was."""

import asyncio
import concurrent.futures
import contextlib
import contextvars
import copy
import functools
import gc
import inspect
import pickle
import sys
import types
import weakref

import pytest

from fleece import xray

traced = xray.trace_xray_subsegment()


def names(daemon):
    """Return the names of the complete subsegments, in the order in which they ended."""
    return [document["name"] for document in daemon.subsegments]


def add(first, second: int = 2, *rest, third: int = 3, **others) -> int:
    """Add."""
    return first + second + third


class Calculator:
    """Methods of each kind."""

    @traced
    def method(self, number):
        return self, number

    @traced
    @classmethod
    def above(cls, number):
        return cls, number

    @classmethod
    @traced
    def below(cls, number):
        return cls, number

    @traced
    @staticmethod
    def static_above(number):
        return number

    @staticmethod
    @traced
    def static_below(number):
        return number

    @traced
    async def coroutine(self, number):
        return self, number


class Callable:
    """An object that can be called, and that keeps count."""

    def __init__(self):
        self.calls = 0

    def __call__(self, number: int) -> int:
        self.calls += 1
        return number


class AsyncCallable:
    async def __call__(self, number):
        return number


def test_a_function_gives_two_documents(fleece_xray):
    """One when it begins, in progress, and one when it has ended, about the same subsegment."""
    assert traced(add)(1) == 6
    started, ended = fleece_xray.documents
    assert started["in_progress"] is True
    assert "end_time" not in started
    assert ended["end_time"] >= ended["start_time"] == started["start_time"]
    assert (ended["id"], ended["name"]) == (started["id"], "add")
    assert ended["parent_id"] == fleece_xray.parent_id
    assert "namespace" not in ended


def test_the_first_document_can_be_turned_off(fleece_xray, monkeypatch):
    """FLEECE_XRAY_IN_PROGRESS=0 leaves the complete one."""
    monkeypatch.setenv("FLEECE_XRAY_IN_PROGRESS", "0")
    traced(add)(1)
    [document] = fleece_xray.documents
    assert "in_progress" not in document


@pytest.mark.parametrize("header", [None, "", "Sampled=1", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"])
def test_an_untraced_call_goes_straight_through(fleece_xray, trace, header):
    """No context, or no decision to sample: no datagram."""
    trace(header)
    assert traced(add)(1) == 6
    assert list(traced(lambda: (yield 1))()) == [1]
    assert asyncio.run(traced(AsyncCallable())(1)) == 1
    with xray.subsegment("x") as block:
        block.put_annotation("a", 1)
        block.put_metadata("a", 1)
    assert fleece_xray.documents == []


def test_arguments_are_recorded_by_their_parameters_names(fleece_xray):
    """Positional, default, extra and keyword arguments alike."""
    traced(add)(1, 2, 9, 8, third=4, password="hunter2")
    [document] = fleece_xray.subsegments
    assert document["metadata"]["arguments"] == {
        "first": 1,
        "second": 2,
        "rest": [9, 8],
        "third": 4,
        "password": "***",
    }


def test_arguments_can_be_left_out(fleece_xray):
    """With skip_args=True."""
    xray.trace_xray_subsegment(skip_args=True)(add)(1)
    assert "metadata" not in fleece_xray.subsegments[0]


def test_the_function_above_another_decorator_keeps_its_names(fleece_xray):
    """Parameters are those of the function inside of functools.wraps."""

    @traced
    @functools.wraps(add)
    def wrapper(*args, **kwargs):
        return add(*args, **kwargs)

    wrapper(1, 5)
    assert fleece_xray.subsegments[0]["metadata"]["arguments"] == {"first": 1, "second": 5}


@pytest.mark.parametrize("name", ["method", "above", "below", "static_above", "static_below"])
def test_methods_of_each_kind(fleece_xray, name):
    """On the instance and, where that is possible, on the class; self and cls are not recorded."""
    calculator = Calculator()
    expected = {"method": (calculator, 7), "above": (Calculator, 7), "below": (Calculator, 7)}.get(name, 7)
    assert getattr(calculator, name)(7) == expected
    if name != "method":
        assert getattr(Calculator, name)(7) == expected
    document = fleece_xray.subsegments[0]
    assert document["name"] == name
    assert document["metadata"]["arguments"] == {"number": 7}


def test_bound_methods_and_partials(fleece_xray):
    """Arguments that are bound already are not recorded, and do not shift the names of the others."""
    calculator = Calculator()
    assert traced(calculator.method)(7) == (calculator, 7)
    assert traced(functools.partial(add, 1, third=5))(10) == 16
    assert traced(functools.partial(Callable().__call__))(7) == 7
    recorded = [document.get("metadata", {}).get("arguments") for document in fleece_xray.subsegments]
    assert recorded == [{"number": 7}, {"number": 7}, {"second": 10}, {"number": 7}]
    assert names(fleece_xray) == ["method", "method", "add", "__call__"]


def test_a_callable_object_stays_itself_to_look_at(fleece_xray):
    """Its attributes can be read, set and deleted; the subsegment has its class's name."""
    counter = Callable()
    wrapped = traced(counter)
    assert wrapped(7) == 7
    assert wrapped.calls == 1
    wrapped.calls = 5
    wrapped(7)
    assert counter.calls == 6
    wrapped.other = 1
    del wrapped.other
    assert not hasattr(counter, "other")
    assert repr(wrapped) == repr(counter)
    assert names(fleece_xray) == ["Callable", "Callable"]
    assert fleece_xray.subsegments[0]["metadata"]["arguments"] == {"number": 7}


def test_builtins_and_caches(fleece_xray):
    """Functions of C have no names for their arguments; a cache keeps its methods, and binds as it did."""
    assert traced(len)([1, 2]) == 2

    class Cached:
        @traced
        @functools.lru_cache(maxsize=4)  # noqa: B019 (it is gone with the test)
        def double(self, number):
            return 2 * number

    assert [Cached().double(2), Cached.double(None, 3)] == [4, 6]
    assert Cached.double.cache_info().misses == 2
    assert names(fleece_xray) == ["len", "double", "double"]
    assert fleece_xray.subsegments[0]["metadata"]["arguments"] == {"args": [[1, 2]]}


def test_an_object_that_says_it_wraps_itself(fleece_xray):
    """Looking for its parameters comes to an end."""
    loop = Callable()
    loop.__wrapped__ = loop
    assert traced(loop)(7) == 7
    assert names(fleece_xray) == ["Callable"]


def test_a_coroutine_is_measured_until_it_has_returned(fleece_xray):
    """What it awaits is inside; sibling tasks do not mix; tasks nest under the one that started them."""

    @traced
    async def leaf(number):
        await asyncio.sleep(0)
        with xray.subsegment(f"in {number}"):
            await asyncio.sleep(0)
        return number

    @traced
    async def root():
        return await asyncio.gather(*(leaf(number) for number in range(3)))

    assert asyncio.run(root()) == [0, 1, 2]
    [trace] = fleece_xray.traces()
    [tree] = trace.roots
    assert tree.name == "root"
    assert [leaf.name for leaf in tree.children] == ["leaf"] * 3
    assert sorted(leaf.children[0].name for leaf in tree.children) == ["in 0", "in 1", "in 2"]
    assert all(len(leaf.children) == 1 for leaf in tree.children)


def test_async_callables_and_async_methods(fleece_xray):
    """An object whose `__call__` is async, and an async method."""
    calculator = Calculator()
    assert asyncio.run(calculator.coroutine(7)) == (calculator, 7)
    assert asyncio.run(traced(AsyncCallable())(7)) == 7
    assert asyncio.run(traced(functools.partial(calculator.coroutine, 7))()) == (calculator, 7)
    assert names(fleece_xray) == ["coroutine", "AsyncCallable", "coroutine", "coroutine"]


def test_a_generator_is_measured_while_it_lasts_and_is_not_around_its_consumer(fleece_xray):
    """What the consumer traces between two items is the generator's sibling, and what it traces itself is its child."""

    @traced
    def numbers():
        for number in range(2):
            with xray.subsegment(f"make {number}"):
                pass
            yield number

    with xray.subsegment("consumer"):
        for number in numbers():
            with xray.subsegment(f"use {number}"):
                pass
    [trace] = fleece_xray.traces()
    [consumer] = trace.roots
    children = {child.name: [one.name for one in child.children] for child in consumer.children}
    assert children == {"numbers": ["make 0", "make 1"], "use 0": [], "use 1": []}


def test_an_async_generator_likewise(fleece_xray):
    """Also when the consumer stops in the middle."""

    @traced
    async def numbers():
        for number in range(5):
            with xray.subsegment(f"make {number}"):
                await asyncio.sleep(0)
            yield number

    async def consume():
        stream = numbers()
        async for number in stream:
            with xray.subsegment(f"use {number}"):
                await asyncio.sleep(0)
            if number == 1:
                break
        await stream.aclose()

    asyncio.run(consume())
    [trace] = fleece_xray.traces()
    roots = {root.name: [one.name for one in root.children] for root in trace.roots}
    assert roots == {"numbers": ["make 0", "make 1"], "use 0": [], "use 1": []}
    assert "fault" not in fleece_xray.assert_subsegment("numbers")


def test_a_generator_takes_what_its_consumer_sends_throws_and_closes(fleece_xray):
    """As it would without the decorator, the value that it returns included."""
    closed = []

    @traced
    def echo():
        received = None
        while True:
            try:
                received = yield received
            except KeyError as error:
                received = error
            except GeneratorExit:
                closed.append(True)
                return "closed"
            if received == "stop":
                return "stopped"

    generator = echo()
    error = KeyError("x")
    assert next(generator) is None
    assert generator.send(1) == 1
    assert generator.throw(error) is error
    with pytest.raises(StopIteration) as stop:
        generator.send("stop")
    assert stop.value.value == "stopped"

    generator = echo()
    next(generator)
    # Python 3.13 and later hand on what a closed generator returns.
    assert generator.close() == ("closed" if sys.version_info >= (3, 13) else None)
    assert closed == [True]
    assert names(fleece_xray) == ["echo", "echo"]
    assert not any("fault" in document for document in fleece_xray.subsegments)


@pytest.mark.parametrize("decision", ["0", "1"])
def test_a_generator_may_catch_a_thrown_generator_exit(fleece_xray, trace, decision):
    """Sampled or not: `yield from` would have made a close() of it."""
    trace(fleece_xray.trace_header[:-1] + decision)

    @traced
    def stubborn():
        try:
            yield 1
        except GeneratorExit:
            yield 2

    generator = stubborn()
    next(generator)
    assert generator.throw(GeneratorExit()) == 2
    assert list(generator) == []


def test_an_async_generator_takes_what_its_consumer_sends_and_throws(fleece_xray):
    """As it would without the decorator."""

    @traced
    async def echo():
        received = None
        while received != "stop":
            try:
                received = yield received
            except KeyError as error:
                received = error

    async def consume():
        generator, error = echo(), KeyError("x")
        first = await generator.asend(None)
        return [first, await generator.asend(1), await generator.athrow(error) is error, [x async for x in generator]]

    async def stop():
        generator = echo()
        await generator.asend(None)
        with pytest.raises(StopAsyncIteration):
            await generator.asend("stop")

    async def both():
        await stop()
        generator, error = echo(), KeyError("x")
        assert await generator.asend(None) is None
        assert await generator.asend(1) == 1
        assert await generator.athrow(error) is error
        await generator.aclose()

    asyncio.run(both())
    assert names(fleece_xray) == ["echo", "echo"]


def test_a_generator_based_coroutine_can_still_be_awaited(fleece_xray):
    """What types.coroutine has made stays awaitable."""

    @traced
    @types.coroutine
    def step():
        received = yield "waiting"
        return received

    async def wait():
        return await step()

    coroutine = wait()
    assert coroutine.send(None) == "waiting"
    with pytest.raises(StopIteration) as stop:
        coroutine.send("done")
    assert stop.value.value == "done"
    assert names(fleece_xray) == ["step"]


def test_a_coroutine_that_is_driven_from_several_contexts(fleece_xray):
    """Each step may be run in another context, as some frameworks do."""

    @types.coroutine
    def pause():
        yield

    @traced
    async def work():
        await pause()
        return "done"

    coroutine = work()
    contextvars.copy_context().run(coroutine.send, None)
    with pytest.raises(StopIteration, match="done"):
        contextvars.copy_context().run(coroutine.send, None)
    assert names(fleece_xray) == ["work"]


def _examples():
    async def coroutine(a, *, b: int = 1):
        """Do it later."""

    def generator(a, *, b: int = 1):
        yield

    async def async_generator(a, *, b: int = 1):
        yield

    calculator = Calculator()
    return [
        add,
        coroutine,
        generator,
        async_generator,
        functools.partial(add, 1),
        functools.partial(coroutine, 1),
        vars(Calculator)["method"],
        calculator.method,
        calculator.coroutine,
        Calculator.above,
        Callable(),
        AsyncCallable(),
        len,
    ]


@pytest.mark.parametrize("func", _examples(), ids=lambda func: getattr(func, "__qualname__", type(func).__name__))
def test_introspection_tells_the_truth(func):
    """Of the signature, of what a call returns, and of the names."""
    decorated = traced(func)
    assert inspect.signature(decorated) == inspect.signature(func)
    questions = (
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
        inspect.ismethod,
    )
    assert [ask(decorated) for ask in questions] == [ask(func) for ask in questions]
    for name in ("__name__", "__qualname__", "__doc__", "__module__"):
        if not isinstance(func, functools.partial):
            assert getattr(decorated, name, None) == getattr(func, name, None)


def test_a_callable_object_on_a_class_is_called_as_before(fleece_xray):
    """What does not bind as a method, which only functions and their like do, gets no ``self``."""

    class Adder:
        def __call__(self, *numbers):
            return sum(numbers)

    class Service:
        add = traced(Adder())

    assert Service().add(1, 2) == 3


def test_an_exception_that_was_thrown_in_keeps_nothing(fleece_xray):
    """What a generator has had in hand is gone with it, without the garbage collector's help."""

    class Hand:
        pass

    @traced
    def steps(hand):
        with contextlib.suppress(KeyError):
            yield
        yield

    hand = Hand()
    gone = weakref.ref(hand)
    generator = steps(hand)
    next(generator)
    gc.disable()
    try:
        generator.throw(KeyError())
        del generator, hand
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(inspect, "markcoroutinefunction"), reason="Python 3.12 and later")
def test_a_function_that_is_marked_as_a_coroutine_function_is_measured_as_one(fleece_xray):
    """inspect.markcoroutinefunction is believed."""

    async def work():
        with xray.subsegment("inner"):
            return "done"

    marked = traced(inspect.markcoroutinefunction(lambda: work()))  # noqa: PLW0108 (a plain function, which is the point)
    assert inspect.iscoroutinefunction(marked)
    assert asyncio.run(marked()) == "done"
    assert names(fleece_xray) == ["inner", "_lambda_"]


@pytest.mark.parametrize("wrong", [int, Callable, "text", property(add)])
def test_what_cannot_be_traced_is_said_at_once(wrong):
    """A class would no longer be one; the rest cannot be called."""
    with pytest.raises(TypeError, match="is not a function or a method"):
        traced(wrong)


def test_the_parentheses_are_missed_at_once():
    """`@trace_xray_subsegment` alone would turn the function into something else."""
    with pytest.raises(TypeError, match="with parentheses"):
        xray.trace_xray_subsegment(add)


@pytest.mark.parametrize("wrong", ["name", 1, None])
def test_skip_args_is_true_or_false(wrong):
    """A name in its place is a mistake that would otherwise only leave out the arguments."""
    with pytest.raises(TypeError, match=r"skip_args must be True or False: .* was given"):
        xray.trace_xray_subsegment(wrong)


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
def test_an_exception_passes_unchanged_and_is_recorded(fleece_xray, error):
    """The very same object, with its context and its attributes; the subsegment is a fault."""

    @traced
    def fail():
        raise error

    with pytest.raises(type(error)) as caught:
        fail()
    assert caught.value is error
    assert error.__context__ is None
    document = fleece_xray.subsegments[-1]
    assert document["fault"] is True
    assert document["cause"]["exceptions"][0]["type"] == type(error).__name__


def test_bind_context_carries_the_subsegment_into_threads(fleece_xray):
    """Without it, a thread's subsegments hang on Lambda's own segment."""

    @traced
    def work(number):
        return number

    @traced
    def root():
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            bound = xray.bind_context(work)
            assert list(pool.map(bound, range(8))) == list(range(8))
            assert pool.submit(work, 9).result() == 9

    root()
    [trace] = fleece_xray.traces()
    assert sorted(one.name for one in trace.roots) == ["root", "work"]
    [tree] = [one for one in trace.roots if one.name == "root"]
    assert [child.name for child in tree.children] == ["work"] * 8


def test_bound_coroutines_may_change_contexts_too(fleece_xray):
    """As traced ones may."""

    @types.coroutine
    def pause():
        yield

    async def work():
        await pause()

    coroutine = xray.bind_context(work)()
    contextvars.copy_context().run(coroutine.send, None)
    with pytest.raises(StopIteration):
        contextvars.copy_context().run(coroutine.send, None)


def test_bind_context_takes_coroutine_functions_too(fleece_xray):
    """A coroutine that another thread's loop runs."""

    @traced
    async def work():
        return xray.get_parent_id()

    with xray.subsegment("root"):
        bound = xray.bind_context(work)
        assert inspect.iscoroutinefunction(bound)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: asyncio.run(bound())).result()
    [trace] = fleece_xray.traces()
    assert [child.name for child in trace.roots[0].children] == ["work"]


def test_bind_context_puts_back_what_was_there(fleece_xray):
    """Nothing of it is left in a pool's thread."""
    with xray.subsegment("root"):
        bound = xray.bind_context(lambda: xray.get_parent_id())  # noqa: PLW0108 (looked up when it is called)
        inside = xray.get_parent_id()
    assert bound() == inside
    assert xray.get_parent_id() == fleece_xray.parent_id


class Counter:
    """A callable object with a state of its own."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.calls


def pickled(value):
    return pickle.loads(pickle.dumps(value))  # noqa: S301 (made here)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
def test_a_callable_object_can_be_copied(copied):
    """A copy, or what comes out of a pickle, is an object of its own, as it is without the decorator."""
    counter = xray.trace_xray_subsegment()(Counter())
    counter()
    another = copied(counter)
    assert (another(), another(), counter()) == (2, 3, 2)
