"""Connexion's middlewares, less two costs: a thread for an error handler, two routers before the one that routes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from connexion.middleware import ConnexionMiddleware
from connexion.middleware.server_error import ServerErrorMiddleware
from connexion.middleware.swagger_ui import SwaggerUIMiddleware

if TYPE_CHECKING:
    from fleece.handlers._asgi import ASGIApp, Receive, Scope, Send
    from fleece.handlers.connexion._problems import ErrorHandler


def middlewares(on_error: ErrorHandler) -> list[Any]:
    """Return the middlewares of an application.

    Args:
        on_error: what answers when an error handler has failed; connexion's own runs in a thread.
    """
    result: list[Any] = []
    for middleware in ConnexionMiddleware.default_middlewares:
        if middleware is ServerErrorMiddleware:
            result.append(partial(ServerErrorMiddleware, handler=on_error))
        elif middleware is SwaggerUIMiddleware:
            result += [_PastPages, SwaggerUIMiddleware]
        else:
            result.append(middleware)
    return result


class _PastPages:
    """Lead all requests but those for the specification's own pages past the middleware that serves these pages.

    That middleware asks a router for each API of every request whether it is for ``/openapi.json`` or ``/ui``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._pages: tuple[str, ...] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        # Somebody may have put a middleware of their own in between.
        if isinstance(app, SwaggerUIMiddleware) and scope["type"] == "http" and not self._is_page(app, scope):
            app = app.app
        await app(scope, receive, send)

    def _is_page(self, app: SwaggerUIMiddleware, scope: Scope) -> bool:
        if self._pages is None:  # APIs are added after middlewares are made
            self._pages = tuple(mount.path + page.path for mount in app.router.routes for page in mount.routes)
        path: str = scope["path"]
        return path.removeprefix(scope.get("root_path", "")).startswith(self._pages)
