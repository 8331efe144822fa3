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


def asynchronous(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Make an ``async def`` function of any function, without a thread."""
    if inspect.iscoroutinefunction(function):

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await function(*args, **kwargs)

    else:

        async def call(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

    _take_looks(call, function)
    return call


def synchronous(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of any function that Flask can call; an ``async def`` one must be called in a thread."""
    if inspect.iscoroutinefunction(function):
        return _Waiting(function)

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    _take_looks(call, function)
    return call


class _Waiting:
    """An ``async def`` function, called in a thread, that waits for what the event loop makes of it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        _take_looks(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(self._function(*args, **kwargs), _loop.get()).result()


def _take_looks(call: Any, function: Callable[..., Any]) -> None:
    """Give `call` the name and the signature of `function`.

    Connexion looks under all wrappers for the signature, at every request, and then works it out; here it ends at once.
    """
    functools.update_wrapper(call, function)
    del call.__wrapped__
    call.__signature__ = inspect.signature(inspect.unwrap(function))


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
        if operation and isinstance(operation.function, _Waiting):
            loop = asyncio.get_running_loop()
            _loop.set(loop)
            context = contextvars.copy_context()
            response = await loop.run_in_executor(None, context.run, respond, self.app, environ)
        else:
            response = respond(self.app, environ)
        await send_response(send, response)
