"""boto3 with timeouts that are easy to set: ``from fleece import boto3`` in place of ``import boto3``.

`client`, `resource` and `Session` take what boto3's take, plus ``timeout``, ``connect_timeout`` and ``read_timeout`` in
seconds; `set_default_timeout` sets them for the process. Every other name is boto3's own. With nothing set, a client is
exactly boto3's, botocore's 60 seconds included. A client that was made before a fork can be used after it.

For type checkers, `client` and `resource` return `Any`. boto3-stubs has an overload for each service, and these cannot
be passed on: the typing rules have no way to add a keyword argument to somebody else's overloads, and a copy of them
here would be out of date with every service that AWS opens. Say which one it is, and the rest is checked:

    s3: S3Client = boto3.client("s3", timeout=3)
"""

from __future__ import annotations

import sys
from types import ModuleType

import boto3 as _boto3

from fleece._clients import made_by
from fleece._defaults import defaults
from fleece._seconds import checked_timeouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from boto3 import (
        DEFAULT_SESSION as DEFAULT_SESSION,
        compat as compat,
        docs as docs,
        exceptions as exceptions,
        resources as resources,
        session as session,
        set_stream_logger as set_stream_logger,
        setup_default_session as setup_default_session,
        utils as utils,
    )
    from botocore.config import Config
    from typing_extensions import Never

    __version__: str

__all__ = [
    "DEFAULT_SESSION",
    "Session",
    "client",
    "compat",
    "docs",
    "exceptions",
    "resource",
    "resources",
    "session",
    "set_default_timeout",
    "set_stream_logger",
    "setup_default_session",
    "utils",
]


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
    service_name: str,
    region_name: str | None = None,
    api_version: str | None = None,
    use_ssl: bool | None = True,
    verify: bool | str | None = None,
    endpoint_url: str | None = None,
    aws_access_key_id: str | None = None,
    aws_secret_access_key: str | None = None,
    aws_session_token: str | None = None,
    config: Config | None = None,
    aws_account_id: str | None = None,
    *,
    timeout: float | None = None,
    connect_timeout: float | None = None,
    read_timeout: float | None = None,
    **newer: Never,
) -> Any:
    """Make a client as `boto3.client` does, with the timeouts given, in seconds.

    For each of the two timeouts the first that is given wins: its own argument, ``timeout``, the caller's ``config``,
    the process-wide default of that kind, the process-wide ``timeout``, botocore's 60 seconds.

    Whatever a newer boto3 takes besides is handed on to it; type checkers refuse it until it is written out here.

    Raises:
        ValueError: a timeout is not a number of seconds above zero.
        TypeError: ``config`` is not a `botocore.config.Config`.
    """
    return made_by(_boto3.client, None, locals())


def resource(
    service_name: str,
    region_name: str | None = None,
    api_version: str | None = None,
    use_ssl: bool | None = True,
    verify: bool | str | None = None,
    endpoint_url: str | None = None,
    aws_access_key_id: str | None = None,
    aws_secret_access_key: str | None = None,
    aws_session_token: str | None = None,
    config: Config | None = None,
    *,
    timeout: float | None = None,
    connect_timeout: float | None = None,
    read_timeout: float | None = None,
    **newer: Never,
) -> Any:
    """Make a resource as `boto3.resource` does, with timeouts in seconds as for `client`."""
    return made_by(_boto3.resource, None, locals())


class Session(_boto3.Session):
    """`boto3.Session` whose clients and resources take timeouts as those of this module do."""

    def client(
        self,
        service_name: str,
        region_name: str | None = None,
        api_version: str | None = None,
        use_ssl: bool | None = True,
        verify: bool | str | None = None,
        endpoint_url: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        config: Config | None = None,
        aws_account_id: str | None = None,
        *,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        **newer: Never,
    ) -> Any:
        """Make a client of this session, with timeouts in seconds as for `fleece.boto3.client`."""
        return made_by(super().client, self, locals())

    def resource(  # type: ignore[override]  # boto3-stubs has an aws_account_id that boto3 refuses
        self,
        service_name: str,
        region_name: str | None = None,
        api_version: str | None = None,
        use_ssl: bool | None = True,
        verify: bool | str | None = None,
        endpoint_url: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        config: Config | None = None,
        *,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        **newer: Never,
    ) -> Any:
        """Make a resource of this session, with timeouts in seconds as for `fleece.boto3.client`."""
        return made_by(super().resource, self, locals())


if not TYPE_CHECKING:  # a checker would take every misspelt name for one of these

    def __getattr__(name: str) -> Any:
        if name == "__path__":  # with it, `import fleece.boto3.session` would load a second copy of that module
            raise AttributeError(name)
        return getattr(_boto3, name)


class _Module(ModuleType):
    """This module, whose one variable is boto3's own: tests set `boto3.DEFAULT_SESSION`, or patch it."""

    @property
    def DEFAULT_SESSION(self) -> _boto3.Session | None:  # noqa: N802 (boto3's name)
        return _boto3.DEFAULT_SESSION

    @DEFAULT_SESSION.setter
    def DEFAULT_SESSION(self, session: _boto3.Session | None) -> None:  # noqa: N802
        _boto3.DEFAULT_SESSION = session

    @DEFAULT_SESSION.deleter
    def DEFAULT_SESSION(self) -> None:  # noqa: N802
        del _boto3.DEFAULT_SESSION


sys.modules[__name__].__class__ = _Module


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_boto3)})
