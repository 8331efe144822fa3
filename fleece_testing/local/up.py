"""``fleece-local up``: the stack in the foreground, and all that leads other programs to it."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from fleece.cli.errors import CommandError
from fleece.cli.run.variables import exported
from fleece_testing._environment import past_proxies
from fleece_testing._http import LoopbackServer
from fleece_testing.aws import AWS
from fleece_testing.local import session as sessions
from fleece_testing.local.control import Control
from fleece_testing.local.files import HEADER, OwnFiles, check_replaceable
from fleece_testing.local.localstack import LocalStack
from fleece_testing.local.session import Session
from fleece_testing.local.signals import Signalled
from fleece_testing.local.stack import REGION, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fleece_testing.local.resources import Account

_FORWARD_EVERY = 1.0  # seconds, as the X-Ray daemon does
_OTHER = "name another with --port, or --port 0 for any free one"
_IN_THE_WAY = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


@dataclass(frozen=True)
class Settings:
    """What the user has asked for.

    Attributes:
        accounts: what to seed.
        port: of AWS; 0 takes a free one.
        backend: ``embedded`` or ``localstack``.
        environments: where to write ``environments.yml``, if not beside the stack's own file.
        env_file: where to write the variables, if anywhere.
        ready_file: where to write a copy of the stack's file once all else is done, if anywhere.
    """

    accounts: tuple[Account, ...]
    port: int
    backend: str = "embedded"
    environments: Path | None = None
    env_file: Path | None = None
    ready_file: Path | None = None


def up(settings: Settings, show: Callable[[str], None], tell: Callable[[str], None]) -> None:
    """Run a stack until a signal ends it, and leave nothing.

    Args:
        settings: what the user has asked for.
        show: takes the lines to export, in a shell's own language.
        tell: takes lines about what goes on.

    Raises:
        CommandError: a port is taken, a file cannot be written, the resources cannot be made.
        Signalled: a signal came before the stack was ready.
    """
    for path in (settings.environments, settings.env_file, settings.ready_file):
        if path is not None:
            check_replaceable(path)
    home = sessions.default_folder()
    sessions.remove_stale(home)
    other = sessions.running_in(home / str(settings.port))
    if other is not None:
        raise CommandError(
            f"port {settings.port} is that of a local stack which is running already, as process {other.pid}; {_OTHER}"
        )
    with (
        _started(settings) as stack,
        _session(stack) as session,
        _folder(home, stack) as folder,
        OwnFiles() as files,
    ):
        environments = settings.environments or folder / sessions.ENVIRONMENTS
        variables = {**session.environment, sessions.VARIABLE: str(folder / sessions.FILE)}
        files.write(environments, environments_of(stack))
        if settings.env_file is not None:
            files.write(settings.env_file, HEADER + "".join(f"{name}={value}\n" for name, value in variables.items()))
        show(f"unset {' '.join(_IN_THE_WAY)}\n{exported(variables, 'env')}")
        for line in _summary(settings, stack, session, environments):
            tell(line)
        with contextlib.suppress(Signalled):
            # Last, as these say that all the rest is there.
            for path in (folder / sessions.FILE, settings.ready_file):
                if path is not None:
                    files.write(path, session.dump())
            tell("Ready; Ctrl-C ends it.")
            _serve(stack, tell)


def environments_of(stack: Stack) -> str:
    """Return an ``environments.yml`` with the accounts of the stack, whose keys are in it."""
    environments = []
    for account in stack.accounts:
        keys = stack.aws.credentials(account.number)
        environments.append(
            {
                "name": account.environment,
                "account": account.number,
                "provider": "static",
                "access_key_id": keys.access_key_id,
                "secret_access_key": keys.secret_access_key,
                "region": stack.aws.region,
                "endpoint_url": stack.aws.url,
            }
        )
    return HEADER + yaml.safe_dump({"environments": environments}, sort_keys=False, allow_unicode=True)


@contextlib.contextmanager
def _started(settings: Settings) -> Iterator[Stack]:
    account = settings.accounts[0].number
    if settings.backend == "localstack":
        aws: AWS = LocalStack(settings.port, region=REGION, account=account)
    else:
        aws = AWS(settings.port, region=REGION, account=account)
    stack = Stack(settings.accounts, aws=aws)
    try:
        stack.start()
    except OSError as error:
        reason = "is taken by another program" if error.errno == errno.EADDRINUSE else f"fails: {error.strerror}"
        raise CommandError(f"port {settings.port} {reason}; {_OTHER}") from error
    try:
        yield stack
    finally:
        stack.stop()


@contextlib.contextmanager
def _session(stack: Stack) -> Iterator[Session]:
    """Let other processes ask about the stack."""
    identity = secrets.token_hex(8)
    proxies = past_proxies(os.environ) if any(name.lower().endswith("_proxy") for name in os.environ) else {}
    environment = {**stack.aws.environment(), **stack.environment(), **proxies}
    with LoopbackServer(Control(identity, stack.xray)) as server:
        yield Session(identity, os.getpid(), server.url, stack.aws.account, stack.aws.region, environment)


@contextlib.contextmanager
def _folder(home: Path, stack: Stack) -> Iterator[Path]:
    """Make the stack's own folder, and remove it when it is empty again."""
    folder = home / stack.aws.url.rpartition(":")[2]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        sessions.remove_empty(folder)


def _summary(settings: Settings, stack: Stack, session: Session, environments: Path) -> Iterator[str]:
    yield f"AWS           {stack.aws.url} ({'LocalStack' if settings.backend == 'localstack' else 'moto, strict'})"
    if isinstance(stack.aws, LocalStack):
        yield f"X-Ray         {stack.aws.xray_url}"
    yield f"X-Ray daemon  {stack.xray.address}"
    yield f"Rackspace     {stack.rackspace.url}"
    yield f"health        {session.url}/health"
    yield f"environments  {environments} ({', '.join(account.environment for account in stack.accounts)})"
    yield from (f"seeded        {resource}" for resource in stack.resources)


def _serve(stack: Stack, tell: Callable[[str], None]) -> None:
    """Do what is to be done from time to time, until a signal comes."""
    while True:
        time.sleep(_FORWARD_EVERY)
        try:
            stack.hand_on_traces()
        except Exception as error:  # noqa: BLE001 (what X-Ray makes of a trace is no reason to end the stack)
            tell(f"Warning: the emulated X-Ray service has not taken a trace: {error}")
