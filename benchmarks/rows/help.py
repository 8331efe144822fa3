"""``fleece --help`` and ``fleece config --help`` beside an interpreter that imports click and does nothing with it.

The CPU time of whole processes: what a person waits for before the first word.
"""

from __future__ import annotations

from harness.model import Command, Contestant, Evidence, Ratio, Row
from harness.peers import FLEECE_CLI


def check(evidence: Evidence) -> None:
    """Require that the help was printed."""
    assert evidence.output.startswith(b"Usage: fleece")


ROW = Row(
    work="help of the command line",
    rounds=21,
    contestants=(
        Contestant("fleece --help", FLEECE_CLI, Command(("fleece", "--help")), check=check),
        Contestant("fleece config --help", FLEECE_CLI, Command(("fleece", "config", "--help")), check=check),
        Contestant("import click", FLEECE_CLI, Command(("python", "-c", "import click"))),
    ),
    bars=(
        Ratio("fleece --help", "import click", 1.6),
        Ratio("fleece config --help", "import click", 1.6),
    ),
)
