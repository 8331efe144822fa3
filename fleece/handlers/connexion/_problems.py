"""What clients are told of errors: connexion's own problem+json, less what is nobody's business outside."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from connexion import problem
from connexion.datastructures import MediaTypeDict
from connexion.exceptions import BadRequestProblem, InternalServerError, NonConformingResponse, ProblemException
from connexion.middleware import ConnexionMiddleware
from connexion.middleware.server_error import ServerErrorMiddleware
from connexion.validators import VALIDATOR_MAP, JSONRequestBodyValidator
from starlette.exceptions import HTTPException

from fleece.handlers._http import phrase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    from fleece.handlers._log import RequestLog

    ErrorHandler: TypeAlias = Callable[[Any, Any], Awaitable[Any]]


def error_handlers(log: RequestLog) -> list[tuple[type[Exception], ErrorHandler]]:
    """Return connexion's default error handlers, asynchronous: it would run its own ones in a thread."""

    async def broken_promise(_request: Any, error: NonConformingResponse) -> Any:
        log.failed(f"The response breaks the specification: {error.detail}")
        return InternalServerError().to_problem()

    return [
        (ProblemException, _answer_problem),
        (HTTPException, _answer_http_exception),
        (NonConformingResponse, broken_promise),
        (Exception, _unexpected(log)),
    ]


def middlewares(log: RequestLog) -> list[Any]:
    """Return connexion's middlewares; the outermost, which answers when an error handler fails, without its thread."""
    return [
        partial(ServerErrorMiddleware, handler=_unexpected(log)) if middleware is ServerErrorMiddleware else middleware
        for middleware in ConnexionMiddleware.default_middlewares
    ]


def validators() -> dict[str, Any]:
    """Return connexion's validators; that of JSON bodies refuses what connexion answers with 500."""
    return {"body": MediaTypeDict({**VALIDATOR_MAP["body"], "*/*json": _JSONBody})}


class _JSONBody(JSONRequestBodyValidator):  # type: ignore[misc] # connexion has no types
    async def _parse(self, stream: Any, scope: Any) -> Any:
        try:
            return await super()._parse(stream, scope=scope)
        except UnicodeError:
            raise BadRequestProblem(f"The body is not valid {self._encoding}") from None
        except LookupError:
            raise BadRequestProblem("The charset of the body is not known") from None
        except RecursionError:
            raise BadRequestProblem("The body is nested too deeply") from None


async def _answer_problem(_request: Any, error: ProblemException) -> Any:
    return error.to_problem()


async def _answer_http_exception(_request: Any, error: HTTPException) -> Any:
    return problem(error.status_code, phrase(error.status_code), error.detail, headers=error.headers)


def _unexpected(log: RequestLog) -> ErrorHandler:
    async def answer(_request: Any, error: Exception) -> Any:
        log.failed("The handler failed", error)
        return InternalServerError().to_problem()

    return answer
