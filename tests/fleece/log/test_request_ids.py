"""The ids of the invocation, and the fields of the context."""

import asyncio
import contextvars
import functools
import gc
import inspect
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from fleece import log
from fleece._defaults import defaults
from fleece.log import get_logger, inject_request_ids_into_environment
from fleece.xray import get_trace_id

VARIABLES = ("_FLEECE_APIG_REQUEST_ID", "_FLEECE_LAMBDA_REQUEST_ID")
IDS = ("api_request_id", "lambda_request_id", "function_name", "cold_start", "xray_trace_id")


def context(number=1):
    return SimpleNamespace(aws_request_id=f"lambda-{number}", function_name="users")


def api_event(number=1):
    return {"requestContext": {"requestId": f"api-{number}"}}


def ids(line):
    return {key: line[key] for key in IDS if key in line}


def of(name, fleece_logs):
    """Return the lines of one logger: asyncio writes some at DEBUG."""
    return [line for line in fleece_logs.lines if line["logger"] == name]


def variables():
    return tuple(os.environ.get(name) for name in VARIABLES)


def test_an_invocations_lines_have_its_ids_and_others_have_none(name, fleece_context, fleece_logs, monkeypatch):
    """Within the decorated handler every line, also of other libraries, has the ids; before and after it none has."""
    import logging

    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
    logger = get_logger(name)
    made = fleece_context(function_name="users")

    @inject_request_ids_into_environment
    def handler(event, context):
        logger.info("ours")
        logging.getLogger("botocore").info("theirs")
        return event

    logger.info("before")
    event = api_event()
    assert handler(event, made) is event
    logger.info("after")
    before, ours, theirs, after = map(ids, fleece_logs.lines)
    assert ours == theirs == {
        "api_request_id": "api-1",
        "lambda_request_id": made.aws_request_id,
        "function_name": "users",
        "cold_start": True,
        "xray_trace_id": "1-5759e988-bd862e3fe1be46a994272793",
    }  # fmt: skip
    assert before == after == {}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("root=1-5759e988-bd862e3fe1be46a994272793;sampled=0", "1-5759e988-bd862e3fe1be46a994272793"),
        ("Root=garbage;Sampled=1", None),
        ("", None),
    ],
)
def test_trace_id_is_what_tracing_takes_for_one(header, expected, monkeypatch, name, fleece_logs):
    """A line names the trace that fleece.xray would trace into, whatever case the header is in, and no garbage."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)

    @inject_request_ids_into_environment
    def handler(event, context):
        get_logger(name).info("x")

    handler({}, context())
    assert fleece_logs.lines[0].get("xray_trace_id") == expected == get_trace_id().trace_id


def test_no_id_is_left_for_the_next_event(name, fleece_logs):
    """An event that did not come from API Gateway has no api_request_id, also after one that did; nor a cold start."""
    logger = get_logger(name)

    @inject_request_ids_into_environment
    def handler(event, context):
        logger.info("x", variables=variables())

    handler(api_event(1), context(1))
    handler({"Records": []}, context(2))
    handler(api_event(3), None)
    first, second, third = fleece_logs.lines
    assert ids(first) == {
        "api_request_id": "api-1", "lambda_request_id": "lambda-1", "function_name": "users", "cold_start": True,
    }  # fmt: skip
    assert ids(second) == {"lambda_request_id": "lambda-2", "function_name": "users", "cold_start": False}
    assert ids(third) == {"api_request_id": "api-3", "cold_start": False}
    assert [line["variables"] for line in (first, second, third)] == [
        ["api-1", "lambda-1"], [None, "lambda-2"], ["api-3", None],
    ]  # fmt: skip


class Rude:
    """A context that refuses to be read."""

    def __getattr__(self, name):
        raise RuntimeError(name)


@pytest.mark.parametrize(
    "event", [None, [], "text", 7, {}, {"requestContext": None}, {"requestContext": {"requestId": 1}}]
)
@pytest.mark.parametrize("make", [lambda: None, object, lambda: SimpleNamespace(aws_request_id=7), Rude])
def test_strange_events_and_contexts_have_no_id_and_raise_nothing(event, make, name, fleece_logs):
    """What has no id of the right type gives none, and the handler gets it as it is."""
    logger = get_logger(name)

    @inject_request_ids_into_environment
    def handler(*args):
        logger.info("x")
        return args

    lambda_context = make()
    assert handler(event, lambda_context) == (event, lambda_context)
    assert ids(fleece_logs.lines[0]) == {"cold_start": True}


@pytest.mark.parametrize("kind", ["rest", "http", "websocket"])
def test_api_gateways_events_give_their_id(kind, name, fleece_logs):
    """REST, HTTP API and WebSocket events carry API Gateway's request id in one place."""
    extra = {
        "rest": {"resourcePath": "/", "apiId": "a"},
        "http": {"http": {"method": "GET"}, "apiId": "a", "domainName": "a.execute-api.us-east-1.amazonaws.com"},
        "websocket": {"connectionId": "c", "eventType": "MESSAGE", "apiId": "a"},
    }[kind]
    logger = get_logger(name)
    inject_request_ids_into_environment(lambda event, context: logger.info("x"))(
        {"requestContext": {"requestId": "api", **extra}}, None
    )
    assert fleece_logs.lines[0]["api_request_id"] == "api"


@pytest.mark.parametrize(
    "about",
    [
        {"requestId": "u", "domainName": "x.lambda-url.us-east-1.on.aws"},
        {"requestId": "d", "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:f", "condition": "Success"},
        {"elb": {"targetGroupArn": "arn"}},
    ],
    ids=["function URL", "destination", "load balancer"],
)
def test_other_services_ids_are_not_api_gateways(about, name, fleece_logs):
    """Function URLs, destinations' records and load balancers are not API Gateway, whatever ids they bring."""
    logger = get_logger(name)
    inject_request_ids_into_environment(lambda event, context: logger.info("x"))({"requestContext": about}, None)
    assert "api_request_id" not in fleece_logs.lines[0]


def test_the_environment_is_put_back(name, monkeypatch):
    """The variables are set for child processes while the handler runs, and then as before; also after an error."""
    monkeypatch.setenv("_FLEECE_LAMBDA_REQUEST_ID", "outer")

    @inject_request_ids_into_environment
    def handler(event, context):
        assert variables() == ("api-1", "lambda-1")
        raise LookupError

    with pytest.raises(LookupError):
        handler(api_event(), context())
    assert variables() == (None, "outer")


def test_an_id_that_no_environment_can_hold_is_in_the_line_all_the_same(name, fleece_logs):
    """An id with a null character raises nothing, and stands in the line."""
    logger = get_logger(name)
    inject_request_ids_into_environment(lambda event, context: logger.info("x"))(api_event("\0"), context())
    assert fleece_logs.lines[0]["api_request_id"] == "api-\0"


def test_a_child_process_has_the_ids(fleece_logs):
    """A Python child of an invocation that logs with fleece has the invocation's ids in its lines."""
    code = "from fleece.log import get_logger; get_logger('child').info('x')"

    @inject_request_ids_into_environment
    def handler(event, context):
        subprocess.run([sys.executable, "-c", code], check=True)

    handler(api_event(), context())
    assert ids(fleece_logs.lines[0]) == {"api_request_id": "api-1", "lambda_request_id": "lambda-1"}


def test_invocations_in_threads_see_their_own_ids(name, fleece_logs):
    """Invocations that run at the same time in threads do not mix; the variables are put back by the last."""
    logger = get_logger(name)
    inside, leave = threading.Barrier(3), [threading.Event(), threading.Event()]

    @inject_request_ids_into_environment
    def handler(event, context):
        inside.wait()
        logger.info("x", number=event["number"])
        leave[event["number"]].wait()

    threads = [
        threading.Thread(target=handler, args=({**api_event(number), "number": number}, context(number)))
        for number in (0, 1)
    ]
    for thread in threads:
        thread.start()
    inside.wait()
    for number in (0, 1):  # the first to come is the first to go: the other's ids are in the environment then
        leave[number].set()
        threads[number].join()
        assert variables() == ((None, None) if number else ("api-1", "lambda-1"))
    assert {(line["number"], line["api_request_id"], line["lambda_request_id"]) for line in fleece_logs.lines} == {
        (0, "api-0", "lambda-0"), (1, "api-1", "lambda-1"),
    }  # fmt: skip


def test_invocations_in_tasks_see_their_own_ids(name, fleece_logs):
    """``async def`` handlers that take turns on one loop do not mix, nor reach a task outside of them."""
    logger = get_logger(name)

    @inject_request_ids_into_environment
    async def handler(event, context):
        for _ in range(3):
            await asyncio.sleep(0)
            logger.info("x", number=event["number"])
        await asyncio.create_task(below(event["number"]))
        return event["number"]

    async def below(number):
        logger.info("below", number=number)

    async def outside():
        for _ in range(3):
            await asyncio.sleep(0)
            logger.info("outside")

    async def main():
        calls = (handler({**api_event(number), "number": number}, context(number)) for number in range(4))
        return await asyncio.gather(*calls, outside())

    assert asyncio.run(main()) == [0, 1, 2, 3, None]
    for line in of(name, fleece_logs):
        if line["event"] == "outside":
            assert ids(line) == {}
        else:
            assert (line["api_request_id"], line["lambda_request_id"]) == (
                f"api-{line['number']}", f"lambda-{line['number']}",
            )  # fmt: skip
    assert variables() == (None, None)


def test_one_running_coroutine_does_not_reach_other_tasks_of_its_thread(name, fleece_logs):
    """A task beside a single invocation, in the same thread, is not of that invocation."""
    logger = get_logger(name)

    @inject_request_ids_into_environment
    async def handler(event, context):
        await asyncio.sleep(0.01)

    async def main():
        running = asyncio.ensure_future(handler({}, context()))
        await asyncio.sleep(0)
        logger.info("beside")
        await running

    asyncio.run(main())
    assert ids(of(name, fleece_logs)[0]) == {}


def test_a_pools_thread_works_for_the_one_running_invocation(name, fleece_logs):
    """A thread without ids takes those of the single running invocation, and none when there are two, or none."""
    logger = get_logger(name)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(logger.info, "none runs").result()

        @inject_request_ids_into_environment
        def handler(event, context):
            pool.submit(logger.info, event).result()

        handler("one runs", context(1))
        handler("the next one runs", context(2))

        inside, leave = threading.Barrier(3), threading.Event()

        @inject_request_ids_into_environment
        def waiting(event, context):
            inside.wait()
            leave.wait()

        threads = [threading.Thread(target=waiting, args=({}, context(number))) for number in (3, 4)]
        for thread in threads:
            thread.start()
        inside.wait()
        pool.submit(logger.info, "two run").result()
        leave.set()
        for thread in threads:
            thread.join()
        pool.submit(logger.info, "none runs any more").result()
    assert [(line["event"], line.get("lambda_request_id")) for line in fleece_logs.lines] == [
        ("none runs", None),
        ("one runs", "lambda-1"),
        ("the next one runs", "lambda-2"),
        ("two run", None),
        ("none runs any more", None),
    ]


def test_a_context_that_outlives_its_invocation_has_no_ids(name, fleece_logs):
    """Code that still runs in the context of an invocation that has ended logs no stale ids."""
    logger = get_logger(name)

    @inject_request_ids_into_environment
    def handler(event, context):
        return contextvars.copy_context()

    kept = handler(api_event(1), context(1))
    kept.run(logger.info, "later")
    with ThreadPoolExecutor(1) as pool:

        @inject_request_ids_into_environment
        def another(event, context):
            pool.submit(kept.run, logger.info, "during the next").result()

        another({}, context(2))
    later, during = fleece_logs.lines
    assert ids(later) == {}
    assert during["lambda_request_id"] == "lambda-2"


def test_a_handler_decorated_twice_is_one_invocation(name, fleece_logs):
    """A decorated handler within a decorated one, for the same event, is the same invocation, a cold start included."""
    logger = get_logger(name)

    @inject_request_ids_into_environment
    @inject_request_ids_into_environment
    def handler(event, context):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(logger.info, "pool").result()
        logger.info("x")

    handler(api_event(), context())
    pool, own = map(ids, fleece_logs.lines)
    assert pool == own
    assert own["cold_start"] is True


def test_an_invocation_within_another_gives_back_the_outer_ones_ids(name, fleece_logs):
    """A decorated handler that calls another one has its own ids again afterwards."""
    logger = get_logger(name)
    inner = inject_request_ids_into_environment(lambda event, context: logger.info("inner", variables=variables()))

    @inject_request_ids_into_environment
    def outer(event, context_):
        inner({}, context(2))
        logger.info("outer", variables=variables())

    outer(api_event(), context(1))
    assert [(line["lambda_request_id"], line["variables"]) for line in fleece_logs.lines] == [
        ("lambda-2", [None, "lambda-2"]), ("lambda-1", ["api-1", "lambda-1"]),
    ]  # fmt: skip


def test_the_decorator_keeps_what_it_decorates():
    """Name, docstring and kind of the handler stay, and arguments may be given by name."""

    @inject_request_ids_into_environment
    async def handler(event, context):
        """Handle."""

    assert inspect.iscoroutinefunction(handler)
    assert (handler.__name__, handler.__doc__) == ("handler", "Handle.")
    plain = inject_request_ids_into_environment(lambda event, context: (event, context, variables()))
    assert plain(event=api_event(), context=context(5))[2] == ("api-1", "lambda-5")


def test_partials_and_callables_of_coroutines_are_waited_for(name, fleece_logs):
    """The ids hold for the whole of a coroutine also when the handler is a partial or an object."""
    logger = get_logger(name)

    async def handle(event, context):
        await asyncio.sleep(0)
        logger.info("x")

    class Handler:
        async def __call__(self, event, context):
            await handle(event, context)

    for handler in (functools.partial(handle), Handler()):
        asyncio.run(inject_request_ids_into_environment(handler)({}, context()))
    assert [line["lambda_request_id"] for line in of(name, fleece_logs)] == ["lambda-1", "lambda-1"]


@pytest.mark.skipif(not hasattr(inspect, "markcoroutinefunction"), reason="Python 3.12 and later")
def test_a_function_that_is_marked_as_a_coroutine_function_is_waited_for(name, fleece_logs):
    """The ids hold for the whole of what a function returns that says, by inspect's mark, that it is a coroutine."""
    logger = get_logger(name)

    async def handle():
        await asyncio.sleep(0)
        logger.info("x")

    handler = inject_request_ids_into_environment(inspect.markcoroutinefunction(lambda event, context: handle()))
    asyncio.run(handler({}, context()))
    assert [line["lambda_request_id"] for line in of(name, fleece_logs)] == ["lambda-1"]


def test_a_coroutine_that_is_dropped_ends_its_invocation(name, fleece_logs):
    """An invocation whose coroutine is closed half-way, from elsewhere, leaves neither ids nor variables."""
    logger = get_logger(name)

    @inject_request_ids_into_environment
    async def handler(event, context):
        await asyncio.Future()

    loop = asyncio.new_event_loop()
    coroutine = handler(api_event(), context())
    contextvars.copy_context().run(loop.run_until_complete, asyncio.wait_for(_first_step(coroutine), 5))
    assert variables() == ("api-1", "lambda-1")
    coroutine.close()
    loop.close()
    gc.collect()
    logger.info("x")
    assert ids(of(name, fleece_logs)[0]) == {}
    assert variables() == (None, None)


async def _first_step(coroutine):
    coroutine.send(None)


def test_bound_fields_of_an_invocation_end_with_it(name, fleece_logs):
    """Context variables bound within a handler are put back to what they were when it began."""
    logger = get_logger(name)

    @inject_request_ids_into_environment
    def handler(event, context):
        log.bind_contextvars(user=event, app="changed")
        log.unbind_contextvars("gone")
        logger.info("inside")

    with log.bound_contextvars(app="users", gone=1):
        handler(7, context())
        logger.info("outside")
    logger.info("after")
    inside, outside, after = fleece_logs.lines
    assert (inside["user"], inside["app"], "gone" in inside) == (7, "changed", False)
    assert ("user" in outside, outside["app"], outside["gone"]) == (False, "users", 1)
    assert not {"user", "app", "gone"} & set(after)


def test_context_fields_follow_tasks_and_stay_out_of_others(name, fleece_logs):
    """A task has the fields that were bound when it was started; what it binds stays its own."""
    logger = get_logger(name)

    async def task(number):
        log.bind_contextvars(task=number)
        await asyncio.sleep(0)
        logger.info("x", number=number)

    async def main():
        log.bind_contextvars(shared=True)
        await asyncio.gather(task(0), task(1))
        assert log.get_contextvars() == {"shared": True}

    asyncio.run(main())
    assert [(line["task"] == line["number"], line["shared"]) for line in of(name, fleece_logs)] == [(True, True)] * 2
    assert log.get_contextvars() == {}


def test_context_fields_are_bound_and_put_back_as_in_structlog():
    """bind, reset, unbind, clear and the block form do what structlog's functions of those names do."""

    def check():
        tokens = log.bind_contextvars(a=1, b=2)
        inner = log.bind_contextvars(a=10, c=3)
        assert log.get_contextvars() == {"a": 10, "b": 2, "c": 3}
        log.reset_contextvars(**inner)
        assert log.get_contextvars() == {"a": 1, "b": 2}
        log.get_contextvars()["a"] = "a copy"
        log.unbind_contextvars("b", "not there")
        assert log.get_contextvars() == {"a": 1}
        log.reset_contextvars(**tokens)
        assert log.get_contextvars() == {}
        log.bind_contextvars(z=1)
        assert log.merge_contextvars(None, "info", {"event": "e"}) == {"event": "e", "z": 1}
        assert log.merge_contextvars(None, "info", {"z": "of the event"}) == {"z": "of the event"}
        log.clear_contextvars()
        with pytest.raises(LookupError), log.bound_contextvars(a=1):
            raise LookupError
        assert log.get_contextvars() == {}

        @log.bound_contextvars(job="nightly")
        def job():
            return log.get_contextvars()

        assert job() == job() == {"job": "nightly"}

    contextvars.copy_context().run(check)


def test_the_processor_adds_the_ids(monkeypatch):
    """``add_request_ids_from_environment`` gives a structlog event the ids that hold, and no caller's."""
    add = log.add_request_ids_from_environment
    handler = inject_request_ids_into_environment(
        lambda event, context: add(None, "info", {"event": "x", "api_request_id": "forged"})
    )
    assert handler(api_event(), context()) == {
        "event": "x", "api_request_id": "api-1", "lambda_request_id": "lambda-1",
    }  # fmt: skip
    assert add(None, "info", {"event": "x"}) == {"event": "x"}
    monkeypatch.setenv("_FLEECE_LAMBDA_REQUEST_ID", "of the environment")
    defaults.reset()
    assert add(None, "info", {})["lambda_request_id"] == "of the environment"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_each_forked_worker_has_its_own_cold_start(fleece_logs):
    """Workers forked from one process, as on managed instances, each have one cold start."""
    code = (
        "import os\n"
        "from fleece.log import get_logger, inject_request_ids_into_environment\n"
        "log = get_logger('x')\n"
        "handler = inject_request_ids_into_environment(lambda event, context: log.info('x'))\n"
        "handler({}, None)\n"
        "child = os.fork()\n"
        "if child: os.waitpid(child, 0)\n"
        "else:\n"
        "    handler({}, None); handler({}, None)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
    assert [line["cold_start"] for line in fleece_logs.lines] == [True, True, False]
