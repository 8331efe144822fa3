"""``fleece build``: a Lambda package from a service's source and requirements.

`plan` is pure: what is installed, with what key, what goes into the zip. `builder` carries it out with an installer
(`docker`, or `wheels` without it), the `cache` and `package`, which writes the zip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``fleece build`` with these arguments.

    Args:
        argv: what would follow ``fleece build``: ``["--no-docker", "."]``; those of the process when not given.

    Raises:
        SystemExit: with the exit code, when it did not work; why is on stderr.
    """
    from fleece.cli.main import run_part  # noqa: PLC0415 (the installers' modules do without)

    run_part("build", argv)
