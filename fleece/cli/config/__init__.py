"""``fleece config``: a service's configuration, with its secrets encrypted, in one file for source control.

`source`, `loader` and `text` know YAML and where things are written; `document` and `tree` what a configuration says;
`closed` goes from the open to the closed format and back; `render` and `parameters` make use of the values. Only
`keys`, `clients` and `parameter_store` talk to AWS. `workspace` is the file and what goes in and out of it; `command`
and `commands` have the options, stdin and stdout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``fleece config`` with these arguments.

    Args:
        argv: what would follow ``fleece config``: ``["render", "prod"]``; those of the process when not given.

    Raises:
        SystemExit: with the exit code, when it did not work; why is on stderr.
    """
    from fleece.cli.main import run_part  # noqa: PLC0415 (the modules below this one do without)

    run_part("config", argv)
