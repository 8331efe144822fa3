"""The ``fleece-local`` command."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

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
    r"""Run Lambda services on this machine, with no account and no network.

    \b
    fleece-local demo        the example service from configuration to trace
    """


@main.command()
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
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
    # Here, because it brings moto and all else that the stubs stand on.
    from fleece_testing.local.demo import run_demo  # noqa: PLC0415

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH_WITHOUT_TERMINAL
    with tempfile.TemporaryDirectory(prefix="fleece-demo-") as work:
        code = run_demo(console, folder.resolve(), Path(work).resolve(), wheels and wheels.resolve())
    sys.exit(code)
