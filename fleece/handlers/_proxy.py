"""The way from an event to its answer, which all handlers share: recognise, translate, answer, translate back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleece.handlers._events import kind_of, read_request
from fleece.handlers._http import problem
from fleece.handlers._parts import BadRequestError
from fleece.handlers._responses import is_too_large, proxy_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece.handlers._http import Request, Response
    from fleece.handlers._log import RequestLog


def answer_event(
    event: Any, respond: Callable[[Request], Response], log: RequestLog, base_path: str | None = None
) -> dict[str, Any]:
    """Answer an HTTP event with what `respond` makes of its request.

    A request that makes no sense is answered with 400, an exception of `respond` with 500 and a log line, and so is an
    answer that is larger than Lambda, or the load balancer, takes.

    Raises:
        ValueError: the event is of no kind that fleece knows.
    """
    kind = kind_of(event)
    try:
        request = read_request(kind, event, base_path)
    except BadRequestError as error:
        log.returning(400)
        return proxy_response(kind, problem(400, str(error)))
    log.processing(request.method)
    response = attempt(respond, request, log)
    answer = proxy_response(kind, response, request.method)
    if is_too_large(kind, response, answer):
        response = too_large(response, log)
        answer = proxy_response(kind, response, request.method)
    log.returning(response.status)
    return answer


def attempt(respond: Callable[[Request], Response], request: Request, log: RequestLog) -> Response:
    """Return what `respond` makes of a request; an exception is logged, and becomes a 500 that tells nothing."""
    try:
        return respond(request)
    except Exception as error:  # noqa: BLE001 (whatever it is, the client must get an answer)
        log.failed("The application failed", error)
        return problem(500)


def too_large(response: Response, log: RequestLog) -> Response:
    """Log that a response is too large, and return what the client gets in its place."""
    log.failed("The response is larger than Lambda can return", body_bytes=len(response.body))
    return problem(500, "The response is larger than AWS Lambda can return.")
