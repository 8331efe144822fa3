"""Serve any ASGI application (FastAPI, Starlette, Django, Quart) from the events of API Gateway and its like.

A handler is:

    from fleece.handlers.asgi import asgi_handler

    def handler(event, context):
        return asgi_handler(event, context, app, logger)

All requests of a container run on one event loop, one after the other; Lambda calls the handler again only when it has
returned. So the answer leaves when the application has returned, and not before:

- A streamed response is gathered, and leaves as a whole.
- Background tasks that run inside the application's call, as Starlette's and FastAPI's do, are waited for.
- A task that the application leaves behind (`asyncio.create_task`) stands still with the container, goes on during the
  next request, and is lost if there is none: await what must happen.
- The application's lifespan begins before the first request and lasts as long as the container. Lambda ends containers
  without a word to Python; where the process does exit by itself, the application is shut down first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleece.handlers import _loop
from fleece.handlers._asgi import respond, scope_of
from fleece.handlers._lifespan import StartupError, lifespan_state
from fleece.handlers._log import RequestLog
from fleece.handlers._proxy import answer_event

if TYPE_CHECKING:
    from fleece.handlers._asgi import ASGIApp
    from fleece.handlers._http import Request, Response

__all__ = ["StartupError", "asgi_handler"]


def asgi_handler(
    event: dict[str, Any], context: Any, app: ASGIApp, logger: Any = None, *, base_path: str | None = None
) -> dict[str, Any]:
    """Answer an event with an ASGI application.

    Args:
        event: what Lambda passed: an event of API Gateway (REST and HTTP APIs), a function URL, or a load balancer.
        context: what Lambda passed beside it. Both are in the scope, as ``lambda.event`` and ``lambda.context``.
        app: the ASGI application (version 3). Its lifespan begins before the first request; one that does not know of
            lifespans is served all the same.
        logger: gets a line when a request comes, and one with `http_status` when it is answered; fleece's, structlog's
            or a standard one (the default is the standard logger ``fleece.handlers``).
        base_path: ``/v1``, the part of the path that becomes ``root_path``; by default it is found from the event.

    Returns:
        The answer in the form that the event's sender wants. When the application fails before its response is
        complete, or answers with more than Lambda can return, that is a 500, and the log says why.

    Raises:
        ValueError: the event is not an HTTP request of a kind that fleece knows.
        StartupError: the application said at its lifespan's startup that it cannot start. The next call tries again.
        RuntimeError: an event loop is running in this thread.
    """
    _loop.require_no_running_loop()
    log = RequestLog(logger)
    state = lifespan_state(app, log)

    def call_app(request: Request) -> Response:
        scope = scope_of(request)
        scope["state"] = state.copy()
        scope["lambda.event"] = event
        scope["lambda.context"] = context
        return respond(app, scope, request.body, log)

    return answer_event(event, call_app, log, base_path)
