"""`asgi_handler`, held against the rules of ASGI 3.0, and against FastAPI, Starlette, Django and Quart."""

import asyncio
import contextvars
import gc
import json
import logging
import subprocess
import sys
import threading
import weakref
from contextlib import asynccontextmanager
from typing import Annotated

import fastapi
import pytest
import quart
from fastapi.responses import StreamingResponse
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from fleece import xray
from fleece._defaults import defaults
from fleece._errors import FleeceError
from fleece.handlers._asgi import request_of, scope_of
from fleece.handlers._events import Kind, kind_of, read_request
from fleece.handlers.asgi import StartupError, asgi_handler
from fleece_testing import events

PROXY_KINDS = [kind for kind in events.KINDS if kind != "yoke"]
TENANT = contextvars.ContextVar("tenant", default=None)
PROBLEM_500 = {"type": "about:blank", "title": "Internal Server Error", "status": 500}
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
END = {"type": "http.response.body"}


@pytest.fixture(autouse=True)
def fresh_loop():
    """Give each test an event loop of its own, as a container has."""
    defaults.forget("fleece.handlers.loop")
    yield
    defaults.forget("fleece.handlers.loop")


@pytest.fixture
def event():
    return events.request("GET", "/")


def sending(*messages, then=None):
    """Make an application without a lifespan that sends these messages, and then calls `then`."""

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return
        for message in messages:
            await send(message)
        if then:
            then()

    return app


class TestScope:
    """What applications are given."""

    @pytest.mark.parametrize("kind", events.KINDS)
    def test_every_part_is_as_asgi_says(self, kind):
        """Every kind of event makes a scope in which each part has the type that ASGI gives it."""
        scopes = []

        async def app(scope, receive, send):
            scopes.append(scope)
            await sending(START, END)(scope, receive, send)

        event = events.request("POST", "/a%20b/é?c=d", body={"e": "f"}, headers={"X-Header": "é"}, kind=kind)
        context = object()
        assert asgi_handler(event, context, app)["statusCode"] == 200
        scope = scopes[1]
        assert (scope["type"], scope["asgi"]) == ("http", {"version": "3.0", "spec_version": "2.4"})
        assert (scope["http_version"], scope["method"], scope["scheme"]) == ("1.1", "POST", scope["scheme"])
        assert scope["path"] == scope["root_path"] + "/a b/é"
        assert scope["raw_path"] == scope["root_path"].encode() + b"/a%20b/%C3%A9"
        assert scope["query_string"] == b"c=d"
        assert (b"x-header", "é".encode()) in scope["headers"]
        assert all(
            type(part) is bytes and name == name.lower() for name, value in scope["headers"] for part in (name, value)
        )
        assert [type(part) for part in (*scope["client"], *scope["server"])] == [str, int, str, int]
        assert scope["lambda.event"] is event
        assert scope["lambda.context"] is context

    def test_a_raw_path_is_encoded_no_more_than_clients_encode_it(self):
        """What RFC 3986 has in paths as it is, clients send as it is."""
        path = "/~a@b:c;d=1,2/!$&'()*+/%25"
        scope = scope_of(read_request(Kind.FUNCTION_URL, events.request("GET", path, kind="function_url")))
        assert scope["raw_path"] == path.encode()

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    def test_a_scope_says_all_that_a_request_does(self, kind):
        """A request goes into a scope and comes out again unchanged."""
        event = events.request("POST", "/a%20b/é?c=d", body="x", headers={"X-Header": "é"}, kind=kind)
        request = read_request(kind_of(event), event)
        assert request_of(scope_of(request), request.body) == request

    @pytest.mark.parametrize(("protocol", "version"), [("HTTP/1.0", "1.0"), ("HTTP/2.0", "2"), ("gopher", "1.1")])
    def test_the_version_of_http_is_one_that_asgi_knows(self, event, protocol, version):
        """Whatever the event calls the protocol, the scope has a version of HTTP."""
        event["requestContext"]["protocol"] = protocol
        assert scope_of(read_request(kind_of(event), event))["http_version"] == version


class TestFrameworks:
    """Real applications behind every kind of event."""

    @pytest.fixture
    def fastapi_app(self):
        app = fastapi.FastAPI()

        @app.post("/items/{name:path}")
        async def create(
            name: str,
            request: fastapi.Request,
            response: fastapi.Response,
            q: Annotated[list[str], fastapi.Query()],
        ):
            response.set_cookie("one", "1")
            response.set_cookie("two", "2")
            return {
                "name": name,
                "q": q,
                "body": (await request.body()).decode(),
                "address": request.client.host,
                "cookies": request.cookies,
                "link": request.url_for("create", name="x").path,
            }

        return app

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    def test_fastapi(self, fastapi_app, fleece_api, kind):
        """Path, query, body, cookies and address reach FastAPI, and its answer with two cookies the client."""
        client = fleece_api(
            lambda event, context: asgi_handler(event, context, fastapi_app), kind=kind, source_ip="192.0.2.9"
        )
        response = client.post("/items/a%20b/%C3%A9?q=1&q=%26", body="é", headers={"Cookie": "k=v"})
        said = response.json()
        assert (response.status, said["name"], said["body"]) == (200, "a b/é", "é")
        assert said["q"] == (["1", "&"] if kind != "alb" else ["&"])  # which gets one value of each name
        assert (said["address"], said["cookies"]) == ("192.0.2.9", {"k": "v"})
        assert response.cookies == {"one": "1", "two": "2"}

    def test_links_include_the_stage(self, fastapi_app, fleece_api):
        """URLs that the application makes lead back through the stage."""
        client = fleece_api(lambda event, context: asgi_handler(event, context, fastapi_app), kind="rest", stage="prod")
        assert client.post("/items/y?q=1").json()["link"] == "/prod/items/x"

    def test_validation_errors_are_the_applications(self, fastapi_app, fleece_api):
        """What FastAPI refuses, the client is told in FastAPI's words."""
        client = fleece_api(lambda event, context: asgi_handler(event, context, fastapi_app))
        assert client.get("/items/y").status == 405
        assert client.get("/nowhere").json() == {"detail": "Not Found"}

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    def test_django(self, django_project, fleece_api, kind):
        """Django's ASGI application, which knows no lifespan, answers; a view may be synchronous or not."""
        app = django_project.asgi
        client = fleece_api(lambda event, context: asgi_handler(event, context, app), kind=kind, source_ip="192.0.2.9")
        for view in ("echo", "echo_async"):
            said = client.post(f"/{view}/a%20b/é?c=1", body="é").json()
            assert (said["path"], said["args"], said["body"]) == (f"/{view}/a b/é", {"c": ["1"]}, "é")
            assert (said["address"], said["root"]) == ("192.0.2.9", "/prod" if kind == "rest" else "")

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    def test_quart(self, fleece_api, kind):
        """Quart's application answers, with its lifespan and its watch for the client's leaving."""
        app = quart.Quart(__name__)
        began = []

        @app.before_serving
        async def begin():
            began.append(True)

        @app.post("/<path:path>")
        async def echo(path):
            return {"path": path, "body": (await quart.request.get_data()).decode(), "began": began}

        client = fleece_api(lambda event, context: asgi_handler(event, context, app), kind=kind)
        for _ in range(2):
            assert client.post("/a%20b/é", body="é").json() == {"path": "a b/é", "body": "é", "began": [True]}


class TestLifespan:
    """The lifespan: begun once in a container."""

    def app(self, log, *, state=None):
        @asynccontextmanager
        async def lifespan(_app):
            log.append("start")
            yield state
            await asyncio.sleep(0)
            log.append("stop")

        async def answer(request):
            request.state.count = getattr(request.state, "count", 0) + 1
            return PlainTextResponse(f"{request.state.count} {sorted(request.state._state)}")

        return Starlette(routes=[Route("/", answer)], lifespan=lifespan)

    def test_it_begins_before_the_first_request_and_once(self, event):
        """However many requests there are, the application starts once, and does not stop between them."""
        log = []
        app = self.app(log)
        assert {asgi_handler(event, None, app)["statusCode"] for _ in range(3)} == {200}
        assert log == ["start"]

    def test_each_request_has_a_copy_of_its_state(self, event):
        """What the lifespan yields is in each request's state; what a request puts there is gone with it."""
        app = self.app([], state={"pool": object()})
        assert [asgi_handler(event, None, app)["body"] for _ in range(2)] == ["1 ['count', 'pool']"] * 2

    def test_each_application_has_its_own(self, event):
        """Two applications in one container both start."""
        log = []
        for app in (self.app(log), self.app(log)):
            asgi_handler(event, None, app)
        assert log == ["start", "start"]

    def test_a_method_is_one_application(self, event):
        """An application that is a method starts once, although each mention of a method makes another object."""

        class Service:
            def __init__(self, app):
                self.app = app

            async def serve(self, scope, receive, send):
                await self.app(scope, receive, send)

        log = []
        one, other = Service(self.app(log)), Service(self.app(log))
        for service in (one, one, other, one):
            assert asgi_handler(event, None, service.serve)["statusCode"] == 200
        assert log == ["start", "start"]

    def test_nothing_is_kept_for_an_application_without_one(self, event):
        """Where there is nothing to shut down, a thread's loop goes with the thread."""
        loops = []

        async def app(scope, receive, send):
            loops.append(weakref.ref(asyncio.get_running_loop()))
            if scope["type"] == "http":
                await sending(START, END)(scope, receive, send)

        thread = threading.Thread(target=asgi_handler, args=(event, None, app))
        thread.start()
        thread.join()
        gc.collect()
        assert [loop() for loop in loops] == [None, None]

    def test_its_tasks_run_on_the_loop_of_the_requests(self, event):
        """A task that the lifespan has started goes on during requests, and has the ids of none of them."""
        seen = []

        @asynccontextmanager
        async def lifespan(app):
            queue = asyncio.Queue()

            async def watch():
                while True:
                    seen.append((await queue.get(), TENANT.get()))

            task = asyncio.create_task(watch())
            yield {"queue": queue}
            task.cancel()

        async def answer(request):
            request.state.queue.put_nowait("item")
            await asyncio.sleep(0)
            return Response()

        app = Starlette(routes=[Route("/", answer)], lifespan=lifespan)
        context = contextvars.copy_context()
        context.run(TENANT.set, "acme")
        context.run(asgi_handler, event, None, app)
        asgi_handler(event, None, app)
        assert seen == [("item", None)] * 2

    @pytest.mark.parametrize(
        ("reason", "told"), [(ValueError("no database"), "ValueError: no database"), (None, "no reason")]
    )
    def test_an_application_that_cannot_start(self, event, reason, told):
        """A failed startup is an error of one line that says why, and the next request tries again."""
        tries = []

        async def app(scope, receive, send):
            if scope["type"] == "lifespan":
                assert await receive() == {"type": "lifespan.startup"}
                tries.append(True)
                if len(tries) == 1:
                    await send(
                        {
                            "type": "lifespan.startup.failed",
                            **({"message": f"Traceback:\n{reason!r}"} if reason else {}),
                        }
                    )
                    if reason:
                        raise reason
                    try:
                        await receive()
                    finally:
                        for _ in range(3):
                            await asyncio.sleep(0)
                        tries.append("ended")
                await send({"type": "lifespan.startup.complete"})
            else:
                await sending(START, END)(scope, receive, send)

        told = told.replace(": no database", "('no database')")
        with pytest.raises(
            StartupError, match=f"did not start: .*{told.replace('(', '.').replace(')', '.')}"
        ) as caught:
            asgi_handler(event, None, app)
        assert isinstance(caught.value, FleeceError)
        assert "\n" not in str(caught.value)
        assert caught.value.__cause__ is reason
        assert tries == ([True] if reason else [True, "ended"])
        assert asgi_handler(event, None, app)["statusCode"] == 200
        assert tries.count(True) == 2

    def test_a_starlette_application_that_cannot_start(self, event):
        """The reason is the exception's own line, of the traceback that Starlette gives."""

        @asynccontextmanager
        async def lifespan(app):
            raise ValueError("no database")
            yield

        with pytest.raises(StartupError, match=r"^The ASGI application did not start: ValueError: no database$"):
            asgi_handler(event, None, Starlette(lifespan=lifespan))

    @pytest.mark.parametrize("what", ["returns", "raises", "answers"])
    def test_an_application_without_a_lifespan_is_served(self, event, what, caplog):
        """An application that does not know of lifespans serves requests all the same; the log says so once."""
        caplog.set_level("INFO")

        async def app(scope, receive, send):
            if scope["type"] == "http" or what == "answers":
                await sending(START, END)({"type": "http"}, receive, send)
                assert scope["type"] == "http"
            elif what == "raises":
                raise NotImplementedError

        assert {asgi_handler(event, None, app)["statusCode"] for _ in range(2)} == {200}
        assert caplog.text.count("no ASGI lifespan") == 1
        assert "AssertionError" not in caplog.text

    def test_a_lifespan_that_breaks_off_is_logged(self, event, caplog):
        """An exception in the lifespan after the startup is in the log, and requests go on."""

        async def app(scope, receive, send):
            if scope["type"] == "lifespan":
                await receive()
                await send({"type": "lifespan.startup.complete"})
                await asyncio.sleep(0)
                raise ValueError("the pool is gone")
            await asyncio.sleep(0.001)
            await sending(START, END)(scope, receive, send)

        assert {asgi_handler(event, None, app)["statusCode"] for _ in range(2)} == {200}
        assert "lifespan failed" in caplog.text
        assert "the pool is gone" in caplog.text

    def test_after_a_restore_it_begins_anew(self, event):
        """When the resources of a snapshot have been dropped, the next request starts the application again."""
        log = []
        app = self.app(log)
        asgi_handler(event, None, app)
        defaults.forget("fleece.handlers.loop")
        assert asgi_handler(event, None, app)["statusCode"] == 200
        assert log == ["start", "start"]

    def test_under_awss_runtime_a_restored_function_begins_it_anew(self, fleece_runtime, tmp_path):
        """A function that was called before its snapshot starts once more in each restored copy, and only once."""
        (tmp_path / "app.py").write_text(
            """
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from fleece.handlers.asgi import asgi_handler
from fleece_testing import events

starts = []

@asynccontextmanager
async def lifespan(app):
    starts.append(True)
    yield

async def count(request):
    return PlainTextResponse(str(len(starts)))

app = Starlette(routes=[Route("/", count)], lifespan=lifespan)

def main(event, context):
    return asgi_handler(event, context, app)

main(events.request("GET", "/"), None)
"""
        )
        runtime = fleece_runtime(tmp_path, "app.main", snapstart=True)
        for _ in range(2):
            answers = [runtime.invoke(events.request("GET", "/")).result["body"] for _ in range(2)]
            assert answers == ["2", "2"]
            runtime.restore()

    @pytest.mark.parametrize(
        ("what", "said"),
        [
            ("fork", ["start in parent", "stop in parent"]),
            ("drop", ["start in parent", "stop in parent"]),
            ("start", ["start in parent", "start in child", "stop in child", "stop in parent"]),
        ],
    )
    def test_at_the_end_of_the_process_the_application_shuts_down(self, what, said):
        """A process that exits by itself runs the shutdown of what it has started, and not of what its parent has.

        So it is with what was started before the resources were dropped.
        """
        code = """
import asyncio, gc, os, sys
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from fleece._defaults import defaults
from fleece.handlers.asgi import asgi_handler
from fleece_testing import events

async def say(what):
    await asyncio.sleep(0)
    os.write(1, f"{what} in {'parent' if os.getpid() == parent else 'child'}\\n".encode())

@asynccontextmanager
async def lifespan(app):
    await say("start")
    try:
        yield
    finally:
        await say("stop")

parent = os.getpid()
app = Starlette(lifespan=lifespan)
asgi_handler(events.request("GET", "/"), None, app)
if os.fork() == 0:
    gc.collect()
    if sys.argv[1] == "start":
        asgi_handler(events.request("GET", "/"), None, app)
    sys.exit()
os.wait()
if sys.argv[1] == "drop":
    defaults.reset()
    gc.collect()
"""
        run = subprocess.run(
            [sys.executable, "-Xdev", "-Werror", "-c", code, what],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert run.stdout.splitlines() == said
        assert run.stderr == ""


class TestExchange:
    """The messages of a response."""

    def test_a_streamed_response_leaves_as_a_whole(self, event):
        """The parts of a body are joined, whatever their number and whoever waits in between."""
        app = fastapi.FastAPI()

        @app.get("/")
        async def stream():
            async def parts():
                for part in (b"one ", b"", b"two ", b"three"):
                    await asyncio.sleep(0)
                    yield part

            return StreamingResponse(parts(), media_type="text/plain")

        assert asgi_handler(event, None, app)["body"] == "one two three"

    def test_background_tasks_are_waited_for(self, event):
        """A background task of FastAPI's is done when the handler returns, in a thread or not."""
        done = []
        app = fastapi.FastAPI()

        async def slow():
            await asyncio.sleep(0.001)
            done.append("async")

        @app.get("/")
        async def answer(tasks: fastapi.BackgroundTasks):
            tasks.add_task(slow)
            tasks.add_task(done.append, "sync")
            return "answered"

        assert asgi_handler(event, None, app)["body"] == '"answered"'
        assert done == ["async", "sync"]

    def test_a_task_left_behind_goes_on_with_the_next_request(self, event):
        """A task that nobody waits for stands still after the answer, and is not lost."""
        done = []
        tasks = []

        async def later():
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            done.append(True)

        async def app(scope, receive, send):
            if scope["type"] == "http" and not tasks:
                tasks.append(asyncio.create_task(later()))
            elif scope["type"] == "http":
                await asyncio.wait_for(tasks[0], 10)
            await sending(START, END)(scope, receive, send)

        asgi_handler(event, None, app)
        assert done == []
        asgi_handler(event, None, app)
        assert done == [True]

    def test_after_the_answer_the_client_has_gone(self, event):
        """An application that goes on receiving gets the body once, and learns that the client left with its answer."""
        received = []

        async def app(scope, receive, send):
            if scope["type"] == "http":
                received.append(await receive())
                await sending(START, END)(scope, receive, send)
                received.append(await receive())

        asgi_handler(events.request("POST", "/", body="é"), None, app)
        assert received == [
            {"type": "http.request", "body": "é".encode(), "more_body": False},
            {"type": "http.disconnect"},
        ]

    @pytest.mark.parametrize(
        "messages",
        [
            (),
            (START,),
            (START, {**END, "body": b"half", "more_body": True}),
            (END,),
            (START, START, END),
            ({"type": "websocket.accept"},),
            ({"type": "http.response.start"},),
            ({**START, "status": "200"}, END),
            ({**START, "status": 20}, END),
            ({**START, "status": 103}, END),
            ({**START, "headers": None}, END),
            ({**START, "headers": [("x-text", "y")]}, END),
            ({**START, "headers": [(b"x", b"1\r\nx-injected: 1")]}, END),
            ({**START, "headers": [(b"x\n", b"1")]}, END),
            (START, {**END, "body": "text"}),
            (START, {**END, "body": None}),
        ],
        ids=repr,
    )
    def test_an_application_that_breaks_the_rules_is_a_500_that_tells_nothing(self, event, messages, caplog):
        """Whatever an application sends, or does not send, clients get a 500 without details; these are in the log."""
        answer = asgi_handler(event, None, sending(*messages))
        assert json.loads(answer["body"]) == PROBLEM_500
        assert "Traceback" in caplog.text

    def test_a_body_of_another_type_is_refused_where_it_is_sent(self, event):
        """The application's own line that sends the body is in the traceback, and nothing of the body is kept."""

        async def app(scope, receive, send):
            await send(START)
            with pytest.raises(TypeError, match="bytes, and not of type str"):
                await send({**END, "body": "text"})
            await send({**END, "body": memoryview(b"bytes")})

        assert asgi_handler(event, None, app)["body"] == "bytes"

    def test_a_buffer_that_is_used_again_is_sent_as_it_was(self, event):
        """What an application does to its buffer after it has sent it is not seen by the client."""

        async def app(scope, receive, send):
            await send(START)
            buffer = bytearray(b"one")
            await send({**END, "body": buffer, "more_body": True})
            buffer[:] = b"two"
            await send({**END, "body": buffer})

        assert asgi_handler(event, None, app)["body"] == "onetwo"

    @pytest.mark.parametrize("before", [(), (START,), (START, {**END, "body": b"half", "more_body": True})], ids=len)
    @pytest.mark.parametrize("error", [ValueError("the password is swordfish"), asyncio.CancelledError()], ids=repr)
    def test_an_exception_before_the_answer_is_complete_is_a_500(self, event, before, error, caplog):
        """Nothing has left when an application fails half-way, so the client gets a whole 500, without details."""

        def fail():
            raise error

        answer = asgi_handler(event, None, sending(*before, then=fail))
        assert json.loads(answer["body"]) == PROBLEM_500
        assert type(error).__name__ in caplog.text

    def test_an_exception_after_the_answer_is_logged(self, event, caplog):
        """What fails after the answer, such as a background task, does not change it."""

        def fail():
            raise ValueError("the mail server is gone")

        answer = asgi_handler(event, None, sending(START, {**END, "body": b"fine"}, then=fail))
        assert (answer["statusCode"], answer["body"]) == (200, "fine")
        assert "after it had answered" in caplog.text
        assert "the mail server is gone" in caplog.text

    def test_an_error_of_a_framework_tells_nothing(self, event, caplog):
        """Starlette's own 500 goes to the client as it is, and the exception to the log."""

        def fail(request):
            raise ValueError("the password is swordfish")

        answer = asgi_handler(event, None, Starlette(routes=[Route("/", fail)]))
        assert (answer["statusCode"], answer["body"]) == (500, "Internal Server Error")
        assert "swordfish" in caplog.text

    @pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
    def test_no_body_where_http_allows_none(self, method, status):
        """HEAD, 204 and 304 have an empty body, whatever the application sends."""
        app = sending({**START, "status": status}, {**END, "body": b"x"})
        answer = asgi_handler(events.request(method, "/"), None, app)
        assert (answer["statusCode"], answer["body"], answer["isBase64Encoded"]) == (status, "", False)

    @pytest.mark.parametrize(("kind", "size"), [("rest", 6 * 1024 * 1024), ("alb", 1024 * 1024)])
    def test_too_large_an_answer_is_a_500_that_says_so(self, kind, size, caplog):
        """An answer that Lambda, or the balancer, would refuse becomes a logged 500."""
        app = sending(START, {**END, "body": b"x" * size})
        answer = asgi_handler(events.request("GET", "/", kind=kind), None, app)
        assert answer["statusCode"] == 500
        assert "larger than AWS Lambda can return" in json.loads(answer["body"])["detail"]
        assert "larger than Lambda can return" in caplog.text

    def test_a_broken_request_is_a_400_that_the_application_never_sees(self, event):
        """An event with a part that makes no sense is answered before the application is called."""
        event.update(body="###", isBase64Encoded=True)
        answer = asgi_handler(event, None, sending(then=pytest.fail))
        assert answer["statusCode"] == 400

    @pytest.mark.parametrize("event", [None, {}, {"Records": []}], ids=repr)
    def test_an_unknown_event_is_a_value_error(self, event):
        """An event of no known kind is the caller's mistake."""
        with pytest.raises(ValueError, match="no HTTP request"):
            asgi_handler(event, None, sending())


class TestSurroundings:
    """Threads, loops, context variables, traces, logs."""

    def test_inside_a_running_loop_it_is_a_clear_error(self, event):
        """An asynchronous caller is told what to do; with a thread of its own it works."""

        async def wrong():
            return asgi_handler(event, None, sending(START, END))

        async def right():
            return await asyncio.to_thread(asgi_handler, event, None, sending(START, END))

        with pytest.raises(RuntimeError, match=r"asyncio\.to_thread"):
            asyncio.run(wrong())
        assert asyncio.run(right())["statusCode"] == 200

    def test_no_thread_and_no_loop_for_a_request(self, event):
        """Every request runs in the caller's thread and on the one loop, and starts no thread."""
        seen = set()

        async def answer(request):
            seen.add((threading.get_ident(), id(asyncio.get_running_loop())))
            return PlainTextResponse("")

        app = Starlette(routes=[Route("/", answer)])
        before = set(threading.enumerate())
        for _ in range(3):
            asgi_handler(event, None, app)
        assert len(seen) == 1
        assert seen.pop()[0] == threading.get_ident()
        assert set(threading.enumerate()) <= before

    def test_context_variables_are_seen_and_do_not_leak(self, event):
        """The handler sees what was set before the call; what it sets itself is gone with the request."""
        seen = []

        async def answer(request):
            seen.append(TENANT.get())
            TENANT.set("other")
            return PlainTextResponse("")

        app = Starlette(routes=[Route("/", answer)])

        def requests():
            TENANT.set("acme")
            for _ in range(2):
                asgi_handler(event, None, app)
            return TENANT.get()

        assert contextvars.copy_context().run(requests) == "acme"
        assert seen == ["acme", "acme"]

    def test_subsegments_nest(self, event, fleece_xray, monkeypatch):
        """What is traced inside of the application is inside of what is traced around the handler."""
        monkeypatch.setenv(
            "_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
        )

        @xray.trace_xray_subsegment()
        async def inner():
            await asyncio.sleep(0)

        async def answer(request):
            await inner()
            return PlainTextResponse("")

        app = Starlette(routes=[Route("/", answer)])

        @xray.trace_xray_subsegment()
        def outer():
            asgi_handler(event, None, app)

        outer()
        parents = {subsegment["name"]: subsegment.get("parent_id") for subsegment in fleece_xray.subsegments}
        ids = {subsegment["name"]: subsegment["id"] for subsegment in fleece_xray.subsegments}
        assert parents == {"outer": "53995c3f42cd8ad8", "inner": ids["outer"]}

    def test_the_log_of_a_request(self, event, fleece_logs):
        """With `fleece.log`, a request is two lines of JSON."""
        from fleece.log import get_logger

        asgi_handler(event, None, sending({**START, "status": 404}, END), get_logger("api"))
        fleece_logs.assert_logged(event="Processing GET request")
        fleece_logs.assert_logged(event="Returning 404", http_status=404)

    def test_a_standard_logger(self, event, caplog):
        """A standard logger gets the status as an attribute of its record."""
        caplog.set_level(logging.INFO)
        asgi_handler(event, None, sending(START, END), logging.getLogger("plain"))
        assert caplog.records[-1].http_status == 200


def test_the_handler_loads_no_framework():
    """Importing the handler loads no framework, nor YAML or AWS's SDK."""
    heavy = "boto3 botocore connexion flask jsonschema requests starlette werkzeug yaml"
    code = f"import sys, fleece.handlers.asgi; print(*[name for name in {heavy.split()} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == ""
