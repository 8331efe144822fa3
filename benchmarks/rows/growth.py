"""Ten times the work, in at most eleven times the time: fleece beside itself.

A line with 10 fields, and with 100; a traced call that makes 10 traced calls, and 100; 100 REST events answered in a
row, and 1,000. (Not 100 calls within one another: deep recursion by itself outgrows the processor's caches.)
"""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from apps.events import rest
from harness.model import Contestant, Evidence, Loop, Ratio, Row
from harness.peers import FLEECE
from rows.traced_call import SAMPLED, documents, place_order
from services.xray_daemon import xray_daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def log_fields(count: int) -> Callable[[int], None]:
    from fleece.log import get_logger

    logger = get_logger("orders", level=logging.INFO)
    fields: dict[str, Any] = {f"field_{number}": f"value {number}" for number in range(count)}

    def log(times: int) -> None:
        for _ in range(times):
            logger.info("order placed", **fields)

    return log


def calls(count: int) -> Callable[[int], None]:
    from fleece import xray

    inner = xray.trace_xray_subsegment()(place_order)

    @xray.trace_xray_subsegment()
    def outer() -> None:
        for order in range(count):
            inner(order)

    def call(times: int) -> None:
        for _ in range(times):
            outer()

    return call


def events(count: int) -> Callable[[int], None]:
    from fleece.handlers.wsgi import wsgi_handler

    event = rest("GET", "/orders/17", {"expand": "items"})

    def app(_environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]

    def handle(times: int) -> None:
        for _ in range(count * times):
            answer = wsgi_handler(event, None, app)
            assert answer["statusCode"] == 200

    return handle


def check_fields(count: int, evidence: Evidence) -> None:
    """Require that each line has all the fields."""
    lines = [json.loads(line) for line in evidence.output.splitlines()]
    assert len(lines) == evidence.calls
    assert all(f"field_{count - 1}" in line for line in lines)


def check_calls(count: int, evidence: Evidence) -> None:
    """Require the documents of one whole trace, at least: a burst of datagrams may lose some."""
    assert len([one for one in documents(evidence) if "end_time" in one]) >= count


ROW = Row(
    work="ten times the work",
    stage=xray_daemon,
    contestants=(
        Contestant("10 fields", FLEECE, Loop(partial(log_fields, 10)), check=partial(check_fields, 10)),
        Contestant("100 fields", FLEECE, Loop(partial(log_fields, 100)), check=partial(check_fields, 100)),
        Contestant("10 calls", FLEECE, Loop(partial(calls, 10)), SAMPLED, partial(check_calls, 10)),
        Contestant("100 calls", FLEECE, Loop(partial(calls, 100)), SAMPLED, partial(check_calls, 100)),
        Contestant("100 events", FLEECE, Loop(partial(events, 100))),
        Contestant("1,000 events", FLEECE, Loop(partial(events, 1000))),
    ),
    bars=(
        Ratio("100 fields", "10 fields", 11),
        Ratio("100 calls", "10 calls", 11),
        Ratio("1,000 events", "100 events", 11),
    ),
)
