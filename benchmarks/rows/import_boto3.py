"""``import fleece.boto3`` beside ``import boto3``, in one environment: what the wrapper adds to what it wraps."""

from __future__ import annotations

from harness.model import Contestant, Ratio, Row, Statement
from harness.peers import FLEECE

ROW = Row(
    work="import of boto3",
    rounds=21,
    contestants=(
        Contestant("fleece.boto3", FLEECE, Statement("import fleece.boto3")),
        Contestant("boto3", FLEECE, Statement("import boto3")),
    ),
    bars=(Ratio("fleece.boto3", "boto3", 1.05),),
)
