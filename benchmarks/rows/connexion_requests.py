"""Validated requests through connexion 3, warm: fleece beside the same connexion application behind Mangum.

Both validate parameters, bodies and responses against the same specification of twenty operations. Mangum is told not
to run the application's lifespan around each request, which it does by default and which costs it more.
"""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from apps.events import rest
from apps.specification import specification
from harness.model import Contestant, Loop, Ratio, Row
from harness.peers import FLEECE_CONNEXION, MANGUM_CONNEXION

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = {"customer": "c-1234", "items": [{"product": "p-1", "quantity": 2}]}
EVENTS = {
    "GET": rest("GET", "/orders/17", {"expand": "items", "limit": "5"}),
    "POST": rest("POST", "/orders", body=BODY),
}
STATUS = {"GET": 200, "POST": 201}


class Application(NamedTuple):
    """A kind of connexion application."""

    name: str
    framework: Literal["flask", "async"]
    handlers: str
    bar: float


APPLICATIONS = (
    Application("Flask", "flask", "apps.orders", 0.65),
    Application("async app, def", "async", "apps.orders", 0.55),
    Application("async app, async def", "async", "apps.async_orders", 0.95),
)


def repeat(handler: Callable[[dict[str, Any]], dict[str, Any]], method: str) -> Callable[[int], None]:
    event = EVENTS[method]
    answer = handler(event)
    assert answer["statusCode"] == STATUS[method], answer
    assert json.loads(answer["body"])["id"] == 17

    def handle(times: int) -> None:
        for _ in range(times):
            handler(event)

    return handle


def fleece(application: Application, method: str) -> Callable[[int], None]:
    from fleece.connexion import call_proxy_api

    path = Path(tempfile.mkdtemp(dir="."), "openapi.json")
    path.write_text(json.dumps(specification(application.handlers)), encoding="utf-8")

    def handler(event: dict[str, Any]) -> dict[str, Any]:
        return call_proxy_api(event, "orders", path, None, framework=application.framework)

    return repeat(handler, method)


def mangum(application: Application, method: str) -> Callable[[int], None]:
    from connexion import AsyncApp, FlaskApp
    from mangum import Mangum

    app = {"flask": FlaskApp, "async": AsyncApp}[application.framework]("orders")
    app.add_api(specification(application.handlers), strict_validation=True, validate_responses=True)
    adapter = Mangum(app, lifespan="off")
    context: Any = None
    return repeat(lambda event: adapter(event, context), method)


ROW = Row(
    work="validated requests through connexion 3, warm",
    contestants=tuple(
        Contestant(f"{application.name}, {method}: {name}", environment, Loop(partial(work, application, method)))
        for application in APPLICATIONS
        for method in EVENTS
        for name, environment, work in (
            ("fleece", FLEECE_CONNEXION, fleece),
            ("mangum", MANGUM_CONNEXION, mangum),
        )
    ),
    bars=tuple(
        Ratio(f"{application.name}, {method}: fleece", f"{application.name}, {method}: mangum", application.bar)
        for application in APPLICATIONS
        for method in EVENTS
    ),
    rounds=7,
)
