"""boto3 with timeouts that are easy to set: ``from fleece import boto3`` in place of ``import boto3``.

`client`, `resource` and `Session` take what boto3's take, plus ``timeout``, ``connect_timeout`` and ``read_timeout`` in
seconds; `set_default_timeout` sets them for the process. Every other name is boto3's own. With nothing set, a client is
exactly boto3's, botocore's 60 seconds included.
"""

from __future__ import annotations

import threading

import boto3 as _boto3
from botocore.config import Config

from fleece._defaults import Timeouts, defaults
from fleece._seconds import checked_timeouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any

    from boto3 import (
        DEFAULT_SESSION as DEFAULT_SESSION,
        compat as compat,
        exceptions as exceptions,
        session as session,
        set_stream_logger as set_stream_logger,
        setup_default_session as setup_default_session,
        utils as utils,
    )


def set_default_timeout(
    timeout: float | None = None,
    connect_timeout: float | None = None,
    read_timeout: float | None = None,
) -> None:
    """Set the timeouts of every client that is made from now on and does not name its own.

    Args:
        timeout: seconds, for both of the following where they are not given.
        connect_timeout: seconds to establish a connection.
        read_timeout: seconds to wait for the next bytes of an answer.

    With no argument, the defaults are taken away again.

    Raises:
        ValueError: a timeout is not a number of seconds above zero.
    """
    defaults.configure(boto3_timeouts=checked_timeouts(timeout, connect_timeout, read_timeout))


def client(
    *args: Any,
    timeout: float | None = None,
    connect_timeout: float | None = None,
    read_timeout: float | None = None,
    **kwargs: Any,
) -> Any:
    """Make a client as `boto3.client` does, with the timeouts given, in seconds.

    For each of the two timeouts the first that is given wins: its own argument, ``timeout``, the caller's ``config``,
    the process-wide default of that kind, the process-wide ``timeout``, botocore's 60 seconds.

    Raises:
        ValueError: a timeout is not a number of seconds above zero.
        TypeError: ``config`` is not a `botocore.config.Config`.
    """
    with _one_at_a_time():
        kwargs = _with_timeouts(_default_session(), kwargs, checked_timeouts(timeout, connect_timeout, read_timeout))
        return _boto3.client(*args, **kwargs)


def resource(
    *args: Any,
    timeout: float | None = None,
    connect_timeout: float | None = None,
    read_timeout: float | None = None,
    **kwargs: Any,
) -> Any:
    """Make a resource as `boto3.resource` does, with timeouts in seconds as for `client`."""
    with _one_at_a_time():
        kwargs = _with_timeouts(_default_session(), kwargs, checked_timeouts(timeout, connect_timeout, read_timeout))
        return _boto3.resource(*args, **kwargs)


class Session(_boto3.Session):
    """`boto3.Session` whose clients and resources take timeouts as those of this module do."""

    def client(
        self,
        *args: Any,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Make a client of this session, with timeouts in seconds as for `fleece.boto3.client`."""
        explicit = checked_timeouts(timeout, connect_timeout, read_timeout)
        with _one_at_a_time():
            return super().client(*args, **_with_timeouts(self, kwargs, explicit))

    def resource(
        self,
        *args: Any,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Make a resource of this session, with timeouts in seconds as for `fleece.boto3.client`."""
        explicit = checked_timeouts(timeout, connect_timeout, read_timeout)
        with _one_at_a_time():
            return super().resource(*args, **_with_timeouts(self, kwargs, explicit))


def _with_timeouts(session: _boto3.Session, kwargs: dict[str, Any], explicit: Timeouts) -> dict[str, Any]:
    """Return `kwargs` with a ``config`` that has the timeouts by their order of precedence, if any is set."""
    least = _config(defaults.settings.boto3_timeouts)
    most = _config(explicit)
    if least is None and most is None:
        return kwargs
    # A later one wins, option by option, so whatever else is in the caller's stays.
    merged = Config()
    for config in (least, session._session.get_default_client_config(), kwargs.get("config"), most):  # noqa: SLF001
        if config is None:
            continue
        if not isinstance(config, Config):
            raise TypeError(f"config must be a botocore.config.Config: {config!r} was given")
        merged = merged.merge(config)
    return {**kwargs, "config": merged}


def _config(timeouts: Timeouts) -> Config | None:
    """Return a configuration that sets what `timeouts` sets and nothing else, or None when that is nothing."""
    both = timeouts.timeout
    options = {
        "connect_timeout": timeouts.connect_timeout if timeouts.connect_timeout is not None else both,
        "read_timeout": timeouts.read_timeout if timeouts.read_timeout is not None else both,
    }
    given = {name: seconds for name, seconds in options.items() if seconds is not None}
    return Config(**given) if given else None  # type: ignore[arg-type]


def _default_session() -> _boto3.Session:
    """Return the session behind `boto3.client`, made as boto3 itself would make it."""
    if _boto3.DEFAULT_SESSION is None:
        _boto3.setup_default_session()
    session = _boto3.DEFAULT_SESSION
    assert session is not None  # noqa: S101 (set the line before; for mypy)
    return session


def _one_at_a_time() -> AbstractContextManager[Any]:
    """Return the lock under which clients are made: a boto3 session is not safe while it makes one, a client is."""
    return defaults.resource("boto3.lock", threading.RLock)


def __getattr__(name: str) -> Any:
    if name == "__path__":  # with it, `import fleece.boto3.session` would load a second copy of that module
        raise AttributeError(name)
    return getattr(_boto3, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_boto3)})
