"""A debug call that the level filters out: what it costs to leave such calls in a program."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from harness.model import Contestant, Evidence, Loop, Ratio, Row
from harness.peers import FLEECE, FLEECE_1_2_1, POWERTOOLS

if TYPE_CHECKING:
    from collections.abc import Callable


def fleece() -> Callable[[int], None]:
    from fleece.log import get_logger, setup_root_logger

    setup_root_logger(level=logging.INFO)
    logger = get_logger("orders", level=logging.INFO)

    def debug(times: int) -> None:
        for _ in range(times):
            logger.debug("order placed", customer="c-1234", items=17)

    return debug


def powertools() -> Callable[[int], None]:
    from aws_lambda_powertools import Logger

    logger = Logger(service="orders", level="INFO")

    def debug(times: int) -> None:
        for _ in range(times):
            logger.debug("order placed", customer="c-1234", items=17)

    return debug


def check(evidence: Evidence) -> None:
    """Require that nothing was written."""
    assert not evidence.output


ROW = Row(
    work="a debug call with two fields that is filtered out",
    contestants=(
        Contestant("fleece", FLEECE, Loop(fleece), check=check),
        Contestant("powertools", POWERTOOLS, Loop(powertools), check=check),
        Contestant("fleece 1.2.1", FLEECE_1_2_1, Loop(fleece), check=check),
    ),
    bars=(Ratio("fleece", "powertools", 0.3), Ratio("fleece", "fleece 1.2.1")),
)
