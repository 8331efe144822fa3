"""The application over HTTP, for a developer's machine: Werkzeug's server in front of what Lambda calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers
from werkzeug.serving import run_simple
from werkzeug.wrappers import Request as WerkzeugRequest, Response as WerkzeugResponse

from fleece.handlers._headers import RequestHeaders
from fleece.handlers._http import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece.handlers._http import Response

# A body that came in chunks is whole by now.
_FRAMING = ("content-length", "transfer-encoding")


def serve(respond: Callable[[Request], Response], host: str, port: int, options: dict[str, Any]) -> None:
    """Answer HTTP requests with `respond`, one at a time, until interrupted."""

    @WerkzeugRequest.application
    def application(received: WerkzeugRequest) -> WerkzeugResponse:
        response = respond(_request(received))
        answer = WerkzeugResponse(response.body, response.status)
        answer.headers = Headers(list(response.headers))  # its own would have a content type
        return answer

    run_simple(host, port, application, threaded=False, **options)


def _request(received: WerkzeugRequest) -> Request:
    name, port = received.server or ("localhost", None)
    body = received.get_data()
    headers = RequestHeaders.of([field for field in received.headers if field[0].lower() not in _FRAMING])
    if body:
        headers = headers.with_value("content-length", str(len(body)))
    return Request(
        method=received.method,
        path=received.path,
        query=received.query_string.decode("latin-1"),
        headers=headers,
        body=body,
        remote_addr=received.remote_addr or "",
        scheme=received.scheme,
        server_name=name,
        server_port=port or 0,
    )
