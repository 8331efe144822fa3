"""`fleece.connexion`: real specifications, real handlers, both frameworks, every kind of event."""

import asyncio
import contextvars
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import types
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import connexion
import pytest
import yaml

from fleece._defaults import defaults
from fleece.connexion import FleeceApp, call_api, call_proxy_api, get_connexion_app
from fleece.httperror import HTTPError
from fleece_testing import events

FRAMEWORKS = ["flask", "async"]
PROXY_KINDS = [kind for kind in events.KINDS if kind != "yoke"]
TENANT = contextvars.ContextVar("tenant", default=None)


def operation(name, *, parameters=(), body=None, response=None, status="200"):
    """Make an operation of an OpenAPI 3.0 specification."""
    media = {"application/json": {"schema": response or {"type": "object"}}}
    result = {
        "operationId": f"users_api.{name}",
        "parameters": list(parameters),
        "responses": {status: {"description": "ok", "content": media}},
    }
    if body:
        result["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return result


USER = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
SPECIFICATION = {
    "openapi": "3.0.3",
    "info": {"title": "users", "version": "1"},
    "paths": {
        "/users/{id}": {
            "get": operation(
                "get_user",
                parameters=[
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}},
                    {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"name": "X-Limit", "in": "header", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
                ],
                response={"type": "object", "properties": {"id": {"type": "integer"}}},
            ),
            "delete": {
                "operationId": "users_api.delete_user",
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {"204": {"description": "gone"}},
            },
        },
        "/users": {"post": operation("add_user", body=USER, status="201")},
        "/where": {"get": operation("where")},
        "/later": {"get": operation("later")},
        "/broken": {"get": operation("broken", response={"type": "object", "properties": {"id": {"type": "integer"}}})},
        "/fails": {"get": operation("fails")},
        "/teapot": {"get": operation("teapot")},
        "/busy": {"get": operation("busy")},
        "/conflict": {"get": operation("conflict")},
        "/large": {"get": operation("large")},
        "/text": {
            "get": {
                "operationId": "users_api.text",
                "responses": {"200": {"description": "ok", "content": {"text/plain": {"schema": {"type": "string"}}}}},
            }
        },
    },
}


class TeapotError(Exception):
    """What the application's own error handler answers."""


def handlers():  # noqa: C901 (a list of small functions)
    """Make the module that the specification's operations are in."""
    module = types.ModuleType("users_api")

    def get_user(id, tag=None):  # noqa: A002 (the specification's name)
        return {"id": id, "tag": tag}

    def add_user(body):
        return {"name": body["name"]}, 201, {"Set-Cookie": "user=1"}

    def delete_user(id):  # noqa: A002
        return connexion.NoContent, 204

    def where():
        loop = asyncio.get_event_loop()
        return {"thread": threading.get_ident(), "tenant": TENANT.get(), "loop": id(loop)}

    async def later():
        tenant = TENANT.get()
        await asyncio.sleep(0)
        return {"thread": threading.get_ident(), "tenant": tenant, "loop": id(asyncio.get_running_loop())}

    def broken():
        return {"id": "the secret of the database"}

    def fails():
        raise RuntimeError("the password is swordfish")

    def teapot():
        raise TeapotError

    def busy():
        return connexion.problem(503, "Busy", "the replica at 10.0.0.7 is gone")

    def conflict():
        return {"error": {"message": "the name is taken"}}, 409

    def large():
        return {"text": "x" * (6 * 1024 * 1024)}

    def text():
        return "plain"

    for function in list(locals().values()):
        if isinstance(function, types.FunctionType):
            setattr(module, function.__name__, function)
    return module


@pytest.fixture(autouse=True)
def users_api(monkeypatch):
    """Make the handlers importable, for the length of a test, with no application of another test left."""
    module = handlers()
    monkeypatch.setitem(sys.modules, "users_api", module)
    defaults.forget("fleece.handlers.connexion.apps")
    yield module
    defaults.forget("fleece.handlers.connexion.apps")


@pytest.fixture(params=FRAMEWORKS)
def framework(request):
    return request.param


@pytest.fixture
def app(framework):
    return get_connexion_app("users", SPECIFICATION, framework=framework)


@pytest.fixture
def specification(tmp_path):
    path = tmp_path / "swagger.yml"
    path.write_text(yaml.safe_dump(SPECIFICATION))
    return path


class TestProxyEvents:
    """`call_proxy_api`."""

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    def test_a_get_of_every_kind(self, app, fleece_api, kind):
        """Path and repeated query parameters reach the handler with the types of the specification."""
        response = fleece_api(lambda event, context: app.call_proxy_api(event), kind=kind).get("/users/7?tag=a%20b")
        assert (response.status, response.json()) == (200, {"id": 7, "tag": ["a b"]})
        assert response.headers["Content-Type"] == "application/json"

    @pytest.mark.parametrize("kind", PROXY_KINDS)
    def test_a_post_of_every_kind(self, app, fleece_api, kind):
        """A body reaches the handler, and status and headers come back."""
        client = fleece_api(lambda event, context: app.call_proxy_api(event), kind=kind)
        response = client.post("/users", json={"name": "é"})
        assert (response.status, response.json(), response.cookies) == (201, {"name": "é"}, {"user": "1"})

    def test_a_head_request_is_answered_as_the_get_is(self, app, fleece_api):
        """HEAD of an operation that has GET has its status, and no body that could break the specification."""
        response = fleece_api(lambda event, context: app.call_proxy_api(event)).request("HEAD", "/users/7")
        assert (response.status, response.text) == (200, "")

    def test_behind_a_stage(self, app, fleece_api):
        """The stage is the root path, and no part of what the specification names."""
        client = fleece_api(lambda event, context: app.call_proxy_api(event), kind="http", stage="prod")
        assert client.get("/users/7").status == 200

    def test_behind_a_base_path(self, framework, specification, fleece_api):
        """A base path that the event does not tell of is given by hand."""

        def handler(event, context):
            return call_proxy_api(event, "users", specification, None, framework=framework, base_path="/v1")

        assert fleece_api(handler, kind="alb").get("/v1/users/7").status == 200

    def test_a_body_without_a_content_type_is_json(self, app):
        """Clients that do not say what they send, send JSON."""
        event = events.request("POST", "/users", body='{"name": "ann"}', headers={"Content-Type": "x"})
        for headers in (event["headers"], event["multiValueHeaders"]):
            headers.pop("Content-Type")
        assert app.call_proxy_api(event)["statusCode"] == 201

    def test_an_empty_answer(self, app, fleece_api):
        """204 has no body."""
        response = fleece_api(lambda event, context: app.call_proxy_api(event)).delete("/users/7")
        assert (response.status, response.content) == (204, b"")

    def test_the_functions_of_the_documentation(self, framework, specification, fleece_api):
        """`call_proxy_api` with a file, as the documentation shows it."""

        def handler(event, context):
            return call_proxy_api(event, "users", str(specification), None, framework=framework)

        assert fleece_api(handler).get("/users/7").json()["id"] == 7

    def test_flasks_request_is_there(self, users_api, fleece_api):
        """With the Flask framework, handlers may use ``flask.request``, which leads to the Lambda event."""
        import flask

        def where():
            return {"header": flask.request.headers["X-Mine"], "event": flask.request.environ["lambda.event"]["path"]}

        users_api.where = where
        app = get_connexion_app("users", SPECIFICATION)
        response = fleece_api(lambda event, context: app.call_proxy_api(event)).get("/where", headers={"X-Mine": "y"})
        assert response.json() == {"header": "y", "event": "/where"}

    def test_an_unknown_event_is_a_value_error(self, app):
        """What is no HTTP event is the caller's mistake."""
        for event in (None, {}, {"Records": []}):
            with pytest.raises(ValueError, match="no HTTP request"):
                app.call_proxy_api(event)

    def test_the_size_limit(self, app, caplog):
        """An answer that Lambda would refuse is a logged 500."""
        answer = app.call_proxy_api(events.request("GET", "/large"))
        assert (answer["statusCode"], "larger than" in answer["body"]) == (500, True)
        assert "larger than Lambda can return" in caplog.text


class TestErrors:
    """What clients are told, and what they are not."""

    @pytest.mark.parametrize(
        ("request_", "status", "detail"),
        [
            ({"method": "GET", "path": "/nowhere"}, 404, ""),
            ({"method": "PUT", "path": "/users"}, 405, ""),
            ({"method": "GET", "path": "/users/x"}, 404, ""),
            ({"method": "GET", "path": "/users/7?other=1"}, 400, "Extra query parameter(s) other not in spec"),
            ({"method": "GET", "path": "/users/7", "headers": {"X-Limit": "x"}}, 400, "'x' does not match"),
            ({"method": "POST", "path": "/users"}, 400, "RequestBody is required"),
            ({"method": "POST", "path": "/users", "body": {"name": 1}}, 400, "1 is not of type 'string'"),
            ({"method": "POST", "path": "/users", "body": {}}, 400, "'name' is a required property"),
            ({"method": "POST", "path": "/users", "body": "{"}, 415, ""),
            ({"method": "POST", "path": "/users", "body": b"{", "type": "application/json"}, 400, ""),
            ({"method": "POST", "path": "/users", "body": b"\xff", "type": "application/json"}, 400, "not valid utf-8"),
            (
                {"method": "POST", "path": "/users", "body": b"x", "type": "application/json;charset=bogus"},
                400,
                "charset",
            ),
            ({"method": "POST", "path": "/users", "body": b"[" * 100_000, "type": "application/json"}, 400, "nested"),
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_a_bad_request_is_a_problem_of_the_client(self, app, request_, status, detail):
        """Connexion's problem+json comes through, also where connexion itself would answer 500."""
        headers = {"Content-Type": request_.get("type"), **request_.get("headers", {})}
        given = {name: request_[name] for name in ("method", "path", "body") if name in request_}
        answer = app.call_proxy_api(events.request(**given, headers={k: v for k, v in headers.items() if v}))
        said = json.loads(answer["body"])
        assert (answer["statusCode"], said["status"]) == (status, status)
        assert detail in said["detail"]
        assert answer["multiValueHeaders"]["content-type"] == ["application/problem+json"]

    def test_a_nullable_parameter(self, framework, users_api, fleece_api):
        """``null`` is a value of a parameter that may be null, whatever its type, and of no other."""
        document = json.loads(json.dumps(SPECIFICATION))
        document["paths"]["/where"]["get"]["parameters"] = [
            {"name": "since", "in": "query", "schema": {"type": "integer", "nullable": True}},
            {"name": "until", "in": "query", "schema": {"type": "integer"}},
        ]
        users_api.where = lambda since=0, until=0: {"since": since}
        app = get_connexion_app("users", document, framework=framework)
        client = fleece_api(lambda event, context: app.call_proxy_api(event))
        assert client.get("/where?since=null").json() == {"since": None}
        assert client.get("/where?since=x").status == 400
        assert client.get("/where?until=null").status == 400

    def test_loose_validation(self, framework, fleece_api):
        """Parameters that the specification does not name pass, when asked for."""
        app = get_connexion_app("users", SPECIFICATION, strict_validation=False, framework=framework)
        assert fleece_api(lambda event, context: app.call_proxy_api(event)).get("/users/7?other=1").status == 200

    def test_a_response_that_breaks_the_specification(self, app, caplog):
        """It is a 500, whose reason is in the log and not in the answer."""
        answer = app.call_proxy_api(events.request("GET", "/broken"))
        assert answer["statusCode"] == 500
        assert "secret" not in answer["body"]
        assert "breaks the specification: Response body does not conform" in caplog.text

    def test_unvalidated_responses(self, framework, fleece_api):
        """Responses are not looked at, when asked for."""
        app = get_connexion_app("users", SPECIFICATION, validate_responses=False, framework=framework)
        assert fleece_api(lambda event, context: app.call_proxy_api(event)).get("/broken").status == 200

    def test_an_exception_of_a_handler(self, app, caplog):
        """It is a 500 with nothing of it, and a traceback in the log."""
        answer = app.call_proxy_api(events.request("GET", "/fails"))
        assert answer["statusCode"] == 500
        assert "swordfish" not in answer["body"]
        assert "RuntimeError: the password is swordfish" in caplog.text

    def test_the_applications_own_error_handler(self, app):
        """A synchronous error handler answers, in the thread of the caller."""
        threads = []

        def on_teapot(request, error):
            threads.append(threading.get_ident())
            return connexion.lifecycle.ConnexionResponse(418, body=b"short and stout")

        app.add_error_handler(TeapotError, on_teapot)
        answer = app.call_proxy_api(events.request("GET", "/teapot"))
        assert answer["statusCode"] == 418
        assert threads == [threading.get_ident()]

    def test_an_error_handler_that_fails(self, app, caplog):
        """It is a 500 like any other, without a thread."""

        def on_teapot(request, error):
            raise RuntimeError("the password is swordfish")

        app.add_error_handler(TeapotError, on_teapot)
        before = set(threading.enumerate())
        answer = app.call_proxy_api(events.request("GET", "/teapot"))
        assert (answer["statusCode"], "swordfish" in answer["body"]) == (500, False)
        assert "swordfish" in caplog.text
        assert set(threading.enumerate()) <= before

    def test_a_missing_handler_is_a_500(self, users_api, framework, caplog):
        """An operation whose function does not exist is said in the log."""
        del users_api.where
        app = get_connexion_app("users", SPECIFICATION, framework=framework)
        assert app.call_proxy_api(events.request("GET", "/users/7"))["statusCode"] == 500
        assert "users_api" in caplog.text


class TestLoop:
    """One loop, no threads."""

    def test_synchronous_code_runs_inline(self, app):
        """A handler runs in the caller's thread, sees its context variables, and no thread is started."""
        TENANT.set("acme")
        before = set(threading.enumerate())
        answers = [json.loads(app.call_proxy_api(events.request("GET", "/where"))["body"]) for _ in range(5)]
        for path in ("/nowhere", "/fails", "/broken", "/users/7?other=1"):
            app.call_proxy_api(events.request("GET", path))
        assert set(threading.enumerate()) <= before
        assert {answer["thread"] for answer in answers} == {threading.get_ident()}
        assert {answer["tenant"] for answer in answers} == {"acme"}
        assert len({answer["loop"] for answer in answers}) == 1

    def test_asynchronous_handlers_share_the_loop(self, app):
        """An ``async def`` handler runs on the same loop at each request, and sees the caller's context variables."""
        TENANT.set("acme")
        answers = [json.loads(app.call_proxy_api(events.request("GET", "/later"))["body"]) for _ in range(3)]
        where = json.loads(app.call_proxy_api(events.request("GET", "/where"))["body"])
        assert {answer["loop"] for answer in answers} == {where["loop"]}
        assert {answer["tenant"] for answer in answers} == {"acme"}
        assert {answer["thread"] for answer in answers} == {threading.get_ident()}

    def test_what_a_handler_sets_does_not_outlive_the_request(self, app, users_api):
        """A context variable that a handler sets is gone with the request."""
        TENANT.set("acme")
        app.call_proxy_api(events.request("GET", "/where"))
        assert TENANT.get() == "acme"

    @pytest.mark.parametrize("kind", ["rest", "yoke"])
    def test_inside_a_running_loop_it_is_a_clear_error(self, app, kind):
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

    def test_threads_have_a_loop_each(self, framework, monkeypatch):
        """Two invocations in two threads do not meet, not even where the first of them builds the application."""

        class Slow(types.ModuleType):
            def __getattr__(self, name):
                time.sleep(0.002)
                return getattr(module, name)

        module = handlers()
        monkeypatch.setitem(sys.modules, "users_api", Slow("users_api"))
        app = get_connexion_app("users", SPECIFICATION, framework=framework)
        barrier = threading.Barrier(2, timeout=10)

        def call(_):
            barrier.wait()
            return [json.loads(app.call_proxy_api(events.request("GET", "/where"))["body"]) for _ in range(3)]

        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(call, range(2))
        assert first[0]["thread"] != second[0]["thread"]
        assert len({answer["loop"] for answer in first}) == 1

    def test_a_streamed_answer(self, users_api):
        """An answer in chunks is gathered, while the application waits for the client to go away."""
        from starlette.responses import StreamingResponse

        async def text():
            async def chunks():
                for chunk in (b"one ", b"two"):
                    await asyncio.sleep(0)
                    yield chunk

            return StreamingResponse(chunks(), media_type="text/plain")

        users_api.text = text
        app = get_connexion_app("users", SPECIFICATION, framework="async")
        assert app.call_proxy_api(events.request("GET", "/text"))["body"] == "one two"


class TestCallAPI:
    """`call_api`, for the events of yoke's template."""

    def call(self, app, method, path, **options):
        return app.call_api(events.request(method, path, kind="yoke", **options))

    def test_json_is_decoded(self, app):
        """The answer is what the JSON says."""
        assert self.call(app, "GET", "/users/7", query={"tag": "a,b"}) == {"id": 7, "tag": ["a", "b"]}
        assert self.call(app, "POST", "/users", body={"name": "é"}) == {"name": "é"}

    def test_path_parameters(self, app):
        """The template's path parameters are filled into its resource path."""
        event = events.yoke("GET", "/users/7", route="/users/{id}")
        assert app.call_api(event)["id"] == 7

    def test_other_bodies(self, app):
        """No body is ``None``, and what is no JSON is text."""
        assert self.call(app, "DELETE", "/users/7") is None
        assert self.call(app, "GET", "/text") == "plain"

    @pytest.mark.parametrize(
        ("method", "path", "text"),
        [
            ("GET", "/users/7?other=1", "400: Bad Request - Extra query parameter(s) other not in spec"),
            ("GET", "/conflict", "409: Conflict - the name is taken"),
            ("GET", "/fails", "500: Internal Server Error"),
            ("GET", "/broken", "500: Internal Server Error"),
            ("GET", "/busy", "503: Service Unavailable"),
            ("GET", "/large", "500: Internal Server Error"),
        ],
    )
    def test_errors_are_raised(self, app, method, path, text):
        """A client's error says what was wrong; the application's own says nothing but its status."""
        with pytest.raises(HTTPError) as raised:
            self.call(app, method, path)
        assert str(raised.value) == text
        assert raised.value.__cause__ is None

    def test_an_error_without_a_message(self, app, users_api, framework):
        """A client's error whose body says nothing is a "Client Error"."""
        users_api.conflict = lambda: ({}, 409)
        app = get_connexion_app("users", SPECIFICATION, framework=framework, cache_app=False)
        with pytest.raises(HTTPError, match=r"409: Conflict - Client Error$"):
            self.call(app, "GET", "/conflict")

    def test_a_broken_event_is_a_400(self, app):
        """A part of a wrong type is the client's error."""
        event = events.request("GET", "/users/7", kind="yoke")
        event["parameters"]["request"]["querystring"] = "a=b"
        with pytest.raises(HTTPError, match="400: Bad Request - The event's querystring is not an object"):
            app.call_api(event)

    def test_a_proxy_event_is_a_value_error(self, app):
        """The other function is named."""
        with pytest.raises(ValueError, match="REST APIs: call_proxy_api"):
            app.call_api(events.request("GET", "/users/7"))

    def test_the_function_of_the_documentation(self, specification):
        """`call_api` with a file, as the documentation shows it."""
        event = events.request("GET", "/users/7", kind="yoke")
        assert call_api(event, "users", str(specification), None)["id"] == 7


class TestSpecifications:
    """Where specifications come from, and which application belongs to which."""

    def test_json_and_pathlib(self, tmp_path, fleece_api):
        """A specification may be a JSON file, and a path object."""
        path = tmp_path / "openapi.json"
        path.write_text(json.dumps(SPECIFICATION))
        app = get_connexion_app("users", path)
        assert fleece_api(lambda event, context: app.call_proxy_api(event)).get("/users/7").status == 200

    def test_swagger_2(self, framework, fleece_api):
        """Swagger 2.0, with a base path and a body parameter."""
        swagger = {
            "swagger": "2.0",
            "info": {"title": "users", "version": "1"},
            "basePath": "/v1",
            "paths": {
                "/users": {
                    "post": {
                        "operationId": "users_api.add_user",
                        "parameters": [{"name": "body", "in": "body", "required": True, "schema": USER}],
                        "responses": {"201": {"description": "ok", "schema": USER}},
                    }
                },
                "/users/{id}": {
                    "get": {
                        "operationId": "users_api.get_user",
                        "produces": ["application/json"],
                        "parameters": [
                            {"name": "id", "in": "path", "required": True, "type": "integer"},
                            {
                                "name": "tag",
                                "in": "query",
                                "type": "array",
                                "items": {"type": "string", "maxLength": 3},
                            },
                        ],
                        "responses": {"200": {"description": "ok"}},
                    }
                },
            },
        }
        app = get_connexion_app("users", swagger, framework=framework)
        client = fleece_api(lambda event, context: app.call_proxy_api(event))
        assert client.post("/v1/users", json={"name": "ann"}).status == 201
        assert client.post("/v1/users", json={"name": 1}).status == 400
        assert client.get("/v1/users/7?tag=a,b").json() == {"id": 7, "tag": ["a", "b"]}
        assert client.get("/v1/users/7?tag=long").status == 400

    def test_references_to_other_files(self, tmp_path, framework, fleece_api):
        """A reference is relative to the file that it is in, wherever the process runs."""
        document = json.loads(json.dumps(SPECIFICATION))
        schema = document["paths"]["/users"]["post"]["requestBody"]["content"]["application/json"]
        schema["schema"] = {"$ref": "models/user.yml#/User"}
        (tmp_path / "models").mkdir()
        (tmp_path / "models/user.yml").write_text(yaml.safe_dump({"User": USER}))
        (tmp_path / "api.yml").write_text(yaml.safe_dump(document))
        app = get_connexion_app("users", tmp_path / "api.yml", framework=framework)
        client = fleece_api(lambda event, context: app.call_proxy_api(event))
        assert client.post("/users", json={"name": "ann"}).status == 201
        assert client.post("/users", json={"name": 1}).status == 400

    def test_a_relative_path_is_beside_the_module_or_here(self, tmp_path, monkeypatch, specification):
        """A relative path is looked for beside the module of that name first, then in the current folder."""
        monkeypatch.chdir(tmp_path)
        assert get_connexion_app("users", "swagger.yml")
        module = types.ModuleType("somewhere")
        module.__file__ = str(tmp_path / "code" / "somewhere.py")
        monkeypatch.setitem(sys.modules, "somewhere", module)
        (tmp_path / "code").mkdir()
        (tmp_path / "code" / "swagger.yml").write_text("no: specification")
        with pytest.raises(connexion.exceptions.InvalidSpecification):
            get_connexion_app("somewhere", "swagger.yml")

    def test_a_relative_path_belongs_to_its_folder(self, tmp_path, monkeypatch):
        """The same relative path in another folder is another specification."""
        apps = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "api.json").write_text(json.dumps(SPECIFICATION))
            monkeypatch.chdir(tmp_path / name)
            apps.append(get_connexion_app("users", "api.json"))
        assert apps[0] is not apps[1]

    def test_a_missing_file(self, tmp_path, monkeypatch):
        """The error says where the file was looked for."""
        monkeypatch.chdir(tmp_path)
        with pytest.raises(FileNotFoundError, match=r"no specification 'swagger.yml' in .*"):
            get_connexion_app("users", "swagger.yml")

    @pytest.mark.parametrize(
        ("name", "content"),
        [("a.yml", "a: [1"), ("a.json", "{"), ("a.yml", "- 1"), ("a.yml", "\0"), ("a.yml", "a: &a [*a]")],
    )
    def test_what_is_no_specification(self, tmp_path, name, content):
        """A file that cannot be read says so in one line that names it."""
        (tmp_path / name).write_text(content)
        with pytest.raises(ValueError, match=name) as raised:
            get_connexion_app("users", tmp_path / name)
        assert "\n" not in str(raised.value)

    def test_an_unknown_framework(self):
        """The error names the two that there are."""
        with pytest.raises(ValueError, match="'django'; it must be 'flask' or 'async'"):
            get_connexion_app("users", SPECIFICATION, framework="django")

    def test_an_application_is_made_once(self, specification):
        """The same arguments give the same application."""
        assert get_connexion_app("users", specification) is get_connexion_app("users", str(specification))

    @pytest.mark.parametrize(
        "other",
        [
            {"app_name": "others"},
            {"strict_validation": False},
            {"validate_responses": False},
            {"framework": "async"},
            {"cache_app": False},
        ],
    )
    def test_other_arguments_make_another(self, specification, other):
        """Name, options and framework all belong to the application."""
        arguments = {"app_name": "users", "app_swagger_path": specification}
        assert get_connexion_app(**arguments) is not get_connexion_app(**{**arguments, **other})

    def test_another_file_of_the_same_name_makes_another(self, tmp_path, specification):
        """Two specifications under one name do not share an application."""
        second = tmp_path / "second.yml"
        second.write_text(specification.read_text())
        assert get_connexion_app("users", specification) is not get_connexion_app("users", second)

    def test_new_content_makes_another(self, specification, fleece_api):
        """A file whose content has changed is read anew; one that has only been touched is not."""
        first = get_connexion_app("users", specification)
        os.utime(specification)
        assert get_connexion_app("users", specification) is first
        specification.write_text(specification.read_text().replace("/where", "/here"))
        second = get_connexion_app("users", specification)
        assert fleece_api(lambda event, context: second.call_proxy_api(event)).get("/here").status == 200

    def test_a_changed_dict_makes_another(self):
        """A dict is compared by what it says, also when it is the same object."""
        document = json.loads(json.dumps(SPECIFICATION))
        first = get_connexion_app("users", document)
        assert get_connexion_app("users", json.loads(json.dumps(SPECIFICATION))) is first
        document["paths"].pop("/where")
        assert get_connexion_app("users", document) is not first

    def test_the_callers_dict_is_left_alone(self):
        """Connexion fills in defaults in a copy."""
        document = json.loads(json.dumps(SPECIFICATION))
        get_connexion_app("users", document).call_proxy_api(events.request("GET", "/users/7"))
        assert document == SPECIFICATION

    def test_the_logger_is_the_callers(self, specification):
        """Each call logs to the logger that it was given, the application being the same."""
        lines = [], []
        for said in lines:

            class Log:
                def info(self, event, said=said, **fields):
                    said.append(event)

            call_proxy_api(events.request("GET", "/users/7"), "users", specification, Log())
        assert lines == (["Processing GET request", "Returning 200"],) * 2


class TestApplication:
    """`FleeceApp` itself."""

    def test_it_has_what_a_connexion_application_has(self):
        """Flask's application, and connexion's methods, are reached through it."""
        app = FleeceApp("users")
        app.add_api(SPECIFICATION)
        assert app.app is app.connexion_app.app
        with app.test_client() as client:
            assert client.get("/users/7").json()["id"] == 7
            assert client.get("/later").status_code == 200

    def test_the_specifications_own_pages(self, app, fleece_api):
        """``/openapi.json`` is still served, and a middleware of the user's before it still called."""
        client = fleece_api(lambda event, context: app.call_proxy_api(event))
        assert client.get("/openapi.json").json()["info"] == SPECIFICATION["info"]
        assert client.get("/openapi.yaml").status == 200

    def test_a_middleware_before_the_pages(self, framework, fleece_api):
        """A middleware at any of connexion's positions is called for every request."""
        seen = []

        class Middleware:
            def __init__(self, app):
                self.app = app

            async def __call__(self, scope, receive, send):
                seen.append(scope["path"])
                await self.app(scope, receive, send)

        app = FleeceApp("users", framework=framework)
        app.add_api(SPECIFICATION)
        app.add_middleware(Middleware, position=connexion.middleware.MiddlewarePosition.BEFORE_SWAGGER)
        app.add_middleware(Middleware, position=connexion.middleware.MiddlewarePosition.BEFORE_EXCEPTION)
        assert fleece_api(lambda event, context: app.call_proxy_api(event)).get("/users/7").status == 200
        assert seen == ["/prod/users/7"] * 2

    def test_a_wsgi_middleware(self, fleece_api):
        """Connexion's ``add_wsgi_middleware`` works on the inline application."""

        class Middleware:
            def __init__(self, app, name):
                self.app, self.name = app, name

            def __call__(self, environ, start_response):
                return self.app(
                    environ,
                    lambda status, headers, *rest: start_response(status, [*headers, ("X-By", self.name)], *rest),
                )

        app = FleeceApp("users")
        app.add_api(SPECIFICATION)
        app.add_wsgi_middleware(Middleware, name="me")
        response = fleece_api(lambda event, context: app.call_proxy_api(event)).get("/users/7")
        assert response.headers["X-By"] == "me"

    def test_an_unknown_attribute(self):
        """What neither it nor connexion has is an ``AttributeError``."""
        with pytest.raises(AttributeError, match="no_such_thing"):
            FleeceApp("users").no_such_thing  # noqa: B018

    def test_the_asynchronous_framework_needs_no_flask(self, tmp_path):
        """With Flask not installed, ``framework="async"`` works, and ``"flask"`` says what is missing."""
        code = (
            "import sys, types; sys.modules['flask'] = None\n"
            "api = sys.modules['users_api'] = types.ModuleType('users_api')\n"
            "api.get_user = lambda id: {'id': id}\n"
            "from fleece.connexion import get_connexion_app\n"
            "from fleece_testing import events\n"
            "spec = {'openapi': '3.0.0', 'info': {'title': 't', 'version': '1'}, 'paths': {'/{id}': {'get': {\n"
            "  'operationId': 'users_api.get_user', 'responses': {'200': {'description': 'ok'}},\n"
            "  'parameters': [{'name': 'id', 'in': 'path', 'required': True, 'schema': {'type': 'string'}}]}}}}\n"
            "app = get_connexion_app('x', spec, framework='async')\n"
            "print(app.call_proxy_api(events.request('GET', '/a'))['body'])\n"
        )
        run = subprocess.run(
            [sys.executable, "-Werror", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
        )
        assert json.loads(run.stdout) == {"id": "a"}


@pytest.mark.parametrize(("arguments", "framework"), [("{}", "flask"), ("port={}", "async")])
def test_run_serves_on_loopback(tmp_path, arguments, framework):
    """``run(8080)`` serves the API over HTTP to this machine, the port given either way, until Ctrl-C."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "users_api.py").write_text(
        "def get_user(id, tag=None):\n    return {'id': id}\ndef add_user(body):\n    return body, 201\n"
    )
    paths = SPECIFICATION["paths"]
    served = {"/users/{id}": {"get": paths["/users/{id}"]["get"]}, "/users": paths["/users"]}
    (tmp_path / "swagger.yml").write_text(yaml.safe_dump({**SPECIFICATION, "paths": served}))
    (tmp_path / "service.py").write_text(
        "import signal\n"
        "from fleece.connexion import get_connexion_app\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # where pytest runs in a background job
        f"get_connexion_app('service', 'swagger.yml', framework={framework!r}).run({arguments.format(port)})\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    with subprocess.Popen(
        [sys.executable, "service.py"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as child:
        try:
            for _ in range(200):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/users/7?tag=a", timeout=10) as response:
                        said = json.load(response)
                    break
                except OSError:
                    assert child.poll() is None, child.stdout.read()
                    time.sleep(0.05)
            # Without a length, which is how clients send what they do not have yet.
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            client.request("POST", "/users", iter([b'{"name":', b' "a"}']), {"Content-Type": "application/json"})
            added = json.load(client.getresponse())
            client.close()
            child.send_signal(signal.SIGINT)
            ended = child.wait(10)
        finally:
            child.kill()
        output = child.stdout.read().decode()
    assert (said, added) == ({"id": 7}, {"name": "a"})
    assert ended == 0
    assert f"http://127.0.0.1:{port}" in output
    assert "Traceback" not in output
