"""The endpoints about the engine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from fleece_testing._docker import documents
from fleece_testing._docker.state import Route, State, json_answer, read_json

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def ping(_: State, __: Request) -> WSGIApplication:
    headers = {"API-Version": documents.API_VERSION, "OSType": "linux", "Docker-Experimental": "false"}
    return Response("OK", headers=headers, content_type="text/plain; charset=utf-8")


def version(_: State, __: Request) -> WSGIApplication:
    return json_answer(documents.version())


def info(state: State, _: Request) -> WSGIApplication:
    return json_answer(documents.info(len(state.images.all()), state.containers.all()))


def login(_: State, request: Request) -> WSGIApplication:
    """Take any login: whether it is right is found out by a pull, which sends it along."""
    read_json(request)
    return json_answer({"Status": "Login Succeeded", "IdentityToken": ""})


ROUTES = (
    Route("GET", "/_ping", "ping", ping),
    Route("GET", "/version", "version", version),
    Route("GET", "/info", "info", info),
    Route("POST", "/auth", "login", login),
)
