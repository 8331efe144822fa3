"""A service with an operation of each sort: its specification, its handlers, its application in each framework."""

import asyncio
import contextvars
import copy
import sys
import threading
import types

import connexion
import pytest
import yaml

from fleece._defaults import defaults
from fleece.connexion import get_connexion_app


def _operation(name, *, parameters=(), body=None, response=None, status="200"):
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


_USER = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
_SPECIFICATION = {
    "openapi": "3.0.3",
    "info": {"title": "users", "version": "1"},
    "paths": {
        "/users/{id}": {
            "get": _operation(
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
        "/users": {"post": _operation("add_user", body=_USER, status="201")},
        "/where": {"get": _operation("where")},
        "/later": {"get": _operation("later")},
        "/broken": {
            "get": _operation("broken", response={"type": "object", "properties": {"id": {"type": "integer"}}})
        },
        "/fails": {"get": _operation("fails")},
        "/teapot": {"get": _operation("teapot")},
        "/busy": {"get": _operation("busy")},
        "/conflict": {"get": _operation("conflict")},
        "/large": {"get": _operation("large")},
        "/text": {
            "get": {
                "operationId": "users_api.text",
                "responses": {"200": {"description": "ok", "content": {"text/plain": {"schema": {"type": "string"}}}}},
            }
        },
    },
}


def _handlers():  # noqa: C901 (a list of small functions)
    """Make the module that the specification's operations are in."""
    module = types.ModuleType("users_api")

    def get_user(id, tag=None):  # noqa: A002 (the specification's name)
        return {"id": id, "tag": tag}

    def add_user(body):
        return {"name": body["name"]}, 201, {"Set-Cookie": "user=1"}

    def delete_user(id):  # noqa: A002
        return connexion.NoContent, 204

    module.TENANT = contextvars.ContextVar("tenant", default=None)
    module.TeapotError = type("TeapotError", (Exception,), {})

    def where():
        loop = asyncio.get_event_loop()
        return {"thread": threading.get_ident(), "tenant": module.TENANT.get(), "loop": id(loop)}

    async def later():
        tenant = module.TENANT.get()
        await asyncio.sleep(0)
        return {"thread": threading.get_ident(), "tenant": tenant, "loop": id(asyncio.get_running_loop())}

    def broken():
        return {"id": "the secret of the database"}

    def fails():
        raise RuntimeError("the password is swordfish")

    def teapot():
        raise module.TeapotError

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


@pytest.fixture
def document():
    """Return the specification, to do with as one likes."""
    return copy.deepcopy(_SPECIFICATION)


@pytest.fixture(autouse=True)
def users_api(monkeypatch):
    """Make the handlers importable, for the length of a test, with no application of another test left.

    The module has the context variable `TENANT` and the exception `TeapotError` as well.
    """
    module = _handlers()
    monkeypatch.setitem(sys.modules, "users_api", module)
    defaults.forget("fleece.handlers.connexion.apps")
    yield module
    defaults.forget("fleece.handlers.connexion.apps")


@pytest.fixture(params=["flask", "async"])
def framework(request):
    return request.param


@pytest.fixture
def app(document, framework):
    return get_connexion_app("users", document, framework=framework)


@pytest.fixture
def specification(tmp_path, document):
    """Return a file that holds the specification."""
    path = tmp_path / "swagger.yml"
    path.write_text(yaml.safe_dump(document))
    return path
