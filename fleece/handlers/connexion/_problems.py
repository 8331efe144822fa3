"""What clients are told of errors: connexion's own problem+json, less what is nobody's business outside.

All handlers are asynchronous: connexion runs synchronous ones, its own included, in a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connexion import problem
from connexion.exceptions import InternalServerError, NonConformingResponse, ProblemException
from starlette.exceptions import HTTPException

from fleece.handlers._http import phrase
from fleece.httperror import HTTPError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    from fleece.handlers._log import RequestLog

    ErrorHandler: TypeAlias = Callable[[Any, Any], Awaitable[Any]]

_OF_THE_CLIENT, _OF_THE_SERVER = range(400, 500), range(500, 600)


def error_handlers(log: RequestLog) -> dict[type[Exception], ErrorHandler]:
    """Return the handlers of an application's errors; the causes of 5xx go to the log, and to nobody else."""

    async def broken_promise(_request: Any, error: NonConformingResponse) -> Any:
        log.failed(f"The response breaks the specification: {error.detail}")
        return InternalServerError().to_problem()

    async def unexpected(_request: Any, error: Exception) -> Any:
        log.failed("The handler failed", error)
        return InternalServerError().to_problem()

    async def carried(_request: Any, error: HTTPError) -> Any:
        status = error.status_code
        if status in _OF_THE_CLIENT:
            return problem(status, phrase(status), error.message or phrase(status))
        log.failed("The handler failed", error)
        told = InternalServerError()
        return problem(status, phrase(status), told.detail) if status in _OF_THE_SERVER else told.to_problem()

    return {
        HTTPError: carried,
        HTTPException: _answer_http_exception,
        ProblemException: _answer_problem,
        NonConformingResponse: broken_promise,
        Exception: unexpected,
    }


async def _answer_problem(_request: Any, error: ProblemException) -> Any:
    return error.to_problem()


async def _answer_http_exception(_request: Any, error: HTTPException) -> Any:
    return problem(error.status_code, phrase(error.status_code), error.detail, headers=error.headers)
