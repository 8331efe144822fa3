"""The ``fleece-local`` command."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

try:
    import click
    from rich.console import Console
except ImportError as missing:
    sys.exit(f"fleece-local needs the package {missing.name!r}: pip install 'fleece[testing]'")

import fleece

_WIDTH_WITHOUT_TERMINAL = 120


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(fleece.__version__, prog_name="fleece-local")
def main() -> None:
    """Run Lambda services on this machine, with no account and no network.

    \b
    fleece-local demo        the example service from configuration to trace
    """  # noqa: D301 (the \b is click's mark for lines to be kept)


@main.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default="localstack",
    show_default=True,
    help="The folder with the example service and its resources.yml, from a checkout of fleece.",
)
@click.option(
    "--wheels",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Build from this folder of wheels alone, with no package index.",
)
def demo(folder: Path, wheels: Path | None) -> None:
    """Take the example service through its life, and check each step.

    Exit code 0 only when every step did what it should.
    """
    if not (folder / "resources.yml").is_file():
        raise click.BadParameter(
            f"{str(folder)!r} has no resources.yml: run this in a checkout of fleece, or name its folder 'localstack'",
            param_hint="'--folder'",
        )
    # Here, because it brings moto and all else that the stubs stand on.
    from fleece_testing.local.demo import run_demo  # noqa: PLC0415

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_WITHOUT_TERMINAL
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    with tempfile.TemporaryDirectory(prefix="fleece-demo-") as work:
        code = run_demo(console, folder.resolve(), Path(work).resolve(), wheels and wheels.resolve())
    sys.exit(code)


def _end(number: int, _frame: object) -> NoReturn:
    """Let what was started and written go on the way out, whoever asks for the end."""
    sys.exit(128 + number)
