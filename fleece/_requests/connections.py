"""The connections below `fleece.requests`: kept warm, and never trusted for too long."""

from __future__ import annotations

import contextlib
import math
import ssl
import threading
from http.client import HTTPResponse
from time import monotonic

from requests import Response
from requests.exceptions import ConnectionError as RequestsConnectionError, ConnectTimeout, ProxyError, ReadTimeout
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError
from urllib3.util import Retry
from urllib3.util.proxy import connection_requires_http_tunnel

from fleece._defaults import defaults
from fleece._requests.retries import CallRetries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from requests import PreparedRequest

MAX_IDLE_SECONDS = 50.0
"""A connection idle for longer is not used again: NAT gateways drop theirs silently at 350 s, many servers at 60 s."""

MAX_SHARED = 64
"""Connections to one server that the calls of all threads keep; urllib3 warns of each that it has no place for."""

MAX_SERVERS = 64
"""Servers that the calls of all threads keep connections to, and proxies; those that were not asked for longest go."""


def _is_gone(error: OSError) -> bool:
    """Whether a server that has closed an idle connection looks like that, before the first byte of an answer."""
    if isinstance(error, (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return True
    # What OpenSSL 3.6 says of it to who is sending, which Python 3.14 has no class for.
    return isinstance(error, ssl.SSLError) and error.reason == "UNEXPECTED_EOF_WHILE_READING"


class BrokenOffError(ConnectionResetError):
    """The connection was reset in the head of an answer: the server has seen the request, and may have acted on it."""


class _Answer(HTTPResponse):
    """An answer of which it is known whether its first byte has come."""

    def begin(self) -> None:
        begun = self.fp.peek(1)
        try:
            super().begin()
        except ConnectionError as error:
            if begun:
                raise BrokenOffError(*error.args) from error
            raise


class _WarmPool(HTTPConnectionPool):
    """A pool that does not hand out connections that were idle for too long, and gets over one that went dead."""

    def _new_conn(self) -> Any:
        conn: Any = super()._new_conn()
        conn.response_class = _Answer
        return conn

    def _put_conn(self, conn: Any) -> None:
        if conn is not None:
            conn.fleece_idle_since = monotonic()
        super()._put_conn(conn)

    def _get_conn(self, timeout: float | None = None) -> Any:
        conn: Any = super()._get_conn(timeout)
        if monotonic() - getattr(conn, "fleece_idle_since", math.inf) > MAX_IDLE_SECONDS:
            conn.close()  # it connects anew when it is used
        conn.fleece_reused = conn.sock is not None
        return conn

    def _make_request(self, conn: Any, method: str, url: str, **kwargs: Any) -> Any:  # type: ignore[override]
        # urllib3 1.26 and 2 have different parameters after the URL, and both call with their names.
        try:
            return super()._make_request(conn, method, url, **kwargs)
        except BrokenOffError:
            raise
        except OSError as error:
            if not (_is_gone(error) and conn.fleece_reused and _may_be_sent_twice(method, kwargs.get("body"))):
                raise
        # Not counted as one of the caller's retries: a cold connection would not have failed.
        self._reconnect(conn)
        return super()._make_request(conn, method, url, **kwargs)

    def _reconnect(self, conn: Any) -> None:
        """Close `conn`, which connects when it is used next, unless that takes a tunnel through a proxy."""
        conn.close()
        if not connection_requires_http_tunnel(self.proxy, self.proxy_config, self.scheme):
            return
        try:
            self._prepare_proxy(conn)
        except OSError as error:
            self._raise_timeout(err=error, url=str(self.proxy), timeout_value=conn.timeout)
            raise


class _WarmSecurePool(_WarmPool, HTTPSConnectionPool):
    """The same over TLS."""


# Their names are in the messages of errors, which somebody's alarms look for.
_WarmPool.__name__ = HTTPConnectionPool.__name__
_WarmSecurePool.__name__ = HTTPSConnectionPool.__name__

_POOLS = {"http": _WarmPool, "https": _WarmSecurePool}


class WarmAdapter(CallRetries):
    """`requests.adapters.HTTPAdapter` over warm pools, whose retries are those of the call under way.

    The pools are of one process. After a fork their connections are the parent's as well, and their locks may be held
    by threads that only the parent has; after a SnapStart restore the connections lead nowhere.
    """

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools that connect directly."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS
        self.proxy_manager = {}
        self._process = defaults.process()

    def send(self, *args: Any, **kwargs: Any) -> Response:
        """Send a prepared request over the pools of this process."""
        if self._process is not defaults.process():
            with _one_at_a_time():  # the first of many threads; the others wait until it is done
                if self._process is not defaults.process():
                    self.init_poolmanager(self._pool_connections, self._pool_maxsize, block=self._pool_block)
        return super().send(*args, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Return the pools behind that proxy; SOCKS brings pools of its own, and keeps them."""
        with _one_at_a_time():
            manager = super().proxy_manager_for(proxy, **kwargs)
            if isinstance(manager, ProxyManager):
                manager.pool_classes_by_scheme = _POOLS
            # Some proxies take a user name of its own for each call: kept for ever, these would use up descriptors.
            self.proxy_manager[proxy] = self.proxy_manager.pop(proxy)  # to the end
            if len(self.proxy_manager) > self._pool_connections:
                del self.proxy_manager[next(iter(self.proxy_manager))]
        return manager


def _one_at_a_time() -> contextlib.AbstractContextManager[Any]:
    return defaults.resource("requests.lock", threading.RLock)


class ProxyConnectTimeout(ProxyError, ConnectTimeout):  # noqa: N818 (as requests names its timeouts)
    """A proxy did not take the connection in time: what requests calls it, and what it is."""


@contextlib.contextmanager
def timeouts_by_name(request: PreparedRequest) -> Iterator[None]:
    """Raise a `Timeout` where requests makes a `ConnectionError` of one: after retries, in a body, to a proxy."""
    try:
        yield
    except RequestsConnectionError as error:
        cause = error.args[0] if error.args else None
        reason = getattr(cause, "reason", cause)
        if isinstance(reason, ReadTimeoutError):
            raise ReadTimeout(cause, request=request) from error
        of_proxy = getattr(reason, "original_error", None)
        # urllib3 1 calls a refused connection a timeout, too.
        if isinstance(of_proxy, ConnectTimeoutError) and not isinstance(of_proxy, NewConnectionError):
            raise ProxyConnectTimeout(cause, request=request) from error
        raise


class StreamedResponse(Response):
    """An answer whose body is read later, when a timeout is to have its name as well."""

    def iter_content(self, *args: Any, **kwargs: Any) -> Any:
        """Return the pieces of the body; everything else that reads it does so by this method."""
        return self._by_name(super().iter_content(*args, **kwargs))

    def _by_name(self, pieces: Iterable[Any]) -> Iterator[Any]:
        with timeouts_by_name(self.request):
            yield from pieces


def _may_be_sent_twice(method: str, body: object) -> bool:
    """Whether sending again can do no harm: the method is idempotent, and the body was not consumed by sending."""
    return method.upper() in Retry.DEFAULT_ALLOWED_METHODS and isinstance(body, (bytes, str, type(None)))
