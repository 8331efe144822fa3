"""``import fleece.log``: the CPU time of the import, in an interpreter that has imported nothing else."""

from __future__ import annotations

from harness.model import Contestant, Ratio, Row, Statement
from harness.peers import FLEECE, FLEECE_1_2_1, POWERTOOLS

ROW = Row(
    work="import of the logger",
    rounds=21,
    contestants=(
        Contestant("fleece", FLEECE, Statement("import fleece.log")),
        Contestant("powertools", POWERTOOLS, Statement("from aws_lambda_powertools import Logger")),
        Contestant("fleece 1.2.1", FLEECE_1_2_1, Statement("import fleece.log")),
    ),
    bars=(Ratio("fleece", "powertools", 0.6), Ratio("fleece", "fleece 1.2.1")),
)
