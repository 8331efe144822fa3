"""Connexion's `AsyncApp`, with each handler decorated once, where connexion does that in every request."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from connexion import AsyncApp
from connexion.apps.asynchronous import AsyncApi, AsyncOperation
from connexion.decorators import StarletteDecorator
from connexion.utils import get_function_from_name

from fleece.handlers.connexion._inline import asynchronous

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from connexion.operations import AbstractOperation

    from fleece.handlers._asgi import Receive, Scope, Send


def async_app(import_name: str, options: dict[str, Any]) -> AsyncApp:
    """Make an `AsyncApp` that calls synchronous handlers inline."""
    app = AsyncApp(import_name, **{"resolver": lambda name: asynchronous(get_function_from_name(name)), **options})
    app.middleware.app.api_cls = _Api
    return app


class _Operation(AsyncOperation):  # type: ignore[misc] # connexion has no types
    """One operation: its handler, and what makes the handler's arguments of a request and a response of its result."""

    operation: AbstractOperation

    @cached_property
    def _decorator(self) -> Any:
        return StarletteDecorator(pythonic_params=self.pythonic_params, jsonifier=self.jsonifier)

    @cached_property
    def _decorated(self) -> Callable[[Any], Awaitable[Any]]:
        decorated: Callable[[Any], Awaitable[Any]] = self._decorator.decorate(self._fn)
        return decorated

    @cached_property
    def _uri_parser(self) -> Any:
        return self.operation.uri_parser_class(self.operation.parameters, self.operation.body_definition())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = self._decorator.framework.get_request(scope=scope, receive=receive, uri_parser=self._uri_parser)
        response = await self._decorated(request)
        await response(scope, receive, send)


class _Api(AsyncApi):  # type: ignore[misc]
    def make_operation(self, operation: AbstractOperation) -> _Operation:
        made: _Operation = _Operation.from_operation(
            operation, pythonic_params=self.pythonic_params, jsonifier=self.jsonifier
        )
        made.operation = operation
        return made
