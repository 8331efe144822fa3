"""The application over HTTP, for a developer's machine: Werkzeug's server in front of what Lambda calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.serving import run_simple
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wrappers import Response as WerkzeugResponse

from fleece.handlers._http import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece.handlers._http import Response


def serve(respond: Callable[[Request], Response], host: str, port: int, options: dict[str, Any]) -> None:
    """Answer HTTP requests with `respond`, one at a time, until interrupted."""

    @WerkzeugRequest.application
    def application(received: WerkzeugRequest) -> WerkzeugResponse:
        response = respond(_request(received))
        return WerkzeugResponse(response.body, response.status, list(response.headers))

    run_simple(host, port, application, threaded=False, **options)


def _request(received: WerkzeugRequest) -> Request:
    name, port = received.server or ("localhost", None)
    return Request(
        method=received.method,
        path=received.path,
        query=received.query_string.decode("latin-1"),
        headers=[(name.lower(), value) for name, value in received.headers],
        body=received.get_data(),
        remote_addr=received.remote_addr or "",
        scheme=received.scheme,
        server_name=name,
        server_port=port or 0,
    )
