"""`call_api`, for the events of yoke's template."""

import connexion
import pytest

from fleece.connexion import call_api, get_connexion_app
from fleece.httperror import HTTPError
from fleece_testing import events


def call(app, method, path, **options):
    return app.call_api(events.request(method, path, kind="yoke", **options))


def test_json_is_decoded(app):
    """The answer is what the JSON says."""
    assert call(app, "GET", "/users/7", query={"tag": "a,b"}) == {"id": 7, "tag": ["a", "b"]}
    assert call(app, "POST", "/users", body={"name": "é"}) == {"name": "é"}


def test_path_parameters(app):
    """The template's path parameters are filled into its resource path."""
    event = events.yoke("GET", "/users/7", route="/users/{id}")
    assert app.call_api(event)["id"] == 7


def test_other_bodies(app):
    """No body is ``None``, and what is no JSON is text."""
    assert call(app, "DELETE", "/users/7") is None
    assert call(app, "GET", "/text") == "plain"


@pytest.mark.parametrize("text", ["7", "null", '{"a": 1}', "plain", "[1"])
def test_text_is_text_whatever_it_looks_like(document, users_api, framework, text):
    """Only a response of a JSON type is decoded."""
    users_api.text = lambda: text
    # Connexion's own validation takes such text for JSON.
    app = get_connexion_app("users", document, validate_responses=False, framework=framework)
    assert call(app, "GET", "/text") == text


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "application/problem+json", "Application/JSON"]
)
def test_json_of_any_name_is_decoded(document, users_api, media_type):
    """Parameters, ``+json`` and capitals make no difference."""
    users_api.where = lambda: connexion.lifecycle.ConnexionResponse(content_type=media_type, body=b'{"a": 1}')
    app = get_connexion_app("users", document, validate_responses=False)
    assert call(app, "GET", "/where") == {"a": 1}


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
def test_errors_are_raised(app, method, path, text):
    """A client's error says what was wrong; the application's own says nothing but its status."""
    with pytest.raises(HTTPError) as raised:
        call(app, method, path)
    assert str(raised.value) == text
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "of the error"}, "detail": "of the problem"}, "of the error"),
        ({"error": {"message": ""}, "detail": "of the problem"}, "of the problem"),
        ({"error": "no object", "detail": "of the problem"}, "of the problem"),
        ({"error": {"message": 7}, "detail": "of the problem"}, "Client Error"),
        ({}, "Client Error"),
    ],
)
def test_the_message_of_a_clients_error(users_api, framework, document, body, message):
    """It is ``error.message`` of the body, or else ``detail``, or else "Client Error"."""
    users_api.conflict = lambda: (body, 409)
    app = get_connexion_app("users", document, framework=framework, cache_app=False)
    with pytest.raises(HTTPError) as raised:
        call(app, "GET", "/conflict")
    assert str(raised.value) == f"409: Conflict - {message}"


def test_a_broken_event_is_a_400(app):
    """A part of a wrong type is the client's error."""
    event = events.request("GET", "/users/7", kind="yoke")
    event["parameters"]["request"]["querystring"] = "a=b"
    with pytest.raises(HTTPError, match="400: Bad Request - The event's querystring is not an object"):
        app.call_api(event)


def test_a_proxy_event_is_a_value_error(app):
    """The other function is named."""
    with pytest.raises(ValueError, match="REST APIs: call_proxy_api"):
        app.call_api(events.request("GET", "/users/7"))


def test_the_function_of_the_documentation(specification):
    """`call_api` with a file, as the documentation shows it."""
    event = events.request("GET", "/users/7", kind="yoke")
    assert call_api(event, "users", str(specification), None)["id"] == 7
