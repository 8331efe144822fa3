"""Serve any WSGI application (Flask, Django, Bottle) from the events of API Gateway, function URLs, load balancers.

A handler is:

    from fleece.handlers.wsgi import wsgi_handler

    def handler(event, context):
        return wsgi_handler(event, context, app, logger)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleece.handlers._events import kind_of, read_request
from fleece.handlers._log import RequestLog
from fleece.handlers._proxy import answer_event
from fleece.handlers._wsgi import environ_of, respond

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment  # Python 3.11's, for mypy alone

    from fleece.handlers._http import Request, Response

__all__ = ["build_wsgi_environ_from_event", "wsgi_handler"]


def build_wsgi_environ_from_event(
    event: dict[str, Any], context: Any = None, *, base_path: str | None = None
) -> WSGIEnvironment:
    """Make the WSGI environ of an event, with the event and the context in ``lambda.event`` and ``lambda.context``.

    Args:
        event: what Lambda passed: an event of API Gateway (REST and HTTP APIs), a function URL, or a load balancer.
        context: what Lambda passed beside it.
        base_path: ``/v1``, the part of the path that becomes ``SCRIPT_NAME``; by default it is found from the event.

    Raises:
        ValueError: the event is not an HTTP request of a kind that fleece knows, or parts of it make no sense.
    """
    return _environ(read_request(kind_of(event), event, base_path), event, context)


def wsgi_handler(
    event: dict[str, Any], context: Any, app: WSGIApplication, logger: Any = None, *, base_path: str | None = None
) -> dict[str, Any]:
    """Answer an event with a WSGI application.

    Args:
        event: what Lambda passed: an event of API Gateway (REST and HTTP APIs), a function URL, or a load balancer.
        context: what Lambda passed beside it.
        app: the WSGI application.
        logger: gets a line when a request comes, and one with `http_status` when it is answered; fleece's, structlog's
            or a standard one (the default is the standard logger ``fleece.handlers``).
        base_path: ``/v1``, the part of the path that becomes ``SCRIPT_NAME``; by default it is found from the event.

    Returns:
        The answer in the form that the event's sender wants. When the application fails, or answers with more than
        Lambda can return, that is a 500, and the log says why.

    Raises:
        ValueError: the event is not an HTTP request of a kind that fleece knows.
    """

    def call_app(request: Request) -> Response:
        return respond(app, _environ(request, event, context))

    return answer_event(event, call_app, RequestLog(logger), base_path)


def _environ(request: Request, event: dict[str, Any], context: Any) -> WSGIEnvironment:
    environ = environ_of(request)
    environ["lambda.event"] = event
    environ["lambda.context"] = context
    return environ
