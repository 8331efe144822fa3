"""One event loop, and no threads."""

import asyncio
import json
import sys
import threading
import time
import types
from concurrent.futures import ThreadPoolExecutor

import pytest

from fleece import xray
from fleece.connexion import get_connexion_app
from fleece_testing import events


def test_synchronous_code_runs_inline(app, users_api):
    """A handler runs in the caller's thread, sees its context variables, and no thread is started."""
    users_api.TENANT.set("acme")
    before = set(threading.enumerate())
    answers = [json.loads(app.call_proxy_api(events.request("GET", "/where"))["body"]) for _ in range(5)]
    for path in ("/nowhere", "/fails", "/broken", "/users/7?other=1"):
        app.call_proxy_api(events.request("GET", path))
    assert set(threading.enumerate()) <= before
    assert {answer["thread"] for answer in answers} == {threading.get_ident()}
    assert {answer["tenant"] for answer in answers} == {"acme"}
    assert len({answer["loop"] for answer in answers}) == 1


@pytest.fixture
def started(monkeypatch):
    """Count the threads and event loops that are started from now on."""
    count = {"threads": 0, "loops": 0}

    def counting(kind, function):
        def count_and_call(*args, **kwargs):
            count[kind] += 1
            return function(*args, **kwargs)

        return count_and_call

    monkeypatch.setattr(threading.Thread, "start", counting("threads", threading.Thread.start))
    loop = asyncio.base_events.BaseEventLoop
    monkeypatch.setattr(loop, "__init__", counting("loops", loop.__init__))
    return count


def test_warm_requests_start_nothing(app, started):
    """After the first request, no synchronous handler, error or refusal starts a thread or an event loop."""
    assert app.call_proxy_api(events.request("GET", "/where"))["statusCode"] == 200
    assert started["threads"] == 0
    started.update(loops=0)
    for method, path, body in (
        ("GET", "/users/7?tag=a", None),
        ("POST", "/users", {"name": "ann"}),
        ("POST", "/users", {"name": 1}),
        ("DELETE", "/users/7", None),
        ("HEAD", "/users/7", None),
        ("GET", "/nowhere", None),
        ("GET", "/fails", None),
        ("GET", "/broken", None),
        ("GET", "/busy", None),
    ):
        app.call_proxy_api(events.request(method, path, body=body))
        app.call_proxy_api(events.request(method, path, body=body, kind="alb"))
    assert started == {"threads": 0, "loops": 0}


@pytest.mark.parametrize("path", ["/traced", "/traced-later"])
def test_subsegments_of_handlers_nest(document, users_api, framework, fleece_xray, path):
    """A traced function that a handler calls is a child of the caller's subsegment, whichever sort of handler it is."""

    @xray.trace_xray_subsegment()
    def load():
        return {"loaded": True}

    def traced():
        with xray.subsegment("handling"):
            return load()

    async def traced_later():
        with xray.subsegment("handling"):
            await asyncio.sleep(0)
            return load()

    users_api.traced, users_api.traced_later = traced, traced_later
    for name in ("traced", "traced-later"):
        document["paths"][f"/{name}"] = {
            "get": {"operationId": f"users_api.{name.replace('-', '_')}", "responses": {"200": {"description": "ok"}}}
        }
    app = get_connexion_app("users", document, framework=framework)
    with xray.subsegment("lambda handler"):
        assert app.call_proxy_api(events.request("GET", path))["statusCode"] == 200
    fleece_xray.assert_subsegment("handling", parent="lambda handler")
    (loaded,) = [one for one in fleece_xray.subsegments if one["name"] not in {"handling", "lambda handler"}]
    fleece_xray.assert_subsegment(loaded["name"], parent="handling")


def test_asynchronous_handlers_share_the_loop(app, users_api):
    """An ``async def`` handler runs on the same loop at each request, and sees the caller's context variables."""
    users_api.TENANT.set("acme")
    answers = [json.loads(app.call_proxy_api(events.request("GET", "/later"))["body"]) for _ in range(3)]
    where = json.loads(app.call_proxy_api(events.request("GET", "/where"))["body"])
    assert {answer["loop"] for answer in answers} == {where["loop"]}
    assert {answer["tenant"] for answer in answers} == {"acme"}
    assert {answer["thread"] for answer in answers} == {threading.get_ident()}


def test_what_a_handler_sets_does_not_outlive_the_request(app, users_api):
    """A context variable that a handler sets is gone with the request."""
    users_api.TENANT.set("acme")
    app.call_proxy_api(events.request("GET", "/where"))
    assert users_api.TENANT.get() == "acme"


@pytest.mark.parametrize("kind", ["rest", "yoke"])
def test_inside_a_running_loop_it_is_a_clear_error(app, kind):
    """An asynchronous caller is told what to do; with a thread of its own it works."""
    event = events.request("GET", "/where", kind=kind)
    call = app.call_api if kind == "yoke" else app.call_proxy_api

    async def wrong():
        return call(event)

    async def right():
        return await asyncio.to_thread(call, event)

    with pytest.raises(RuntimeError, match=r"loop is running in this thread.*to_thread"):
        asyncio.run(wrong())
    assert asyncio.run(right())


def test_threads_have_a_loop_each(framework, monkeypatch, document, users_api):
    """Two invocations in two threads do not meet, not even where the first of them builds the application."""

    class Slow(types.ModuleType):
        def __getattr__(self, name):
            time.sleep(0.002)
            return getattr(module, name)

    module = users_api
    monkeypatch.setitem(sys.modules, "users_api", Slow("users_api"))
    app = get_connexion_app("users", document, framework=framework)
    barrier = threading.Barrier(2, timeout=10)

    def call(_):
        barrier.wait()
        return [json.loads(app.call_proxy_api(events.request("GET", "/where"))["body"]) for _ in range(3)]

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(call, range(2))
    assert first[0]["thread"] != second[0]["thread"]
    assert [len({answer["loop"] for answer in answers}) for answers in (first, second, first + second)] == [1, 1, 2]


def test_a_streamed_answer(users_api, document):
    """An answer in chunks is gathered, while the application waits for the client to go away."""
    from starlette.responses import StreamingResponse

    async def text():
        async def chunks():
            for chunk in (b"one ", b"two"):
                await asyncio.sleep(0)
                yield chunk

        return StreamingResponse(chunks(), media_type="text/plain")

    users_api.text = text
    app = get_connexion_app("users", document, framework="async")
    assert app.call_proxy_api(events.request("GET", "/text"))["body"] == "one two"
