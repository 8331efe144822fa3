"""``import fleece.xray`` beside ``import aws_xray_sdk.core``.

Where LAMBDA_TASK_ROOT is set, as in Lambda, the SDK leaves a part of its own import out. Both ways are measured, and
the bar is asked of both.
"""

from __future__ import annotations

from harness.model import Contestant, Ratio, Row, Statement
from harness.peers import FLEECE, FLEECE_1_2_1, XRAY_SDK

OURS = Statement("import fleece.xray")
THEIRS = Statement("import aws_xray_sdk.core")
LAMBDA = {"LAMBDA_TASK_ROOT": "/var/task"}

ROW = Row(
    work="import of the tracer",
    rounds=21,
    contestants=(
        Contestant("fleece", FLEECE, OURS),
        Contestant("aws-xray-sdk", XRAY_SDK, THEIRS),
        Contestant("fleece, in Lambda", FLEECE, OURS, LAMBDA),
        Contestant("aws-xray-sdk, in Lambda", XRAY_SDK, THEIRS, LAMBDA),
        Contestant("fleece 1.2.1", FLEECE_1_2_1, OURS),
    ),
    bars=(
        Ratio("fleece", "aws-xray-sdk", 0.15),
        Ratio("fleece, in Lambda", "aws-xray-sdk, in Lambda", 0.15),
        Ratio("fleece", "fleece 1.2.1"),
    ),
)
