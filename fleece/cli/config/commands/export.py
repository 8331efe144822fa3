"""``fleece config export``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleece.cli import _streams
from fleece.cli.config.arguments import any_key_option, opened_stage_option
from fleece.cli.config.settings import pass_settings

if TYPE_CHECKING:
    from fleece.cli.config.settings import Settings


@click.command
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of YAML.")
@opened_stage_option
@any_key_option
@pass_settings
def command(settings: Settings, as_json: bool, stage: str | None, any_key: bool) -> None:
    """Write the configuration to stdout with its secrets decrypted, for people to edit.

    \b
    fleece config export > open.yml
    fleece config export --stage dev --json
    """  # noqa: D301
    _streams.write(settings.workspace(any_key=any_key).export(stage, as_json=as_json))
