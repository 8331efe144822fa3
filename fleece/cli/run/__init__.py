"""``fleece run``: a command with the AWS credentials of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run ``fleece run`` with these arguments (by default the process's), and end with its exit code."""
    import sys  # noqa: PLC0415

    from fleece.cli.main import main as fleece  # noqa: PLC0415 (the command line imports this package)

    fleece(["run", *(sys.argv[1:] if argv is None else argv)])
