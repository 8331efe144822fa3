"""``fleece config render``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleece.cli import _streams
from fleece.cli.config.arguments import any_key_option, environment_option, stage_argument
from fleece.cli.config.settings import pass_settings

if TYPE_CHECKING:
    from fleece.cli.config.settings import Settings


@click.command
@environment_option
@click.option("--json", "as_json", is_flag=True, help="Write JSON instead of YAML.")
@click.option(
    "--encrypt", is_flag=True, help="Write a JSON list of ciphertexts; decrypted and joined, they are the JSON."
)
@click.option("--python", "as_python", is_flag=True, help="Write a Python module that decrypts itself.")
@click.option("--parameter-store", "prefix", metavar="PREFIX", help="Write to Parameter Store, below this name.")
@click.option("--ssm-kms-key", metavar="KEY", help="KMS key for the parameters: id, ARN or alias.")
@click.option("--dry-run", is_flag=True, help="With --parameter-store: only show what would be written.")
@any_key_option
@stage_argument
@pass_settings
def command(
    settings: Settings,
    environment: str | None,
    as_json: bool,
    encrypt: bool,
    as_python: bool,
    prefix: str | None,
    ssm_kms_key: str | None,
    dry_run: bool,
    any_key: bool,
    stage: str,
) -> None:
    """Write the values of one stage, decrypted, to stdout or to Parameter Store.

    \b
    fleece config render prod --json
    fleece config render prod --python > src/fleece_config.py
    fleece config render prod --parameter-store /service/prod --dry-run
    """  # noqa: D301
    asked = {"json": as_json, "encrypt": encrypt, "python": as_python, "parameters": prefix is not None}
    given = [form for form, is_asked in asked.items() if is_asked]
    if len(given) > 1 and given != ["json", "encrypt"]:  # a list of ciphertexts is JSON
        raise click.UsageError("Give only one of --json, --encrypt, --python and --parameter-store.")
    if prefix is None and (dry_run or ssm_kms_key is not None):
        raise click.UsageError("--dry-run and --ssm-kms-key go with --parameter-store.")
    from fleece.cli.config import forms, upload  # noqa: PLC0415 (help needs none)

    workspace = settings.workspace(any_key=any_key)
    if prefix is not None:
        target = upload.Target(stage, prefix, environment, ssm_kms_key)
        _streams.write(upload.upload(workspace, target, dry_run=dry_run).encode())
        return
    form = given[-1] if given else "yaml"
    _streams.write(forms.written(workspace, stage, environment, form=form))
