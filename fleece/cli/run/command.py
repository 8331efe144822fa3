"""The options of ``fleece run``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleece.cli import _streams, aws, environments, options
from fleece.cli.errors import FAILURE_CODE, RUN_FAILED
from fleece.cli.run import process, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fleece.cli.credentials import Resolver
    from fleece.cli.environments import Environment

_PUT_DASHES = "put -- before the command, as in: fleece run -e dev -- aws s3 ls"


class RunCommand(click.Command):
    """A command line in which everything after ``--`` is somebody else's.

    Its callback gets ``words``, and ``exact``: whether they are a program and its arguments, rather than text for the
    shell.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take fleece's options, and leave alone what is not fleece's."""
        own, dashes, words = _partition(args)
        try:
            rest = super().parse_args(ctx, own.copy())  # click empties the list
        except click.NoSuchOption as error:
            hint = f" If it is the command's, {_PUT_DASHES}" if not dashes else ""
            raise click.UsageError(f"{error.format_message()}{hint}", ctx) from error
        given: tuple[str, ...] = ctx.params["words"] or ()
        if dashes and given:
            raise click.UsageError(f"Unexpected {given[0]!r} before --: {_PUT_DASHES}", ctx)
        # `fleece run aws s3 ls -r`: nobody can tell whose option that is.
        if len(given) > 1 and tuple(own[-len(given) :]) != given:
            raise click.UsageError(f"Options among the words of a command: {_PUT_DASHES}", ctx)
        # The shell would be content with nothing, where a variable was meant that is not set.
        if not dashes and given and not any(map(str.strip, given)):
            raise click.UsageError("The command to run is empty.", ctx)
        ctx.params["words"] = tuple(words) if dashes else given
        ctx.params["exact"] = dashes or len(given) > 1
        return rest


def _partition(args: list[str]) -> tuple[list[str], bool, list[str]]:
    if "--" not in args:
        return args, False, []
    at = args.index("--")
    return args[:at], True, args[at + 1 :]


@click.command(cls=RunCommand)
@click.option(
    "-c",
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=options.DEFAULT_ENVIRONMENTS,
    show_default=True,
    help="File with the environments.",
)
@click.option("-a", "--account", metavar="NUMBER", help="AWS account, 12 digits.")
@click.option("-e", "--environment", metavar="NAME", shell_complete=options.complete_environments, help="Environment.")
@click.option(
    "-s", "--stage", metavar="NAME", shell_complete=options.complete_stages, help="Stage, to use its environment."
)
@click.option("-r", "--role", metavar="ROLE", help="Role to assume in the account: a name or an ARN.")
@options.credential_options
@click.option(
    "--export",
    type=click.Choice(["env", "json", "powershell"]),
    help="Print the variables instead of running a command.",
)
@click.option("--credential-process", is_flag=True, help="Print credentials for AWS's credential_process; ask nothing.")
@click.argument(
    "words", nargs=-1, type=click.UNPROCESSED, metavar="[--] COMMAND...", shell_complete=options.complete_files
)
@click.pass_context
def command(
    ctx: click.Context,
    config: Path,
    account: str | None,
    environment: str | None,
    stage: str | None,
    role: str | None,
    resolver: Resolver,
    export: str | None,
    credential_process: bool,
    words: tuple[str, ...],
    exact: bool,
) -> int | None:
    """Run a command with the AWS credentials of an account.

    \b
    fleece run -e staging -- aws s3 ls
    fleece run -a 123456789012 -r Deploy -- terraform apply
    fleece run -e staging 'aws s3 ls | head'
    eval "$(fleece run -e staging --export env)"

    After --, the command and its arguments are run as they are. A command that is one word, without --, is run by the
    shell. The exit code is the command's own; 125 means that fleece itself failed.
    """  # noqa: D301 (click's mark for "keep these lines as they are")
    prints = export is not None or credential_process
    if not prints:
        ctx.meta[FAILURE_CODE] = RUN_FAILED
    if prints == bool(words) or (export is not None and credential_process):
        raise click.UsageError("Give one of COMMAND, --export and --credential-process.", ctx)
    known, target = _target(ctx, config, account, environment, stage, role)
    credentials = resolver.resolve(target, role=role)
    if credential_process:
        _streams.write(f"{json.dumps({'Version': 1, **credentials.document()})}\n".encode())
        return None
    given = variables.given(credentials, aws.region_of(target), target.endpoint_url)
    if export is not None:
        _streams.write(f"{variables.exported(given, export, unset=variables.others(os.environ))}\n".encode())
        return None
    key_names = [one.rs_apikey_var for one in known if one.rs_apikey_var]
    arguments = words if exact else process.shell(words[0])
    kept = variables.without_others(process.inherited(), key_names, resolver.api_keys)
    return process.execute(arguments, kept | given)


def _target(
    ctx: click.Context,
    config: Path,
    account: str | None,
    environment: str | None,
    stage: str | None,
    role: str | None,
) -> tuple[Iterable[Environment], Environment]:
    """Return the environments of the file, if it is needed, and the one that the options mean."""
    given = [option for option in ("account", "environment", "stage") if ctx.params[option] is not None]
    if len(given) > 1:
        raise click.UsageError(f"--{given[0]} cannot be used with --{given[1]}.", ctx)
    if environment is not None and role is not None:
        raise click.UsageError(
            "--environment cannot be used with --role: the environment's own 'role' is assumed.", ctx
        )
    if role is not None:
        _check(ctx, "--role", role, environments.role_problem)
    if account is not None:
        _check(ctx, "--account", account, environments.account_problem)
        return (), environments.Environment(account, account)
    if environment is None and stage is None:
        raise click.UsageError("Give one of --account, --environment and --stage.", ctx)
    known = environments.load(config)
    target = known[environment] if environment is not None else known.of_stage(stage or "")
    return known.environments.values(), target


def _check(ctx: click.Context, option: str, text: str, problem_of: Callable[[str], str | None]) -> None:
    problem = problem_of(text)
    if problem is not None:
        raise click.BadParameter(f"{text!r} {problem}.", ctx, param_hint=option)
