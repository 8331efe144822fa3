"""A client over a Lambda handler, in the style of Werkzeug's and Starlette's test clients.

It works without pytest:

    client = Client(handler, kind="http")
    assert client.get("/v1/users/1").json() == {"id": 1}
"""

from __future__ import annotations

import inspect
import json as json_module
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fleece.httperror import HTTPError
from fleece_testing import events
from fleece_testing._extras import require
from fleece_testing.context import LambdaContext
from fleece_testing.events._request import pairs_of

require(__name__, "werkzeug")

from werkzeug.datastructures import Headers  # noqa: E402 (after the hint)

from fleece_testing._api_response import MalformedAnswerError, Response, read_answer  # noqa: E402 (after the hint)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleece_testing.events._request import Headers as GivenHeaders, Query

__all__ = ["Client", "MalformedAnswerError", "Response"]

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

# What other test clients call the arguments of a request.
_CALLED_HERE = {"content": "body", "data": "form or body", "params": "query", "query_string": "query"}


class Client:
    """Call a handler with HTTP requests and read its answers as HTTP responses.

    An exception of the handler comes through as it is, so that the test shows where it came from. Cookies that a
    response sets are sent with the next request.

    Args:
        handler: called with the event and the context.
        kind: what the events are, of `fleece_testing.events.KINDS`.
        context: makes the context object of each call.
        headers: sent with each request.
        options: what the builder of that kind takes, for each request: ``stage``, ``domain``, ``authorizer``, ...

    Raises:
        ValueError: there is no such kind.
        TypeError: its builder takes no such option, or the handler is none.

    Examples:
        >>> def handler(event, context):
        ...     return {"statusCode": 200, "body": f"{event['httpMethod']} {event['path']}"}
        >>> client = Client(handler, headers={"Authorization": "me"})
        >>> client.get("/v1/users/1").text
        'GET /v1/users/1'
        >>> [getattr(client, method)("/x").text for method in ("post", "put", "patch", "delete", "head")]
        ['POST /x', 'PUT /x', 'PATCH /x', 'DELETE /x', 'HEAD /x']
        >>> [client.post("/x").status, client.put("/x").status, client.patch("/x").status, client.delete("/x").status]
        [200, 200, 200, 200]
        >>> client.head("/x").status, client.request("OPTIONS", "/x", query={"a": "1"}).event["queryStringParameters"]
        (200, {'a': '1'})
    """

    def __init__(
        self,
        handler: Callable[[Any, Any], Any],
        *,
        kind: str = "rest",
        context: Callable[[], Any] = LambdaContext,
        headers: GivenHeaders | None = None,
        **options: Any,
    ) -> None:
        if not callable(handler):
            raise TypeError(f"handler must be a function of an event and a context: {handler!r} was given")
        if not callable(context):
            raise TypeError(f"context must be a function that makes a context for each call: {context!r} was given")
        events.check_options(kind, options)
        self.handler = handler
        self.kind = kind
        self.context = context
        self.headers = Headers(_pairs(headers))
        """The headers that go with each request."""
        self.cookies: dict[str, str] = {}
        """The cookies that go with each request, by name."""
        self.options = options

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.handler!r}, kind={self.kind!r})"

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        headers: GivenHeaders | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        body: str | bytes | None = None,
        **options: Any,
    ) -> Response:
        """Send one request.

        Args:
            method: the HTTP method.
            path: the path, as in a URL; it may end with a query.
            query: see `fleece_testing.events.request`.
            headers: names with a value or a list of values each, or pairs; they go over the client's own.
            json: a body to be written as JSON.
            form: a body to be written as a form.
            body: a body as it is.
            options: go over the client's own.

        Raises:
            MalformedAnswerError: the service in front of the function would not understand the handler's answer.
            TypeError: more than one body is given, or something that no client could send; the handler is asynchronous.
        """
        bodies = {"json": json, "form": form, "body": body}
        if len(given := [name for name, one in bodies.items() if one is not None]) > 1:
            raise TypeError(f"A request has one body: {' and '.join(given)} were given")
        for name in _CALLED_HERE.keys() & options:
            raise TypeError(f"A request has no argument {name!r}; did you mean {_CALLED_HERE[name]}?")
        sent = Headers(self.headers)
        sent.update(Headers(_pairs(headers)))
        content: Any = body
        if form is not None:
            content = urlencode(pairs_of("form", form))
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif json is not None:
            content = json if self.kind == "yoke" else json_module.dumps(json)  # yoke's template decodes it
            sent.setdefault("Content-Type", "application/json")
        if self.cookies and "Cookie" not in sent:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        event = events.request(
            method,
            path,
            query=query,
            headers=list(sent),
            body=content,
            kind=self.kind,
            **{**self.options, **options},
        )
        response = self._call(event)
        for name, value in response.cookies.items():
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        return response

    def get(self, path: str, **options: Any) -> Response:
        """Send a GET request; the options are those of `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Response:
        """Send a POST request; the options are those of `request`."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Response:
        """Send a PUT request; the options are those of `request`."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Response:
        """Send a PATCH request; the options are those of `request`."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Response:
        """Send a DELETE request; the options are those of `request`."""
        return self.request("DELETE", path, **options)

    def head(self, path: str, **options: Any) -> Response:
        """Send a HEAD request; the options are those of `request`."""
        return self.request("HEAD", path, **options)

    def _call(self, event: dict[str, Any]) -> Response:
        received = json_module.loads(json_module.dumps(event))  # as the runtime does: nothing is shared
        try:
            answer = self.handler(received, self.context())
        except HTTPError as error:
            if self.kind != "yoke":
                raise
            # API Gateway finds the status at the beginning of the message of such an error.
            failed = read_answer(self.kind, event, {"errorMessage": str(error)})
            return replace(failed, status=error.status_code)
        if inspect.iscoroutine(answer):
            answer.close()
            raise TypeError("The handler is an async def, and Lambda does not await it: nothing of it would be run")
        return read_answer(self.kind, event, answer)


def _pairs(headers: GivenHeaders | None) -> list[tuple[str, str]]:
    return [] if headers is None else pairs_of("headers", headers)
