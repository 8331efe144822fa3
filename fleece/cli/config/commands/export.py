"""``fleece config export``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleece.cli import _streams
from fleece.cli.config.completion import complete_stages
from fleece.cli.config.settings import any_key as any_key_option, pass_settings

if TYPE_CHECKING:
    from fleece.cli.config.settings import Settings


@click.command
@click.option("--json", "as_json", is_flag=True, help="Write JSON in place of YAML.")
@click.option(
    "--stage",
    metavar="STAGE",
    shell_complete=complete_stages,
    help="Open the secrets of this stage only; others stay encrypted.",
)
@any_key_option
@pass_settings
def command(settings: Settings, as_json: bool, stage: str | None, any_key: bool) -> None:
    """Write the configuration to stdout with its secrets in clear, for people to edit.

    \b
    fleece config export > open.yml
    fleece config export --stage dev --json
    """  # noqa: D301
    _streams.write(settings.workspace(any_key=any_key).export(stage, as_json=as_json))
