"""How `fleece.boto3` makes clients: with timeouts in their configuration, and with connections no other process has."""

from __future__ import annotations

import threading
import weakref

import boto3
from botocore.client import BaseClient
from botocore.config import Config

from fleece._defaults import Timeouts, defaults
from fleece._seconds import checked_timeouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Any

_NOT_BOTO3S = frozenset({"self", "__class__", "newer", *Timeouts._fields})
_NOT_GIVEN = {"use_ssl": True}
"""boto3's defaults, where they are not None."""


def made_by(make: Callable[..., Any], session: boto3.Session | None, arguments: dict[str, Any]) -> Any:
    """Return the client or resource that `make` makes of `arguments`, with the timeouts that are among them.

    Args:
        make: boto3's own `client` or `resource`.
        session: whose method `make` is; None for boto3's default session.
        arguments: what the caller was called with, which is its `locals()` while they hold nothing else; boto3 is given
            those that were given.

    Raises:
        ValueError: a timeout is not a number of seconds above zero.
        TypeError: ``config`` is not a `botocore.config.Config`.
    """
    explicit = checked_timeouts(*(arguments[name] for name in Timeouts._fields))
    given = {
        name: value
        for name, value in arguments.items()
        if name not in _NOT_BOTO3S and value is not _NOT_GIVEN.get(name)
    }
    with _one_at_a_time():
        config = _config(session, given.pop("config", None), explicit)
        if config is not None:
            given["config"] = config
        made = make(given.pop("service_name"), **given, **arguments["newer"])
    client = made if isinstance(made, BaseClient) else getattr(getattr(made, "meta", None), "client", None)
    if isinstance(client, BaseClient):  # a test may have put anything in the place of boto3's functions
        client.meta.events.register("before-send", _OwnConnections(client), unique_id="fleece.own_connections")
    return made


def _config(session: boto3.Session | None, of_caller: Config | None, explicit: Timeouts) -> Config | None:
    """Return the caller's configuration, with the timeouts by their order of precedence if any is set."""
    if of_caller is not None and not isinstance(of_caller, Config):
        raise TypeError(f"config must be a botocore.config.Config: {of_caller!r} was given")
    least = _config_of(defaults.settings.boto3_timeouts)
    most = _config_of(explicit)
    if least is None and most is None:
        return of_caller
    # A later one wins, option by option, so whatever else is in the caller's stays.
    merged = Config()
    of_session = (session or _default_session())._session.get_default_client_config()  # noqa: SLF001
    for config in (least, of_session, of_caller, most):
        if config is not None:
            merged = merged.merge(config)
    return merged


def _config_of(timeouts: Timeouts) -> Config | None:
    """Return a configuration that sets what `timeouts` sets and nothing else, or None when that is nothing."""
    both = timeouts.timeout
    options = {
        "connect_timeout": timeouts.connect_timeout if timeouts.connect_timeout is not None else both,
        "read_timeout": timeouts.read_timeout if timeouts.read_timeout is not None else both,
    }
    given = {name: seconds for name, seconds in options.items() if seconds is not None}
    return Config(**given) if given else None  # type: ignore[arg-type]


def _default_session() -> boto3.Session:
    """Return the session behind `boto3.client`, made as boto3 itself would make it."""
    if boto3.DEFAULT_SESSION is None:
        boto3.setup_default_session()
    session = boto3.DEFAULT_SESSION
    assert session is not None  # noqa: S101 (set the line before; for mypy)
    return session


def _one_at_a_time() -> AbstractContextManager[Any]:
    """Return the lock under which clients are made: a boto3 session is not safe while it makes one, a client is."""
    return defaults.resource("boto3.lock", threading.RLock)


class _OwnConnections:
    """Called before each request of a client: drops the connections that were opened in another process.

    After a fork they are the parent's as well, and the two would read each other's answers; after a SnapStart restore
    they lead nowhere. Closing them here says nothing to the server, TLS included, so the parent goes on using them.
    """

    def __init__(self, client: BaseClient) -> None:
        self._client = weakref.ref(client)  # whose events hold this object
        self._process = defaults.process()

    def __call__(self, **_event: Any) -> None:
        if self._process is defaults.process():
            return
        with _one_at_a_time():  # the first of many threads; the others wait until it is done
            client, process = self._client(), defaults.process()
            if client is not None and self._process is not process:
                client.close()  # it opens new ones when it needs them
                self._process = process
