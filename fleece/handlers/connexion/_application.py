"""`FleeceApp`: a connexion application that answers Lambda events."""

from __future__ import annotations

import json
import re
import threading
from contextlib import nullcontext, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from connexion.options import SwaggerUIOptions
from connexion.utils import get_function_from_name

from fleece.handlers import _loop
from fleece.handlers._asgi import respond, scope_of
from fleece.handlers._events import Kind, kind_of, read_request
from fleece.handlers._log import RequestLog
from fleece.handlers._parts import BadRequestError
from fleece.handlers._proxy import answer_event, attempt, too_large
from fleece.handlers._responses import is_too_large
from fleece.handlers.connexion._asynchronous import async_app
from fleece.handlers.connexion._inline import InlineWSGI, asynchronous, synchronous
from fleece.handlers.connexion._middlewares import middlewares
from fleece.handlers.connexion._operations import share_operations
from fleece.handlers.connexion._problems import error_handlers
from fleece.handlers.connexion._validators import validators
from fleece.httperror import HTTPError

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable
    from typing import TypeAlias

    from fleece.handlers._http import Request, Response

    Framework: TypeAlias = Literal["flask", "async"]


_JSON = re.compile(r"application/([^;]+\+)?json\b", re.IGNORECASE)


class FleeceApp:
    """A connexion application that answers Lambda events.

    Whatever else a connexion application has (`add_api`, `add_middleware`, `test_client`, ...), this has too.
    `connexion_app` is that application, and `app`, with Flask, the Flask application inside.

    Args:
        import_name: the name of the application; where it is a module's name, paths are relative to that module.
        framework: ``"flask"``: handlers may use ``flask.request``; ``"async"``: no Flask.
        logger: gets a line when a request comes, when it is answered, and with the cause of each 500; fleece's,
            structlog's or a standard one (the default is the standard logger ``fleece.handlers``).
        options: of connexion's own application.

    Raises:
        ValueError: the framework is neither of the two.
    """

    def __init__(self, import_name: str, *, framework: Framework = "flask", logger: Any = None, **options: Any) -> None:
        try:
            make = _FRAMEWORKS[framework]
        except KeyError:
            raise ValueError(f"framework is {framework!r}; it must be 'flask' or 'async'") from None
        self._log = RequestLog(logger)
        self._building = threading.Lock()
        handlers = error_handlers(self._log)
        defaults = {
            "middlewares": middlewares(handlers[Exception]),
            "validator_map": validators(),
            # Without the package, connexion warns about it each time.
            "swagger_ui_options": SwaggerUIOptions(swagger_ui=find_spec("swagger_ui_bundle") is not None),
        }
        self.connexion_app = make(import_name, {**defaults, **options})
        for kind, handler in handlers.items():
            self.connexion_app.add_error_handler(kind, handler)

    def __getattr__(self, name: str) -> Any:
        if name == "connexion_app":  # not there yet: without this, looking for it would look for it
            raise AttributeError(name)
        return getattr(self.connexion_app, name)

    def add_api(self, specification: str | pathlib.Path | dict[str, Any], **options: Any) -> None:
        """Serve what a specification describes: a file or a dict; the options are those of connexion's `add_api`."""
        self.connexion_app.add_api(specification, **options)
        share_operations(self.connexion_app.middleware.apis[-1].specification)

    def add_error_handler(self, code_or_exception: int | type[Exception], function: Callable[[Any, Any], Any]) -> None:
        """Answer an HTTP status or an exception with what `function` returns, a connexion response."""
        self.connexion_app.add_error_handler(code_or_exception, asynchronous(function))

    def log_to(self, logger: Any) -> None:
        """Log to another logger from now on."""
        self._log.logger = logger

    def call_api(self, event: dict[str, Any]) -> Any:
        """Answer an event of yoke's request template.

        Returns:
            What the JSON of the response says; its text when its type is not JSON; ``None`` when it is empty.

        Raises:
            HTTPError: the status is 400 or more. With the response's ``error.message`` or ``detail`` when it is the
                client's error, and with nothing but the status when it is the application's.
            ValueError: the event is of another kind.
            RuntimeError: an event loop is running in this thread.
        """
        _loop.require_no_running_loop()
        kind = kind_of(event)
        if kind is not Kind.YOKE:
            raise ValueError(f"call_api takes the event of yoke's template; for that of {kind.value}: call_proxy_api")
        try:
            request = read_request(kind, event)
        except BadRequestError as error:
            self._log.returning(400)
            raise HTTPError(400, str(error)) from None
        self._log.processing(request.method)
        response = attempt(lambda request: self._respond(request, event), request, self._log)
        answer = _decoded(response)
        if is_too_large(kind, response, answer):
            response = too_large(response, self._log)
        self._log.returning(response.status)
        if response.status >= 500:  # noqa: PLR2004
            raise HTTPError(response.status)
        if response.status >= 400:  # noqa: PLR2004
            raise HTTPError(response.status, _message(answer))
        return answer

    def call_proxy_api(self, event: dict[str, Any], *, base_path: str | None = None) -> dict[str, Any]:
        """Answer an event of API Gateway (REST and HTTP APIs), a function URL, or a load balancer.

        Args:
            event: what Lambda passed.
            base_path: ``/v1``, the part of the path that is not the application's; by default it is found from the
                event.

        Returns:
            The answer in the form that the event's sender wants.

        Raises:
            ValueError: the event is not an HTTP request of a kind that fleece knows.
            RuntimeError: an event loop is running in this thread.
        """
        _loop.require_no_running_loop()
        return answer_event(event, lambda request: self._respond(request, event), self._log, base_path)

    def run(self, port: int = 8080, *, host: str = "127.0.0.1", **options: Any) -> None:
        """Serve the application over HTTP until interrupted, the way that Lambda would: one request at a time.

        Args:
            port: the TCP port.
            host: the address to bind; only this machine can reach the default one.
            options: of Werkzeug's `run_simple` (`use_reloader`, `ssl_context`, ...).
        """
        from fleece.handlers.connexion._server import serve  # noqa: PLC0415 (Lambda never needs it)

        serve(lambda request: attempt(self._respond, request, self._log), host, port, options)

    def _respond(self, request: Request, event: dict[str, Any] | None = None) -> Response:
        scope = scope_of(_with_content_type(request))
        scope["lambda.event"] = event
        is_first = self.connexion_app.middleware.middleware_stack is None
        # The first request makes connexion build itself, which two threads must not do at once.
        with self._building if is_first else nullcontext():
            return respond(self.connexion_app, scope, request.body, self._log)


def _flask_app(import_name: str, options: dict[str, Any]) -> Any:
    import flask  # noqa: PLC0415 (the other framework does without)
    from connexion import FlaskApp  # noqa: PLC0415
    from connexion.jsonifier import Jsonifier  # noqa: PLC0415

    options = {"resolver": lambda name: synchronous(get_function_from_name(name)), **options}
    # Connexion's default is indented for human eyes; every byte here is paid for.
    app = FlaskApp(import_name, jsonifier=Jsonifier(flask.json, separators=(",", ":")), **options)
    bridge = app.middleware.app
    bridge.asgi_app = InlineWSGI(bridge.app.wsgi_app, otherwise=bridge.asgi_app)
    return app


_FRAMEWORKS = {"flask": _flask_app, "async": async_app}


def _with_content_type(request: Request) -> Request:
    if not request.body or "content-type" in request.headers:
        return request
    return request._replace(headers=request.headers.with_value("content-type", "application/json"))


def _decoded(response: Response) -> Any:
    if not response.body:
        return None
    if _JSON.match(response.header("content-type")):
        with suppress(ValueError):
            return json.loads(response.body)
    return response.body.decode("utf-8", "replace")


def _message(answer: Any) -> str:
    """Return what the body of a client's error says of it."""
    if isinstance(answer, dict):
        error = answer.get("error")
        message = error.get("message") if isinstance(error, dict) else None
        message = message or answer.get("detail")
        if isinstance(message, str):
            return message
    return "Client Error"
