"""The options of ``fleece config``.

What the sub-commands do is imported when one is run: their help comes without it.
"""

from __future__ import annotations

import dataclasses
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleece.cli import _streams, options
from fleece.cli.group import HelpfulGroup

if TYPE_CHECKING:
    from fleece.cli.config.actions import Actions
    from fleece.cli.credentials import Resolver

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class _Settings:
    """What every sub-command works with."""

    config: Path
    environments: Path
    resolver: Resolver

    def actions(self, *, any_key: bool) -> Actions:
        """Import what the sub-commands do, and make it ready."""
        from fleece.cli.config.actions import Actions  # noqa: PLC0415

        return Actions(self.config, self.environments, self.resolver, any_key=any_key)


_settings = click.make_pass_decorator(_Settings)
_any_key = click.option("--any-key", is_flag=True, help="Decrypt what another key than the stage's has encrypted, too.")


@click.group(cls=HelpfulGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-c",
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default="config.yml",
    show_default=True,
    help="File with the configuration, secrets encrypted.",
)
@click.option(
    "-e",
    "--environments",
    type=click.Path(dir_okay=False, path_type=Path),
    default=options.DEFAULT_ENVIRONMENTS,
    show_default=True,
    help="File with the environments that the stages are in.",
)
@options.credential_options
@click.pass_context
def command(ctx: click.Context, config: Path, environments: Path, resolver: Resolver) -> None:
    """Keep a service's configuration, secrets included, in source control.

    \b
    fleece config export > open.yml
    fleece config import < open.yml
    fleece config render prod
    fleece config render prod --parameter-store /service/prod
    """  # noqa: D301 (click's mark for "keep these lines as they are")
    ctx.obj = _Settings(config, environments, resolver)


@command.command("import", short_help="Encrypt an open configuration from stdin.")
@click.option("--reencrypt", is_flag=True, help="Encrypt every secret anew, to change to a new key for instance.")
@click.option("--stage", metavar="STAGE", help="With --reencrypt: only the secrets of this stage.")
@_any_key
@_settings
def import_(settings: _Settings, reencrypt: bool, stage: str | None, any_key: bool) -> None:
    """Read an open configuration from stdin, YAML or JSON, and write it with its secrets encrypted.

    \b
    fleece config import < open.yml

    A secret that has not changed keeps its ciphertext. Nothing is written if anything is wrong.
    """  # noqa: D301
    if stage is not None and not reencrypt:
        raise click.UsageError("--stage goes with --reencrypt.")
    if sys.stdin.isatty():
        _log.info("reading the open configuration from the terminal; Ctrl-D ends it")
    settings.actions(any_key=any_key).import_(_streams.read(), reencrypt=reencrypt, stage=stage)


@command.command(short_help="Write it with its secrets in clear.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON in place of YAML.")
@click.option("--stage", metavar="STAGE", help="Open the secrets of this stage only; others stay encrypted.")
@_any_key
@_settings
def export(settings: _Settings, as_json: bool, stage: str | None, any_key: bool) -> None:
    """Write the configuration to stdout with its secrets in clear, for people to edit.

    \b
    fleece config export > open.yml
    fleece config export --stage dev --json
    """  # noqa: D301
    _streams.write(settings.actions(any_key=any_key).export(stage, as_json=as_json))


@command.command("render", short_help="Write the values of one stage.")
@click.option("-e", "--environment", metavar="NAME", help="Use this environment's account, not that of the stage.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON in place of YAML.")
@click.option("--encrypt", is_flag=True, help="Write a JSON list of ciphertexts, which joined are the JSON.")
@click.option("--python", "as_python", is_flag=True, help="Write a Python module that decrypts itself.")
@click.option("--parameter-store", "prefix", metavar="PREFIX", help="Write to Parameter Store, below this name.")
@click.option("--ssm-kms-key", metavar="KEY", help="KMS key for the parameters: id, ARN or alias.")
@click.option("--dry-run", is_flag=True, help="With --parameter-store: only show what would be written.")
@_any_key
@click.argument("stage")
@_settings
def render_(
    settings: _Settings,
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
    if sum((encrypt, as_python, prefix is not None)) > 1 or (as_json and (as_python or prefix is not None)):
        raise click.UsageError("Give one of --json, --encrypt, --python and --parameter-store.")
    if prefix is None and (dry_run or ssm_kms_key is not None):
        raise click.UsageError("--dry-run and --ssm-kms-key go with --parameter-store.")
    actions = settings.actions(any_key=any_key)
    if prefix is not None:
        _streams.write(actions.upload(stage, environment, prefix, ssm_kms_key, dry_run=dry_run))
        return
    form = "python" if as_python else "encrypt" if encrypt else "json" if as_json else "yaml"
    _streams.write(actions.render(stage, environment, form=form))
