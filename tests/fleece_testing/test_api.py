"""The test client over handlers of each kind."""

import base64
import json

import flask
import pytest

from fleece.handlers.wsgi import wsgi_handler
from fleece.httperror import HTTPError
from fleece_testing import events
from fleece_testing.api import Client, MalformedAnswerError

PROXY_KINDS = sorted(set(events.KINDS) - {"yoke"})


@pytest.fixture
def handler():
    """Return a Lambda handler over a small Flask application."""
    app = flask.Flask("test")

    @app.route("/echo/<name>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def echo(name):
        return {
            "name": name,
            "method": flask.request.method,
            "query": flask.request.args.to_dict(flat=False),
            "json": flask.request.get_json(silent=True),
            "form": flask.request.form.to_dict(),
            "agent": flask.request.headers.get("User-Agent"),
            "cookie": flask.request.cookies.get("session"),
        }

    @app.route("/login")
    def login():
        response = flask.Response(b"\xff\xfe", 201, content_type="application/octet-stream")
        response.set_cookie("session", "abc")
        response.set_cookie("other", "1")
        return response

    @app.route("/logout")
    def logout():
        response = flask.Response("bye ü")
        response.delete_cookie("session")
        return response

    return lambda event, context: wsgi_handler(event, context, app, None)


@pytest.mark.parametrize("kind", PROXY_KINDS)
def test_requests_reach_the_application_and_answers_come_back(fleece_api, handler, kind):
    """Every method, query, JSON, form and header, for every kind."""
    client = fleece_api(handler, kind=kind, headers={"User-Agent": "test"})
    response = client.get("/echo/ü b?x=1", query={"y": "2"})
    assert response.status == 200
    found = response.json()
    assert (found["name"], found["query"], found["agent"]) == ("ü b", {"x": ["1"], "y": ["2"]}, "test")
    assert client.post("/echo/a", json={"a": [1]}).json()["json"] == {"a": [1]}
    assert client.put("/echo/a", form={"a": "ü"}).json()["form"] == {"a": "ü"}
    assert client.patch("/echo/a", body="x", headers={"User-Agent": "other"}).json()["agent"] == "other"
    assert client.delete("/echo/a").json()["method"] == "DELETE"
    assert client.head("/echo/a").status == 200
    assert client.get("/nowhere").status == 404


@pytest.mark.parametrize("kind", sorted(set(PROXY_KINDS) - {"alb"}))
def test_cookies_are_kept_from_one_request_to_the_next(fleece_api, handler, kind):
    """As a browser does, until they are deleted."""
    client = fleece_api(handler, kind=kind)
    response = client.get("/login")
    assert (response.status, response.content) == (201, b"\xff\xfe")
    assert response.cookies == {"session": "abc", "other": "1"}
    assert response.headers["content-type"] == "application/octet-stream"
    assert client.get("/echo/a").json()["cookie"] == "abc"
    assert client.get("/logout").text == "bye ü"
    assert client.cookies == {"other": "1"}
    assert client.get("/echo/a").json()["cookie"] is None


def test_a_cookie_that_has_ended_is_deleted():
    """A response deletes a cookie by its age, whatever value it gives it."""
    client = Client(lambda event, context: {"statusCode": 200, "headers": {"Set-Cookie": event["headers"]["Wanted"]}})
    client.get("/", headers={"Wanted": "session=abc"})
    assert client.cookies == {"session": "abc"}
    client.get("/", headers={"Wanted": "session=deleted; Max-Age=0"})
    assert client.cookies == {}


def test_a_requests_own_cookies_go_over_the_clients():
    """Who writes the header has it sent as it is."""
    client = Client(lambda event, context: {"statusCode": 200, "body": event["headers"]["Cookie"]})
    client.cookies["session"] = "abc"
    assert client.get("/").text == "session=abc"
    assert client.get("/", headers={"Cookie": "session=mine"}).text == "session=mine"


def test_the_handler_gets_lambdas_context_and_an_event_of_its_own(fleece_api):
    """The context is new for each call; what the handler does to the event stays there."""
    seen = []

    def main(event, context):
        seen.append(context.aws_request_id)
        event.clear()
        return {"statusCode": 200}

    client = fleece_api(main, stage="v1")
    assert client.get("/").event["requestContext"]["stage"] == "v1"
    assert client.get("/", stage="v2").event["requestContext"]["stage"] == "v2"
    assert len(set(seen)) == 2


def test_an_exception_of_the_handler_comes_through():
    """The test shows where it was raised."""

    def main(event, context):
        raise LookupError("no")

    with pytest.raises(LookupError):
        Client(main).get("/")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "it is None, and not an object"),
        ("text", "it is 'text', and not an object"),
        ({}, "its statusCode is None"),
        ({"statusCode": "abc"}, "its statusCode is 'abc'"),
        ({"statusCode": True}, "its statusCode is True"),
        ({"statusCode": 200, "body": {"a": 1}}, "its body is {'a': 1}, and not a string"),
        ({"statusCode": 200, "body": "%", "isBase64Encoded": True}, "its body is not base64"),
        ({"statusCode": 200, "headers": [1]}, "its headers are [1], and not an object"),
        ({"statusCode": 200, "headers": {"A": ["x"]}}, "the header A is ['x'], and not a string"),
        ({"statusCode": 200, "headers": {"A": "x\r\nB: y"}}, "the header A has a line break"),
        ({"statusCode": 200, "multiValueHeaders": {"A": "x"}}, "the multi-value header A is 'x', and not an array"),
        ({"statusCode": 200, "body": "x" * 6_300_000}, "6291456 is the most that is taken"),
        ({"statusCode": 200, "body": b"x"}, "cannot be written as JSON"),
    ],
)
def test_an_answer_that_would_be_a_502_is_an_error_that_says_why(answer, reason):
    """API Gateway tells nobody what it did not understand."""
    with pytest.raises(MalformedAnswerError) as failure:
        Client(lambda event, context: answer).get("/")
    assert reason in str(failure.value)


def test_a_balancer_takes_one_megabyte():
    """Its limit is lower."""
    answer = {"statusCode": 200, "body": "x" * 1_100_000}
    assert Client(lambda event, context: answer).get("/").status == 200
    with pytest.raises(MalformedAnswerError, match="1048576 is the most"):
        Client(lambda event, context: answer, kind="alb").get("/")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("rest", ["1", "2", "3"]),
        ("http_1", ["1", "2", "3"]),
        ("http", ["0", "3"]),
        ("function_url", ["0", "3"]),
        ("alb", ["0", "3"]),
        ("alb_multi_value", ["1", "2"]),
    ],
)
def test_headers_in_the_wrong_place_do_not_reach_the_client(kind, names):
    """Each service reads headers only where its own format has them; multi-value goes over single."""
    answer = {
        "statusCode": "200",
        "multiValueHeaders": {"X-A": ["1", "2"]},
        "headers": {"X-A": "0", "X-B": 3},
        "cookies": ["c=1"],
    }
    response = Client(lambda event, context: answer, kind=kind).get("/")
    assert response.status == 200
    assert response.headers.getlist("x-a") + response.headers.getlist("x-b") == names
    assert response.cookies == ({"c": "1"} if kind in ("http", "function_url") else {})


@pytest.mark.parametrize("answer", [{"a": 1}, "text", [1], None])
@pytest.mark.parametrize("kind", ["http", "function_url"])
def test_payload_2_makes_a_200_of_anything_without_a_status(kind, answer):
    """That is its own rule."""
    response = Client(lambda event, context: answer, kind=kind).get("/")
    assert response.status == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.text == (answer if isinstance(answer, str) else json.dumps(answer))


def test_yoke_answers_are_the_body_and_its_errors_the_status():
    """The request template's mappings find the status in the error's message."""

    def main(event, context):
        request = event["parameters"]["request"]
        if request["body"] == {"fail": True}:
            raise HTTPError(404, "no such user")
        return {"body": request["body"], "path": request["path"]}

    client = Client(main, kind="yoke", route="/users/{id}")
    assert client.post("/users/7", json={"a": 1}).json() == {"body": {"a": 1}, "path": {"id": "7"}}
    failed = client.post("/users/7", json={"fail": True})
    assert (failed.status, failed.json()) == (404, {"errorMessage": "404: Not Found - no such user"})


def test_an_http_error_is_an_answer_to_yoke_alone():
    """No other integration reads statuses out of messages: to them it is an exception like any other."""

    def main(event, context):
        raise HTTPError(404, "no such user")

    assert Client(main, kind="yoke").get("/").status == 404
    with pytest.raises(HTTPError):
        Client(main, kind="rest").get("/")


def test_text_is_decoded_by_its_charset():
    """The content type says which; else it is UTF-8."""
    body = base64.b64encode("ü".encode("latin-1")).decode()
    headers = {"Content-Type": 'text/plain; charset="ISO-8859-1"'}
    answer = {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}
    assert Client(lambda event, context: answer).get("/").text == "ü"


def test_an_unknown_kind_says_which_there_are():
    """Already when the client is made."""
    with pytest.raises(ValueError, match="the kinds are rest, http"):
        Client(print, kind="soap")


def test_a_context_in_place_of_what_makes_contexts(fleece_api, fleece_context):
    """A context object is taken for what it is, where what makes one for each call is asked for."""
    with pytest.raises(TypeError, match="context must be a function that makes a context for each call: LambdaContext"):
        fleece_api(lambda event, context: {"statusCode": 200}, context=fleece_context())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"json": {}, "body": "x"}, "A request has one body: json and body were given"),
        ({"json": 1, "form": {}, "body": ""}, "A request has one body: json and form and body were given"),
        ({"headers": ["a"]}, r"headers must be a dictionary or a list of pairs: \['a'\] was given"),
        ({"form": "a=1"}, "form must be a dictionary or a list of pairs: 'a=1' was given"),
        ({"data": {"a": 1}}, r"A request has no argument 'data'; did you mean form or body\?"),
    ],
)
def test_what_no_client_could_send_is_one_line(fleece_api, wrong, said):
    """Nothing of a request is passed over in silence."""
    with pytest.raises(TypeError, match=f"^{said}$"):
        fleece_api(print).post("/", **wrong)


def test_an_asynchronous_handler_is_told_apart(fleece_api):
    """Lambda does not await what a handler returns, and neither does the client; no coroutine is left behind."""

    async def main(event, context):
        return {"statusCode": 200}

    with pytest.raises(TypeError, match="The handler is an async def, and Lambda does not await it"):
        fleece_api(main).get("/")


def test_the_repr_of_a_response_is_what_a_client_sees(fleece_api):
    """In a failing test, neither the event nor the function's own answer crowds it out."""
    response = fleece_api(lambda event, context: {"statusCode": 404, "body": "no"}).get("/secret")
    assert repr(response) == "Response(status=404, headers=Headers([]), content=b'no')"
