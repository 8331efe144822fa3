"""`call_proxy_api`: every kind of event."""

import pytest

from fleece.connexion import call_proxy_api, get_connexion_app
from fleece_testing import events

PROXY_KINDS = [kind for kind in events.KINDS if kind != "yoke"]


@pytest.mark.parametrize("kind", PROXY_KINDS)
def test_a_get_of_every_kind(app, fleece_api, kind):
    """Path and repeated query parameters reach the handler with the types of the specification."""
    response = fleece_api(lambda event, context: app.call_proxy_api(event), kind=kind).get("/users/7?tag=a%20b")
    assert (response.status, response.json()) == (200, {"id": 7, "tag": ["a b"]})
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("kind", PROXY_KINDS)
def test_a_post_of_every_kind(app, fleece_api, kind):
    """A body reaches the handler, and status and headers come back."""
    client = fleece_api(lambda event, context: app.call_proxy_api(event), kind=kind)
    response = client.post("/users", json={"name": "é"})
    assert (response.status, response.json(), response.cookies) == (201, {"name": "é"}, {"user": "1"})


def test_a_head_request_is_answered_as_the_get_is(app, fleece_api):
    """HEAD of an operation that has GET has its status, and no body that could break the specification."""
    response = fleece_api(lambda event, context: app.call_proxy_api(event)).request("HEAD", "/users/7")
    assert (response.status, response.text) == (200, "")


def test_behind_a_stage(app, fleece_api):
    """The stage is the root path, and no part of what the specification names."""
    client = fleece_api(lambda event, context: app.call_proxy_api(event), kind="http", stage="prod")
    assert client.get("/users/7").status == 200


def test_behind_a_base_path(framework, specification, fleece_api):
    """A base path that the event does not tell of is given by hand."""

    def handler(event, context):
        return call_proxy_api(event, "users", specification, None, framework=framework, base_path="/v1")

    assert fleece_api(handler, kind="alb").get("/v1/users/7").status == 200


def test_a_body_without_a_content_type_is_json(app):
    """Clients that do not say what they send, send JSON."""
    event = events.request("POST", "/users", body='{"name": "ann"}', headers={"Content-Type": "x"})
    for headers in (event["headers"], event["multiValueHeaders"]):
        headers.pop("Content-Type")
    assert app.call_proxy_api(event)["statusCode"] == 201


def test_an_empty_answer(app, fleece_api):
    """204 has no body."""
    response = fleece_api(lambda event, context: app.call_proxy_api(event)).delete("/users/7")
    assert (response.status, response.content) == (204, b"")


def test_the_functions_of_the_documentation(framework, specification, fleece_api):
    """`call_proxy_api` with a file, as the documentation shows it."""

    def handler(event, context):
        return call_proxy_api(event, "users", str(specification), None, framework=framework)

    assert fleece_api(handler).get("/users/7").json()["id"] == 7


def test_flasks_request_is_there(users_api, fleece_api, document):
    """With the Flask framework, handlers may use ``flask.request``, which leads to the Lambda event."""
    import flask

    def where():
        return {"header": flask.request.headers["X-Mine"], "event": flask.request.environ["lambda.event"]["path"]}

    users_api.where = where
    app = get_connexion_app("users", document)
    response = fleece_api(lambda event, context: app.call_proxy_api(event)).get("/where", headers={"X-Mine": "y"})
    assert response.json() == {"header": "y", "event": "/where"}


def test_an_unknown_event_is_a_value_error(app):
    """What is no HTTP event is the caller's mistake."""
    for event in (None, {}, {"Records": []}):
        with pytest.raises(ValueError, match="no HTTP request"):
            app.call_proxy_api(event)


def test_the_size_limit(app, caplog):
    """An answer that Lambda would refuse is a logged 500."""
    answer = app.call_proxy_api(events.request("GET", "/large"))
    assert (answer["statusCode"], "larger than" in answer["body"]) == (500, True)
    assert "larger than Lambda can return" in caplog.text
