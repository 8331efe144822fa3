"""A traced call that is sampled: a function of one argument that does nothing but return it.

Everybody traces as in Lambda: the trace's header and the daemon's address come from the environment, and somebody reads
the daemon's socket. The bars are for what each tool does by default. fleece then records the arguments and sends two
documents (one when the call begins, so that a function that times out still shows where); the SDK records no arguments
and sends one document. The variants without arguments are there to compare like with like.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.model import Contestant, Evidence, Loop, Ratio, Row
from harness.peers import FLEECE, FLEECE_1_2_1, XRAY_SDK
from services.xray_daemon import xray_daemon

if TYPE_CHECKING:
    from collections.abc import Callable

TRACE_ID = "1-5759e988-bd862e3fe1be46a994272793"
SAMPLED = {
    # The SDK does as in Lambda only where this one is set, as it is in Lambda.
    "LAMBDA_TASK_ROOT": "/var/task",
    "_X_AMZN_TRACE_ID": f"Root={TRACE_ID};Parent=53995c3f42cd8ad8;Sampled=1",
}
ONE_DOCUMENT = {**SAMPLED, "FLEECE_XRAY_IN_PROGRESS": "0"}


def place_order(order: int) -> int:
    return order


def repeat(function: Callable[[int], int]) -> Callable[[int], None]:
    def call(times: int) -> None:
        for _ in range(times):
            function(1)

    return call


def fleece(*, skip_args: bool = False) -> Callable[[int], None]:
    from fleece import xray

    return repeat(xray.trace_xray_subsegment(skip_args=skip_args)(place_order))


def xray_sdk() -> Callable[[int], None]:
    from aws_xray_sdk.core import xray_recorder

    return repeat(xray_recorder.capture("place_order")(place_order))


def plain() -> Callable[[int], None]:
    return repeat(place_order)


def documents(evidence: Evidence) -> list[dict[str, Any]]:
    """Return the documents of a rehearsal, each a subsegment of the trace."""
    found = [json.loads(datagram.partition(b"\n")[2]) for datagram in evidence.received]
    assert all(one["trace_id"] == TRACE_ID and one["type"] == "subsegment" for one in found)
    return found


def check(begun: int, evidence: Evidence) -> None:
    """Require a document for the end of each call, and `begun` for its beginning."""
    found = documents(evidence)
    assert len([one for one in found if "end_time" in one]) == evidence.calls
    assert len([one for one in found if one.get("in_progress")]) == begun * evidence.calls


def check_1_2_1(evidence: Evidence) -> None:
    """Require two datagrams for each call; their headers are ones that the daemon does not take."""
    assert len(evidence.received) == 2 * evidence.calls


WITHOUT_ARGUMENTS = Loop(partial(fleece, skip_args=True))

ROW = Row(
    work="a traced call, sampled",
    stage=xray_daemon,
    contestants=(
        Contestant("fleece", FLEECE, Loop(fleece), SAMPLED, partial(check, 1)),
        Contestant("fleece, skip_args", FLEECE, WITHOUT_ARGUMENTS, SAMPLED, partial(check, 1)),
        Contestant("fleece, one document", FLEECE, Loop(fleece), ONE_DOCUMENT, partial(check, 0)),
        Contestant("fleece, one document, skip_args", FLEECE, WITHOUT_ARGUMENTS, ONE_DOCUMENT, partial(check, 0)),
        Contestant("aws-xray-sdk", XRAY_SDK, Loop(xray_sdk), SAMPLED, partial(check, 0)),
        Contestant("fleece 1.2.1", FLEECE_1_2_1, Loop(fleece), SAMPLED, check_1_2_1),
        Contestant("fleece 1.2.1, skip_args", FLEECE_1_2_1, WITHOUT_ARGUMENTS, SAMPLED, check_1_2_1),
        Contestant("plain call", FLEECE, Loop(plain)),
    ),
    bars=(
        Ratio("fleece", "aws-xray-sdk", 0.5),
        Ratio("fleece, one document", "aws-xray-sdk", 0.35),
        Ratio("fleece", "fleece 1.2.1", 0.3),
        Ratio("fleece, skip_args", "aws-xray-sdk"),
        Ratio("fleece, one document, skip_args", "aws-xray-sdk"),
        Ratio("fleece, skip_args", "fleece 1.2.1, skip_args"),
    ),
)
