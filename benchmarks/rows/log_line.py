"""A JSON log line with two fields.

Each logger is made as its documentation says for Lambda, writes to standard output, and is given the same event and the
same two fields. What else is in the line is each one's own default. The last contestant writes fleece's line, made
beforehand as a dict, with the standard library alone: the least that such a line can cost.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING

from harness.model import Contestant, Evidence, Loop, Ratio, Row
from harness.peers import FLEECE, FLEECE_1_2_1, POWERTOOLS

if TYPE_CHECKING:
    from collections.abc import Callable

LINE = {
    "event": "order placed",
    "level": "info",
    "logger": "orders",
    "timestamp": "2026-11-22T10:42:00.123456Z",
    "customer": "c-1234",
    "items": 17,
}


def fleece() -> Callable[[int], None]:
    from fleece.log import get_logger, setup_root_logger

    setup_root_logger(level=logging.INFO)
    logger = get_logger("orders")

    def log(times: int) -> None:
        for _ in range(times):
            logger.info("order placed", customer="c-1234", items=17)

    return log


def powertools() -> Callable[[int], None]:
    from aws_lambda_powertools import Logger

    logger = Logger(service="orders")

    def log(times: int) -> None:
        for _ in range(times):
            logger.info("order placed", customer="c-1234", items=17)

    return log


def json_dumps() -> Callable[[int], None]:
    stream = sys.stdout

    def log(times: int) -> None:
        for _ in range(times):
            stream.write(json.dumps(LINE) + "\n")
            stream.flush()

    return log


def check(evidence: Evidence) -> None:
    """Require that each call wrote one line, with both fields."""
    lines = [json.loads(line) for line in evidence.output.splitlines()]
    assert len(lines) == evidence.calls
    assert all(line["customer"] == "c-1234" and line["items"] == 17 for line in lines)


ROW = Row(
    work="a JSON log line with two fields",
    contestants=(
        Contestant("fleece", FLEECE, Loop(fleece), check=check),
        Contestant("fleece 1.2.1", FLEECE_1_2_1, Loop(fleece), check=check),
        Contestant("powertools", POWERTOOLS, Loop(powertools), check=check),
        Contestant("json.dumps, write, flush", FLEECE, Loop(json_dumps), check=check),
    ),
    bars=(
        Ratio("fleece", "fleece 1.2.1", 0.6),
        Ratio("fleece", "powertools", 0.35),
        Ratio("fleece", "json.dumps, write, flush", 3),
    ),
)
