"""``import fleece.requests`` beside ``import requests``, in one environment: what the wrapper adds to what it wraps."""

from __future__ import annotations

from harness.model import Contestant, Ratio, Row, Statement
from harness.peers import FLEECE

ROW = Row(
    work="import of requests",
    rounds=21,
    contestants=(
        Contestant("fleece.requests", FLEECE, Statement("import fleece.requests")),
        Contestant("requests", FLEECE, Statement("import requests")),
    ),
    bars=(Ratio("fleece.requests", "requests", 1.05),),
)
