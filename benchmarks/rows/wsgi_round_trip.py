"""A REST event in, a Flask application's answer out.

None of the adapters logs anything here: fleece writes two lines for each request where a logger takes them, and the
standard logger that it has by default does not. With fleece's own logger, which does, it is measured as well.

Those without a bar are information: serverless-wsgi, and mangum for those who serve WSGI through a2wsgi.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from apps.events import rest
from harness.model import Contestant, Environment, Loop, Ratio, Row

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT = rest("GET", "/orders/17", {"expand": "items"})


def repeat(handler: Callable[[dict[str, Any], Any], dict[str, Any]]) -> Callable[[int], None]:
    answer = handler(EVENT, None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"id": 17, "status": "shipped", "expand": "items"}

    def handle(times: int) -> None:
        for _ in range(times):
            handler(EVENT, None)

    return handle


def fleece() -> Callable[[int], None]:
    from apps.flask_orders import app
    from fleece.handlers.wsgi import wsgi_handler

    return repeat(lambda event, context: wsgi_handler(event, context, app, None))


def fleece_with_lines() -> Callable[[int], None]:
    from apps.flask_orders import app
    from fleece.handlers.wsgi import wsgi_handler
    from fleece.log import get_logger

    logger = get_logger("orders", level=logging.INFO)
    return repeat(lambda event, context: wsgi_handler(event, context, app, logger))


def apig_wsgi() -> Callable[[int], None]:
    from apig_wsgi import make_lambda_handler

    from apps.flask_orders import app

    return repeat(make_lambda_handler(app))


def serverless_wsgi() -> Callable[[int], None]:
    import serverless_wsgi

    from apps.flask_orders import app

    return repeat(lambda event, context: serverless_wsgi.handle_request(app, event, context))


def mangum_a2wsgi() -> Callable[[int], None]:
    from a2wsgi import WSGIMiddleware
    from mangum import Mangum

    from apps.flask_orders import app

    wsgi: Any = app
    asgi: Any = WSGIMiddleware(wsgi)
    return repeat(Mangum(asgi, lifespan="off"))


FLEECE = Environment("fleece-flask", ("{fleece}", "flask"))
APIG_WSGI = Environment("apig-wsgi", ("apig-wsgi", "flask"))
SERVERLESS_WSGI = Environment("serverless-wsgi", ("serverless-wsgi", "flask"))
MANGUM_A2WSGI = Environment("mangum-a2wsgi", ("mangum", "a2wsgi", "flask"))

ROW = Row(
    work="WSGI round trip of a REST event (Flask)",
    contestants=(
        Contestant("fleece", FLEECE, Loop(fleece)),
        Contestant("apig-wsgi", APIG_WSGI, Loop(apig_wsgi)),
        Contestant("fleece, two log lines", FLEECE, Loop(fleece_with_lines)),
        Contestant("serverless-wsgi", SERVERLESS_WSGI, Loop(serverless_wsgi)),
        Contestant("mangum, a2wsgi", MANGUM_A2WSGI, Loop(mangum_a2wsgi)),
    ),
    bars=(
        Ratio("fleece", "apig-wsgi", 0.9),
        Ratio("fleece, two log lines", "apig-wsgi"),
        Ratio("fleece", "serverless-wsgi"),
        Ratio("fleece", "mangum, a2wsgi"),
    ),
)
