"""``fleece config diff``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleece.cli import _streams
from fleece.cli.config.arguments import any_key_option, environment_option, stage_argument
from fleece.cli.config.settings import pass_settings
from fleece.cli.errors import FAILURE_CODE

if TYPE_CHECKING:
    from fleece.cli.config.settings import Settings

_DIFFERENT, _FAILED = 1, 2  # as of diff, cmp and grep


@click.command
@click.option(
    "--parameter-store", "prefix", metavar="PREFIX", required=True, help="Compare with what is below this name."
)
@environment_option
@click.option("--ssm-kms-key", metavar="KEY", help="KMS key of the parameters: id, ARN or alias.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON document.")
@any_key_option
@stage_argument
@pass_settings
@click.pass_context
def command(
    ctx: click.Context,
    settings: Settings,
    prefix: str,
    environment: str | None,
    ssm_kms_key: str | None,
    as_json: bool,
    any_key: bool,
    stage: str,
) -> int:
    """Show what differs between one stage and Parameter Store, without the values.

    \b
    fleece config diff prod --parameter-store /service/prod
    fleece config diff prod --parameter-store /service/prod --json

    The exit code is 0 if nothing differs, 1 if something does, and 2 if the comparison could not be completed.
    """  # noqa: D301
    from fleece.cli.config.diff import diff  # noqa: PLC0415 (help needs none)
    from fleece.cli.config.upload import Target  # noqa: PLC0415

    ctx.meta[FAILURE_CODE] = _FAILED
    found = diff(settings.workspace(any_key=any_key), Target(stage, prefix, environment, ssm_kms_key))
    output = found.as_json() if as_json else found.plan.lines()
    _streams.write(output.encode(errors="backslashreplace"))  # the name of a stage need be no text
    return 0 if found.is_none else _DIFFERENT
