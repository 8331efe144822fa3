"""A traced call of a trace that is not sampled: what tracing costs the many invocations that nobody looks at.

The same call as in `traced_call`, with ``Sampled=0`` in the header; a plain call beside it. The microsecond of the bar
is asked of Python 3.12 and later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model import Contestant, Extra, Loop, Ratio, Row
from harness.peers import FLEECE, XRAY_SDK
from rows.traced_call import SAMPLED, WITHOUT_ARGUMENTS, fleece, plain, xray_sdk
from services.xray_daemon import xray_daemon

if TYPE_CHECKING:
    from harness.model import Evidence

NOT_SAMPLED = {**SAMPLED, "_X_AMZN_TRACE_ID": SAMPLED["_X_AMZN_TRACE_ID"].replace("Sampled=1", "Sampled=0")}


def check(evidence: Evidence) -> None:
    """Require that nothing was sent."""
    assert not evidence.received


ROW = Row(
    work="a traced call, not sampled",
    stage=xray_daemon,
    contestants=(
        Contestant("fleece", FLEECE, Loop(fleece), NOT_SAMPLED, check),
        Contestant("fleece, skip_args", FLEECE, WITHOUT_ARGUMENTS, NOT_SAMPLED, check),
        Contestant("aws-xray-sdk", XRAY_SDK, Loop(xray_sdk), NOT_SAMPLED, check),
        Contestant("plain call", FLEECE, Loop(plain), NOT_SAMPLED, check),
    ),
    bars=(
        Ratio("fleece", "aws-xray-sdk", 0.05),
        Extra("fleece", "plain call", 1e-6),
        Extra("fleece, skip_args", "plain call"),
    ),
)
