"""requests with timeouts, retries and warm connections: ``from fleece import requests`` replaces ``import requests``.

Every call takes ``timeout`` and ``retries``; `set_default_timeout` and `set_default_retries` set them for the process.
The calls of this module (`get`, `post`, ...) share connections that stay open between them, which is what a warm Lambda
container needs; cookies, headers and authentication are not shared. Every other name is requests' own. With nothing
set, a call behaves as requests' does: no timeout, no retries.
"""

from __future__ import annotations

import contextlib

import requests as _requests
from urllib3.util import Retry

from fleece._connections import MAX_SHARED, RETRIES, WarmAdapter, timeouts_by_name
from fleece._defaults import Timeouts, defaults
from fleece._seconds import checked_seconds, checked_timeouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, TypeAlias

    from requests import (
        ConnectionError as ConnectionError,  # noqa: A004 (requests' own name)
        ConnectTimeout as ConnectTimeout,
        HTTPError as HTTPError,
        JSONDecodeError as JSONDecodeError,
        PreparedRequest as PreparedRequest,
        ReadTimeout as ReadTimeout,
        Request as Request,
        RequestException as RequestException,
        Response as Response,
        Timeout as Timeout,
        TooManyRedirects as TooManyRedirects,
        URLRequired as URLRequired,
        adapters as adapters,
        auth as auth,
        certs as certs,
        codes as codes,
        cookies as cookies,
        exceptions as exceptions,
        hooks as hooks,
        models as models,
        sessions as sessions,
        status_codes as status_codes,
        structures as structures,
        utils as utils,
    )
    from urllib3.util import Timeout as _Urllib3Timeout

    TimeoutType: TypeAlias = float | tuple[float | None, float | None] | _Urllib3Timeout | None
    RetriesType: TypeAlias = int | Mapping[str, Any] | Retry | None


class _Unset:
    """The type of `UNSET`: not given, where None is something that can be given."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()
"""Default of ``timeout`` on a call: take the session's, or else the process-wide one. None means no timeout at all."""


def set_default_timeout(
    timeout: float | None = None,
    connect_timeout: float | None = None,
    read_timeout: float | None = None,
) -> None:
    """Set the timeouts of every request that does not name its own, in the whole process.

    Args:
        timeout: seconds, for both of the following where they are not given.
        connect_timeout: seconds to establish a connection.
        read_timeout: seconds to wait for the next bytes of an answer.

    With no argument, the defaults are taken away again.

    Raises:
        ValueError: a timeout is not a number of seconds above zero.
    """
    defaults.configure(requests_timeouts=checked_timeouts(timeout, connect_timeout, read_timeout))


def set_default_retries(*args: Any, **kwargs: Any) -> None:
    """Set the retries of every request that does not name its own, in the whole process.

    The arguments are those of `urllib3.util.Retry`; ``total`` may be given without its name. With no argument, the
    default is taken away again.

    Raises:
        TypeError: more than one argument without a name, or one that `urllib3.util.Retry` does not have.
    """
    if len(args) > 1:
        raise TypeError(f"set_default_retries takes one positional argument, the total: {len(args)} were given")
    if args and "total" in kwargs:
        raise TypeError("set_default_retries was given the total twice, with and without its name")
    settings = {**({"total": args[0]} if args else {}), **kwargs}
    Retry(**settings)  # what it refuses, it refuses here and not at some later request
    defaults.configure(requests_retries=settings or None)


class Session(_requests.Session):
    """`requests.Session` with default timeouts and retries for its requests.

    Args:
        timeout: seconds, or ``(connect, read)``; None means the process-wide default.
        retries: as for `request`; None means the process-wide default.
    """

    __attrs__ = [*_requests.Session.__attrs__, "timeout", "retries"]  # noqa: RUF012 (what is pickled, as in requests)

    def __init__(self, timeout: TimeoutType = None, retries: RetriesType = None) -> None:
        _checked_timeout(timeout)
        _retry(retries)
        super().__init__()
        self.timeout = timeout
        self.retries = retries
        self._mount_adapters()

    def _mount_adapters(self) -> None:
        self.mount("https://", WarmAdapter())
        self.mount("http://", WarmAdapter())

    def request(  # type: ignore[override]  # noqa: D417 (the other arguments are requests' own)
        self,
        method: str,
        url: str,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        cookies: Any = None,
        files: Any = None,
        auth: Any = None,
        timeout: TimeoutType | _Unset = UNSET,
        allow_redirects: bool = True,
        proxies: Any = None,
        hooks: Any = None,
        stream: bool | None = None,
        verify: bool | str | None = None,
        cert: Any = None,
        json: Any = None,
        retries: RetriesType = None,
    ) -> Response:
        """Send a request as `requests.Session.request` does.

        Args:
            timeout: seconds, ``(connect, read)``, or None for no timeout; not given, the session's or the process's.
            retries: how often to try again: a number (the rest as in the process-wide default), the arguments of
                `urllib3.util.Retry` as a dict, or a `Retry`; None means the session's or the process's.

        Raises:
            requests.exceptions.Timeout: no connection, or no bytes, within the time; also after retries.
            requests.exceptions.ConnectionError: refused, reset, unresolvable.
            requests.exceptions.RetryError: a status to retry on came every time.
            ValueError, TypeError: a timeout or retries that make no sense, before anything is sent.
        """
        with self._retrying(retries):
            return super().request(
                method,
                url,
                params=params,
                data=data,
                headers=headers,
                cookies=cookies,
                files=files,
                auth=auth,
                timeout=_timeout(timeout, self.timeout),  # type: ignore[arg-type]
                allow_redirects=allow_redirects,
                proxies=proxies,
                hooks=hooks,
                stream=stream,
                verify=verify,
                cert=cert,
                json=json,
            )

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        """Send a prepared request, with the session's timeout and retries where `kwargs` has none."""
        if "timeout" not in kwargs:
            kwargs["timeout"] = _timeout(UNSET, self.timeout)
        whose, _ = RETRIES.get()  # another session's, when one of its hooks is who sends this
        with timeouts_by_name(request), contextlib.nullcontext() if whose is self else self._retrying(None):
            return super().send(request, **kwargs)

    @contextlib.contextmanager
    def _retrying(self, of_call: RetriesType) -> Iterator[None]:
        """Retry what is sent in the ``with`` block by the first that is given: call's, session's, process's."""
        retry = _retry(of_call) or _retry(self.retries)
        if retry is None and defaults.settings.requests_retries is not None:
            retry = Retry(**defaults.settings.requests_retries)
        token = RETRIES.set((self, retry))
        try:
            yield
        finally:
            RETRIES.reset(token)


class _OneCallSession(Session):
    """The session of one call of this module: its cookies and headers go, the connections below it stay."""

    def _mount_adapters(self) -> None:
        adapter = defaults.resource("requests.adapter", lambda: WarmAdapter(pool_maxsize=MAX_SHARED))
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def close(self) -> None:
        """Do nothing: the adapter is the process's."""


def session() -> Session:
    """Return a new `Session`."""
    return Session()


def request(method: str, url: str, **kwargs: Any) -> Response:
    """Send a request over the process's warm connections; arguments as for `Session.request`."""
    return _OneCallSession().request(method, url, **kwargs)


def get(url: str, params: Any = None, **kwargs: Any) -> Response:
    """Send a GET request; arguments as for `Session.request`."""
    return request("GET", url, params=params, **kwargs)


def options(url: str, **kwargs: Any) -> Response:
    """Send an OPTIONS request; arguments as for `Session.request`."""
    return request("OPTIONS", url, **kwargs)


def head(url: str, **kwargs: Any) -> Response:
    """Send a HEAD request, following no redirect unless told to; arguments as for `Session.request`."""
    kwargs.setdefault("allow_redirects", False)
    return request("HEAD", url, **kwargs)


def post(url: str, data: Any = None, json: Any = None, **kwargs: Any) -> Response:
    """Send a POST request; arguments as for `Session.request`."""
    return request("POST", url, data=data, json=json, **kwargs)


def put(url: str, data: Any = None, **kwargs: Any) -> Response:
    """Send a PUT request; arguments as for `Session.request`."""
    return request("PUT", url, data=data, **kwargs)


def patch(url: str, data: Any = None, **kwargs: Any) -> Response:
    """Send a PATCH request; arguments as for `Session.request`."""
    return request("PATCH", url, data=data, **kwargs)


def delete(url: str, **kwargs: Any) -> Response:
    """Send a DELETE request; arguments as for `Session.request`."""
    return request("DELETE", url, **kwargs)


def _timeout(given: TimeoutType | _Unset, of_session: TimeoutType) -> TimeoutType:
    """Return the timeout of a call: its own, even None; else the session's; else the process-wide one."""
    if not isinstance(given, _Unset):
        return _checked_timeout(given)
    if of_session is not None:
        return of_session
    installed: Timeouts = defaults.settings.requests_timeouts
    if installed == Timeouts():
        return None
    both = installed.timeout
    return (
        installed.connect_timeout if installed.connect_timeout is not None else both,
        installed.read_timeout if installed.read_timeout is not None else both,
    )


def _checked_timeout(timeout: TimeoutType) -> TimeoutType:
    """Return `timeout`, or raise `ValueError` that says what was given in place of seconds."""
    if isinstance(timeout, tuple):
        if len(timeout) != 2:  # noqa: PLR2004 (connect and read)
            raise ValueError(f"timeout must be seconds or (connect, read) in seconds: {timeout!r} was given")
        checked_timeouts(None, *timeout)
    elif not hasattr(timeout, "connect_timeout"):  # urllib3's own Timeout has checked itself
        checked_seconds("timeout", timeout)
    return timeout


def _retry(retries: RetriesType) -> Retry | None:
    """Return the `Retry` that `retries` describes, or None where the caller gave none."""
    if retries is None or isinstance(retries, Retry):
        return retries
    if isinstance(retries, int) and not isinstance(retries, bool):
        return Retry(**{**(defaults.settings.requests_retries or {}), "total": retries})
    if isinstance(retries, dict):
        return Retry(**retries)
    raise TypeError(f"retries must be a number, a dict of Retry's arguments, a Retry or None: {retries!r} was given")


def __getattr__(name: str) -> Any:
    if name == "__path__":  # with it, `import fleece.requests.exceptions` would load a second copy of that module
        raise AttributeError(name)
    return getattr(_requests, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_requests)})
