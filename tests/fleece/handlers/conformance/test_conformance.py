"""The conformance table, through every kind of event and every kind of application: nothing lost, nothing added."""

import json
from urllib.parse import urlencode
from wsgiref.validate import validator

import connexion
import pytest
from werkzeug.datastructures import Headers

from fleece.connexion import FleeceApp
from fleece.handlers.asgi import asgi_handler
from fleece.handlers.wsgi import wsgi_handler
from fleece.httperror import HTTPError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def test_the_table_is_a_table(table):
    """It has more than forty requests, each under a name of its own."""
    names = [(case.name, case.method, case.target, case.status) for case in table.CASES]
    assert len(names) == len(set(names))
    assert len({(case.method, case.target, case.headers, case.body) for case in table.CASES}) > 40


@pytest.mark.filterwarnings("ignore:Unknown REQUEST_METHOD")  # the validator knows but some
def test_a_wsgi_application(case, exchange, caplog):
    """A WSGI application sees the request, the client gets its answer, and wsgiref's validator is content."""
    found = {}
    for kind in case.kinds:
        seen = []
        event = exchange.event_of(case, kind)
        answer = wsgi_handler(event, None, validator(exchange.wsgi_application(case, seen)))
        got = None if kind == "yoke" else exchange.received(kind, event, answer)
        found[kind] = exchange.differences(case, kind, seen, got)
    assert found == {kind: [] for kind in case.kinds}
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_an_asgi_application(case, exchange):
    """An ASGI application sees the request, and the client gets its answer."""
    found = {}
    for kind in case.kinds:
        seen = []
        event = exchange.event_of(case, kind)
        answer = asgi_handler(event, None, exchange.asgi_application(case, seen))
        got = None if kind == "yoke" else exchange.received(kind, event, answer)
        found[kind] = exchange.differences(case, kind, seen, got)
    assert found == {kind: [] for kind in case.kinds}


@pytest.fixture(scope="module", params=["flask", "async"])
def connexion_app(request, exchange):
    """Return a connexion application of each framework, whose one handler plays the case in `app.playing`."""
    app = FleeceApp("conformance", framework=request.param)
    app.playing = []
    # Flask answers OPTIONS itself.
    app.methods = {method.upper() for method in METHODS} - ({"OPTIONS"} if request.param == "flask" else set())

    def echo_flask(path=None, body=None, file=None):
        import flask

        case, seen, wanted = app.playing
        content = _bytes(body, wanted, file and (file.filename, file.read()))
        seen.append(exchange.seen_of_environ(flask.request.environ, content))
        response = flask.Response(case.answer, case.status)
        response.headers = Headers(case.answer_headers)
        return response

    async def echo_async(path=None, body=None, file=None):
        from starlette.responses import Response

        case, seen, wanted = app.playing
        content = _bytes(body, wanted, file and (file.filename, await file.read()))
        seen.append(exchange.seen_of_scope(connexion.request.scope, content))
        response = Response(case.answer, case.status)
        response.raw_headers = [(name.lower().encode(), value.encode()) for name, value in case.answer_headers]
        return response

    echo = {"flask": echo_flask, "async": echo_async}[request.param]
    app.add_api(_specification(), resolver=lambda _name: echo)
    return app


def _specification():
    """Make a specification that takes everything."""
    array = {"type": "array", "items": {"type": "string"}}
    form = {"type": "object", "properties": {"a": array, "b": {"type": "string"}}}
    file = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
    parameter = {"name": "path", "in": "path", "required": True, "schema": {"type": "string", "format": "path"}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "any", "version": "1"},
        "paths": {
            "/form": {"post": _operation("form", "application/x-www-form-urlencoded", form)},
            "/file": {"post": _operation("file", "multipart/form-data", file)},
            "/": {method: _operation(f"root_{method}") for method in METHODS},
            "/{path}": {"parameters": [parameter], **{method: _operation(f"path_{method}") for method in METHODS}},
        },
    }


def _operation(name, media_type="*/*", schema=None):
    return {
        "operationId": name,
        "requestBody": {"content": {media_type: {"schema": schema or {}}}},
        "responses": {"default": {"description": "anything"}},
    }


def _bytes(body, wanted, file):
    """Return the bytes that connexion has made a handler's arguments of; `wanted` when they say the same."""
    if file:
        return wanted if file == ("x.bin", b"\xff\x00\xfe") else repr(file).encode()
    if not body or isinstance(body, bytes):
        return body or b""
    if wanted.startswith(b"a="):
        return urlencode(body, doseq=True).encode()
    return wanted if body == json.loads(wanted) else repr(body).encode()


@pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning")  # connexion does not close uploaded files
def test_a_connexion_application(case, exchange, connexion_app):
    """A connexion application of each framework sees the request, and the client gets its answer."""
    found = {}
    for kind in case.kinds:
        seen = []
        connexion_app.playing[:] = case, seen, exchange.must_see(case, kind).body
        event = exchange.event_of(case, kind)
        if case.method not in connexion_app.methods:
            assert connexion_app.call_proxy_api(event)["statusCode"] in (200, 405)
            assert seen == []
            continue
        got = None
        if kind == "yoke":
            _check_call(connexion_app, event, case)
        else:
            got = exchange.received(kind, event, connexion_app.call_proxy_api(event))
        found[kind] = exchange.differences(case, kind, seen, got)
    assert found == {kind: [] for kind in found}


def _check_call(app, event, case):
    """Check what `call_api` makes of the answer, for which there is no client."""
    if case.status >= 400:
        with pytest.raises(HTTPError) as raised:
            app.call_api(event)
        assert raised.value.status_code == case.status
    else:
        text = case.answer.decode("utf-8", "replace")
        assert app.call_api(event) == (json.loads(text) if text.startswith("{") else text or None)
