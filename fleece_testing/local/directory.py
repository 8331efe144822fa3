"""The example service's neighbour: a directory of teams over HTTP, for those who have its token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

TOKEN = "open-sesame-for-development"
"""What the example's open configuration has as the directory's token for development."""

TEAMS = {1: "engines", 2: "compilers"}
"""The team of each user, by the user's id."""


class Directory:
    """A WSGI application that answers ``GET /teams/ID`` when the bearer token is the right one."""

    def __init__(self, token: str = TOKEN) -> None:
        self.url = ""
        """Where it can be reached; set by whoever serves it."""
        self._token = token

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        status, document = self._answer(environ)
        body = json.dumps(document).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> tuple[str, dict[str, str]]:
        if environ.get("HTTP_AUTHORIZATION") != f"Bearer {self._token}":
            return "401 Unauthorized", {"error": "This is not the directory's token"}
        folder, _, number = environ["PATH_INFO"].removeprefix("/").partition("/")
        if folder != "teams" or not number.isdecimal() or int(number) not in TEAMS:
            return "404 Not Found", {"error": "There is no such user"}
        return "200 OK", {"team": TEAMS[int(number)]}
