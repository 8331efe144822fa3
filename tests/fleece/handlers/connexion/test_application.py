"""`FleeceApp` itself."""

import copy
import json
import subprocess
import sys

import connexion
import pytest
from connexion.operations import OpenAPIOperation

from fleece.connexion import FleeceApp
from fleece_testing import events


def test_it_has_what_a_connexion_application_has(document):
    """Flask's application, and connexion's methods, are reached through it."""
    app = FleeceApp("users")
    app.add_api(document)
    assert app.app is app.connexion_app.app
    with app.test_client() as client:
        assert client.get("/users/7").json()["id"] == 7
        assert client.get("/later").status_code == 200


def test_the_specifications_own_pages(app, fleece_api, document):
    """``/openapi.json`` is still served, and a middleware of the user's before it still called."""
    client = fleece_api(lambda event, context: app.call_proxy_api(event))
    assert client.get("/openapi.json").json()["info"] == document["info"]
    assert client.get("/openapi.yaml").status == 200


def test_a_middleware_before_the_pages(framework, fleece_api, document):
    """A middleware at any of connexion's positions is called for every request."""
    seen = []

    class Middleware:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            seen.append(scope["path"])
            await self.app(scope, receive, send)

    app = FleeceApp("users", framework=framework)
    app.add_api(document)
    app.add_middleware(Middleware, position=connexion.middleware.MiddlewarePosition.BEFORE_SWAGGER)
    app.add_middleware(Middleware, position=connexion.middleware.MiddlewarePosition.BEFORE_EXCEPTION)
    assert fleece_api(lambda event, context: app.call_proxy_api(event)).get("/users/7").status == 200
    assert seen == ["/prod/users/7"] * 2


def test_a_wsgi_middleware(fleece_api, document):
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
    app.add_api(document)
    app.add_wsgi_middleware(Middleware, name="me")
    response = fleece_api(lambda event, context: app.call_proxy_api(event)).get("/users/7")
    assert response.headers["X-By"] == "me"


def test_an_unknown_attribute():
    """What neither it nor connexion has is an ``AttributeError``."""
    with pytest.raises(AttributeError, match="no_such_thing"):
        FleeceApp("users").no_such_thing  # noqa: B018


def test_each_operation_is_made_once(document, framework, monkeypatch):
    """Connexion's routing, validations, security and context share the operations, of which each makes its own."""
    made = []
    make = OpenAPIOperation.__init__
    monkeypatch.setattr(OpenAPIOperation, "__init__", lambda self, *a, **k: made.append(k) or make(self, *a, **k))
    app = FleeceApp("users", framework=framework)
    app.add_api(document, validate_responses=True)
    for _ in range(2):
        assert app.call_proxy_api(events.request("GET", "/users/7"))["statusCode"] == 200
    assert len(made) == sum(len(path) for path in document["paths"].values())


def test_a_copy_is_an_application(app):
    """What Python makes without calling ``__init__`` looks for its attributes once, and not for ever."""
    assert copy.copy(app).connexion_app is app.connexion_app


def test_the_asynchronous_framework_needs_no_flask(tmp_path):
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
    # connexion 3.3 asks with asyncio's function, on Python 3.14.
    strict = ["-Werror", "-Wignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning"]
    run = subprocess.run(
        [sys.executable, *strict, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert json.loads(run.stdout) == {"id": "a"}
