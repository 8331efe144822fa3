"""Options that several commands share, and what they are turned into."""

from __future__ import annotations

import functools
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

from fleece.cli import aws, environments, stages
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece.cli.credentials import Resolver
    from fleece.cli.credentials.cache import Store
    from fleece.cli.environments import Environments

    Function = TypeVar("Function", bound=Callable[..., Any])

_log = logging.getLogger(__name__)

_LONGEST_LINE = 1024  # bytes, with its end; Rackspace's API keys have 32

DEFAULT_ENVIRONMENTS = "./environments.yml"

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option("-u", "--username", metavar="NAME", help="Rackspace user name.  [default: $RS_USERNAME]"),
    click.option("--username-file", type=_FILE, help="File with the Rackspace user name."),
    click.option(
        "-k", "--apikey", metavar="KEY", help="Rackspace API key, which others can see here.  [default: $RS_API_KEY]"
    ),
    click.option("--apikey-file", type=_FILE, help="File with the Rackspace API key."),
    click.option("--role-session-name", metavar="NAME", help="Session name of an assumed role."),
    click.option("--no-input", is_flag=True, help="Never ask for a key or a passcode; fail instead."),
    click.option("--no-cache", is_flag=True, help="Neither read nor write cached tokens and credentials."),
)


def credential_options(function: Function) -> Function:
    """Add the options that choose AWS credentials to a command, which gets them as ``resolver``, a `Resolver`."""

    @functools.wraps(function)
    def command(*args: Any, **options: Any) -> Any:
        names = ("username", "username_file", "apikey", "apikey_file", "role_session_name", "no_input", "no_cache")
        given = {name: options.pop(name) for name in names}
        # Whoever called it reads a document, perhaps several at once, and cannot tell that there is a question.
        given["no_input"] |= options.get("credential_process", False)
        return function(*args, resolver=_resolver(**given), **options)

    for option in reversed(_OPTIONS):
        command = option(command)
    return command  # type: ignore[return-value]


def _resolver(
    username: str | None,
    username_file: Path | None,
    apikey: str | None,
    apikey_file: Path | None,
    role_session_name: str | None,
    no_input: bool,
    no_cache: bool,
) -> Resolver:
    login = (
        _given_or_in_file("--username", username, username_file, "a user name"),
        _given_or_in_file("--apikey", apikey, apikey_file, "an API key"),
    )
    if apikey is not None:
        _log.warning("other users of this machine can see --apikey: use --apikey-file, or set RS_API_KEY")
    problem = environments.session_name_problem(role_session_name) if role_session_name is not None else None
    if problem is not None:
        raise click.BadParameter(f"{role_session_name!r} {problem}.", param_hint="--role-session-name")
    aws.warn_about_endpoints()
    from fleece.cli.credentials import Login, Resolver  # noqa: PLC0415 (help needs none)

    return Resolver(
        Login(*login),
        role_session_name=role_session_name,
        ask=None if no_input or not _has_terminal() else _ask,
        store=None if no_cache else _store(),
    )


def _given_or_in_file(option: str, given: str | None, file: Path | None, what: str) -> str | None:
    """Return the value of an option, or the one line of the file that takes its place."""
    if given is not None and file is not None:
        raise click.UsageError(f"Give {option} or {option}-file, not both.")
    if file is None:
        return given
    try:
        return _line_in(file, what)
    except ValueError as error:
        raise click.BadParameter(f"{file} {error}.", param_hint=f"{option}-file") from None


def _line_in(path: Path, what: str) -> str:
    """Return what is alone in a file; raise a ValueError that says what the file is instead."""
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_LINE + 1)  # and no more: it might be /dev/zero
        line = content.decode().strip()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ValueError("is not text in UTF-8") from None
    if not line:
        raise ValueError("is empty")
    if len(content) > _LONGEST_LINE or not line.isprintable():
        raise ValueError(f"has more in it than {what}")
    return line


def _store() -> Store | None:
    from fleece.cli.credentials import DiskStore, default_folder  # noqa: PLC0415

    try:
        return DiskStore(default_folder())
    except RuntimeError:
        return None  # nobody's home, as in a container with a user id that has no name


def _has_terminal() -> bool:
    """Whether somebody can be asked: passwords are read from the terminal even when stdin is something else."""
    try:
        sys.stdin.fileno()
    except (OSError, ValueError):
        return False  # no file: a program that runs this command line in its own process, whose terminal is not ours
    if os.name != "posix":
        return sys.stdin.isatty()
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _ask(question: str, *, hidden: bool) -> str:
    if not hidden and not sys.stdin.isatty():
        return ""  # stdin is the command's data, not an answer
    answer: str = click.prompt(question, hide_input=hidden, err=True)
    return answer


def complete_environments(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the environments of the file that the options name, with their accounts."""
    known = _known(ctx)
    return [
        CompletionItem(name, help=environment.account)
        for name, environment in (known.environments.items() if known else ())
        if name.startswith(incomplete)
    ]


def complete_stages(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the stages of the file that the options name, but for those that are expressions."""
    known = _known(ctx)
    return [
        CompletionItem(name)
        for name in (known.stages if known else ())
        if name.startswith(incomplete) and not stages.is_expression(name)
    ]


def complete_files(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell to offer the names of files."""
    return [CompletionItem(incomplete, type="file")]


def _known(ctx: click.Context) -> Environments | None:
    """Return what the environments file says; None when it cannot be read, as a shell has no use for the reason."""
    # A sub-command of `fleece config` finds them among the options of the group.
    named = ctx.params.get("environments") or ctx.params.get("config")
    path = named or (ctx.parent and ctx.parent.params.get("environments")) or DEFAULT_ENVIRONMENTS
    try:
        return environments.load(path)
    except (CommandError, OSError):
        return None
