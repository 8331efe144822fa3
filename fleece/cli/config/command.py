"""The options of ``fleece config``."""

from __future__ import annotations

import dataclasses
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleece.cli import options
from fleece.cli._files import write_atomically
from fleece.cli.config import closed, document, json_input, parameters, render
from fleece.cli.config.clients import Clients
from fleece.cli.config.keys import KMS
from fleece.cli.config.output import to_json, to_yaml
from fleece.cli.config.parameter_store import ParameterStore
from fleece.cli.config.source import Source
from fleece.cli.config.tree import as_data
from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from fleece.cli.config.document import Document
    from fleece.cli.config.render import Rendered
    from fleece.cli.credentials import Resolver

_log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class _Settings:
    """What every sub-command works with."""

    path: Path
    clients: Clients

    def content(self) -> bytes | None:
        """Return what is in the configuration file; None when there is no such file."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None

    def document(self) -> Document:
        """Read the configuration file."""
        content = self.content()
        if content is None:
            raise UsageError(f"{self.path}: no such file; make one with: fleece config import < open.yml")
        return document.parse(Source.decode(str(self.path), content))


_settings = click.make_pass_decorator(_Settings)
_any_key = click.option("--any-key", is_flag=True, help="Decrypt what another key than the stage's has encrypted, too.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
    ctx.obj = _Settings(config, Clients(environments, resolver))


@command.command("import")
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
    given = Source.decode("<stdin>", sys.stdin.buffer.read())
    before = settings.content()
    there = document.parse(Source.decode(str(settings.path), before)) if before and before.strip() else None
    opened = document.parse(_as_yaml(given, there))
    anew = [render.find_stage(opened, stage).name] if stage else list(opened.stages) if reencrypt else []
    content = closed.import_(opened, there, KMS(settings.clients.kms, any_key=any_key), reencrypt=anew).encode()
    if settings.content() != before:
        raise CommandError(f"{settings.path} has changed meanwhile, and is left as it is now; export and import again")
    if content != before:
        write_atomically(settings.path, content)


def _as_yaml(given: Source, there: Document | None) -> Source:
    """Return the input as YAML; JSON takes the form of the file that is there if only values differ."""
    data = json_input.load(given)
    if data is None:
        return given
    in_place = json_input.in_place(given, data, there) if there is not None else None
    if in_place is None and there is not None and json_input.has_comments(there):
        _log.warning("the JSON differs from %s in more than values: the comments there are lost", there.source.name)
    return in_place or json_input.as_yaml(given, data)


@command.command()
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
    there = settings.document()
    only = render.find_stage(there, stage) if stage is not None else None
    opened = closed.export(there, KMS(settings.clients.kms, any_key=any_key), only)
    if as_json:
        _write(to_json(as_data(document.parse(opened).root, lambda leaf: leaf.value)) + "\n")
    else:
        _write(opened.encode())


@command.command("render")
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
    keys = KMS(settings.clients.kms, any_key=any_key)
    rendered = render.render(settings.document(), stage, keys, environment=environment)
    if prefix is not None:
        _to_parameter_store(settings.clients, rendered, prefix, ssm_kms_key, dry_run=dry_run)
    elif as_python:
        _write(render.python_module(render.encrypted(rendered, keys)))
    elif encrypt:
        _write(to_json(render.encrypted(rendered, keys)) + "\n")
    else:
        _write(to_json(rendered.data()) + "\n" if as_json else to_yaml(rendered.data()))


def _to_parameter_store(
    clients: Clients, rendered: Rendered, prefix: str, ssm_kms_key: str | None, *, dry_run: bool
) -> None:
    wanted = parameters.parameters(rendered, prefix)
    environment = rendered.stage.environment
    store = ParameterStore(*(clients.client(name, environment, rendered.stage.key) for name in ("ssm", "kms")))
    key = store.key(ssm_kms_key)
    writes = parameters.plan(wanted, store.read([parameter.name for parameter in wanted]), key)
    if dry_run:
        _write("".join(f"{write.name} ({write.why})\n" for write in writes))
        return
    store.write(writes, key)
    _log.info("%d of %d parameters written, the others were as they should be", len(writes), len(wanted))


def _write(output: str | bytes) -> None:
    """Write to stdout, in UTF-8 whatever the terminal's encoding is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(output.encode() if isinstance(output, str) else output)
    sys.stdout.buffer.flush()
