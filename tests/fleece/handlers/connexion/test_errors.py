"""What clients are told of errors, and what they are not."""

import json
import threading

import connexion
import pytest

from fleece.connexion import get_connexion_app
from fleece.httperror import HTTPError
from fleece.raxauth import authenticate
from fleece_testing import events


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
def test_a_bad_request_is_a_problem_of_the_client(app, request_, status, detail):
    """Connexion's problem+json comes through, also where connexion itself would answer 500."""
    headers = {"Content-Type": request_.get("type"), **request_.get("headers", {})}
    given = {name: request_[name] for name in ("method", "path", "body") if name in request_}
    answer = app.call_proxy_api(events.request(**given, headers={k: v for k, v in headers.items() if v}))
    said = json.loads(answer["body"])
    assert (answer["statusCode"], said["status"]) == (status, status)
    assert detail in said["detail"]
    assert answer["multiValueHeaders"]["content-type"] == ["application/problem+json"]


def test_a_nullable_parameter(framework, users_api, fleece_api, document):
    """``null`` is a value of a parameter that may be null, whatever its type, and of no other."""
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


def test_loose_validation(framework, fleece_api, document):
    """Parameters that the specification does not name pass, when asked for."""
    app = get_connexion_app("users", document, strict_validation=False, framework=framework)
    assert fleece_api(lambda event, context: app.call_proxy_api(event)).get("/users/7?other=1").status == 200


def test_a_response_that_breaks_the_specification(app, caplog):
    """It is a 500, whose reason is in the log and not in the answer."""
    answer = app.call_proxy_api(events.request("GET", "/broken"))
    assert answer["statusCode"] == 500
    assert "secret" not in answer["body"]
    assert "breaks the specification: Response body does not conform" in caplog.text


def test_unvalidated_responses(framework, fleece_api, document):
    """Responses are not looked at, when asked for."""
    app = get_connexion_app("users", document, validate_responses=False, framework=framework)
    assert fleece_api(lambda event, context: app.call_proxy_api(event)).get("/broken").status == 200


def test_an_exception_of_a_handler(app, caplog):
    """It is a 500 with nothing of it, and a traceback in the log."""
    answer = app.call_proxy_api(events.request("GET", "/fails"))
    assert answer["statusCode"] == 500
    assert "swordfish" not in answer["body"]
    assert "RuntimeError: the password is swordfish" in caplog.text


@pytest.mark.parametrize(
    ("error", "status", "detail", "logged"),
    [
        (HTTPError(404, "no such user"), 404, "no such user", False),
        (HTTPError(401), 401, "Unauthorized", False),
        (HTTPError(503, "the password is swordfish"), 503, "The server encountered an internal error", True),
        (HTTPError(302, "the password is swordfish"), 500, "The server encountered an internal error", True),
    ],
    ids=lambda value: str(value)[:3],
)
def test_an_http_error_of_a_handler(users_api, framework, document, caplog, error, status, detail, logged):
    """`HTTPError` is answered with its status; what it says is for the client if that is at fault, else for the log."""

    def fails():
        raise error

    users_api.fails = fails
    answer = get_connexion_app("users", document, framework=framework).call_proxy_api(events.request("GET", "/fails"))
    said = json.loads(answer["body"])
    assert (answer["statusCode"], said["status"]) == (status, status)
    assert said["detail"].startswith(detail)
    assert answer["multiValueHeaders"]["content-type"] == ["application/problem+json"]
    assert ("the password is swordfish" in caplog.text) is logged


def test_a_token_that_is_not_valid(users_api, framework, document):
    """An operation behind `fleece.raxauth.authenticate` answers 401."""
    users_api.fails = authenticate()(lambda token="": {})
    app = get_connexion_app("users", document, framework=framework)
    assert app.call_proxy_api(events.request("GET", "/fails"))["statusCode"] == 401


def test_the_applications_own_error_handler(app, users_api):
    """A synchronous error handler answers, in the thread of the caller."""
    threads = []

    def on_teapot(request, error):
        threads.append(threading.get_ident())
        return connexion.lifecycle.ConnexionResponse(418, body=b"short and stout")

    app.add_error_handler(users_api.TeapotError, on_teapot)
    answer = app.call_proxy_api(events.request("GET", "/teapot"))
    assert answer["statusCode"] == 418
    assert threads == [threading.get_ident()]


def test_an_error_handler_that_fails(app, caplog, users_api):
    """It is a 500 like any other, without a thread."""

    def on_teapot(request, error):
        raise RuntimeError("the password is swordfish")

    app.add_error_handler(users_api.TeapotError, on_teapot)
    before = set(threading.enumerate())
    answer = app.call_proxy_api(events.request("GET", "/teapot"))
    assert (answer["statusCode"], "swordfish" in answer["body"]) == (500, False)
    assert "swordfish" in caplog.text
    assert set(threading.enumerate()) <= before


def test_a_missing_handler_is_a_500(users_api, framework, caplog, document):
    """An operation whose function does not exist is said in the log."""
    del users_api.where
    app = get_connexion_app("users", document, framework=framework)
    assert app.call_proxy_api(events.request("GET", "/users/7"))["statusCode"] == 500
    assert "users_api" in caplog.text
