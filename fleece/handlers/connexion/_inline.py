"""Calling synchronous code on the event loop, where connexion would hand it to a pool of threads.

Lambda gives a container one request at a time, so there is nothing that a thread could run beside it.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
from typing import TYPE_CHECKING, Any

from connexion.context import operation

from fleece.handlers._asgi import read_body, request_of, send_response
from fleece.handlers._wsgi import environ_of, respond

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from wsgiref.types import WSGIApplication  # Python 3.11's, for mypy alone

    from fleece.handlers._asgi import ASGIApp, Receive, Scope, Send

_loop: contextvars.ContextVar[asyncio.AbstractEventLoop] = contextvars.ContextVar("fleece.handlers.connexion.loop")


def inline(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Make a function asynchronous without a thread; one that is so already stays as it is."""
    if inspect.iscoroutinefunction(function):
        return function

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return await result if inspect.isawaitable(result) else result

    return call


class Blocking:
    """An ``async def`` function as Flask can call it: in a thread, waiting for what the event loop makes of it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(self._function(*args, **kwargs), _loop.get()).result()


def blocking(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function synchronous; one that is so already stays as it is."""
    return Blocking(function) if inspect.iscoroutinefunction(function) else function


class InlineWSGI:
    """Call a WSGI application on the event loop, in the place where connexion has put a pool of threads.

    Only an operation whose handler is ``async def`` is called in a thread, because the loop must go on to run it.

    Args:
        app: the WSGI application; connexion's `add_wsgi_middleware` replaces the attribute of that name.
        otherwise: the ASGI application for what is not HTTP.
    """

    def __init__(self, app: WSGIApplication, otherwise: ASGIApp) -> None:
        self.app = app
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._otherwise(scope, receive, send)
            return
        environ = environ_of(request_of(scope, await read_body(receive)))
        environ["asgi.scope"] = scope  # where connexion looks for its context
        environ["lambda.event"] = scope.get("lambda.event")
        if operation and isinstance(operation.function, Blocking):
            loop = asyncio.get_running_loop()
            _loop.set(loop)
            context = contextvars.copy_context()
            response = await loop.run_in_executor(None, context.run, respond, self.app, environ)
        else:
            response = respond(self.app, environ)
        await send_response(send, response)
