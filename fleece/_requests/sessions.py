"""The sessions of `fleece.requests`: which timeout and which retries each request has."""

from __future__ import annotations

import contextlib

import requests

from fleece._defaults import Timeouts, defaults
from fleece._requests.connections import MAX_SERVERS, MAX_SHARED, StreamedResponse, WarmAdapter, timeouts_by_name
from fleece._requests.retries import IN_FORCE, retry_of, retry_with, with_call_retries
from fleece._seconds import checked_seconds, checked_timeouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from requests import PreparedRequest, Response
    from requests.adapters import BaseAdapter
    from typing_extensions import Unpack

    from fleece._requests import types as _t


class _Unset:
    """The type of `UNSET`: not given, where None is something that can be given."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()
"""Default of ``timeout`` on a call: take the session's, or else the process-wide one. None means no timeout at all."""


class Session(requests.Session):
    """`requests.Session` with default timeouts and retries for its requests.

    Args:
        timeout: seconds, or ``(connect, read)``; None means the process-wide default.
        retries: as for `request`; None means the process-wide default.
    """

    __attrs__ = [*requests.Session.__attrs__, "timeout", "retries"]  # noqa: RUF012 (what is pickled, as in requests)

    # Of a subclass that was written for requests and pickles what requests does.
    timeout: _t.Seconds = None
    retries: _t.Retries = None

    def __init__(self, timeout: _t.Seconds = None, retries: _t.Retries = None) -> None:
        checked_timeout(timeout)
        retry_of(retries, None)
        super().__init__()
        self.timeout = timeout
        self.retries = retries
        self._mount_adapters()

    def _mount_adapters(self) -> None:
        self.mount("https://", WarmAdapter())
        self.mount("http://", WarmAdapter())

    def get_adapter(self, url: str) -> BaseAdapter:
        """Return the adapter for that address; one that was mounted by the user has the retries of the call as well."""
        return with_call_retries(super().get_adapter(url))

    def request(  # noqa: D417 (the other arguments are requests' own)
        self,
        method: str,
        url: _t.Url,
        params: _t.Params = None,
        data: _t.Data = None,
        headers: _t.Headers = None,
        cookies: _t.Cookies = None,
        files: _t.Files = None,
        auth: _t.Auth = None,
        timeout: _t.Seconds | _Unset = UNSET,
        allow_redirects: bool = True,
        proxies: _t.Proxies = None,
        hooks: _t.Hooks = None,
        stream: bool | None = None,
        verify: _t.Verify = None,
        cert: _t.Cert = None,
        json: _t.Json = None,
        retries: _t.Retries = None,
    ) -> Response:
        """Send a request as `requests.Session.request` does.

        Args:
            timeout: seconds, ``(connect, read)``, or None for no timeout; not given, the session's or the process's.
            retries: how often to try again: a number (the rest as in the process-wide default), the arguments of
                `urllib3.util.Retry` as a dict, or a `Retry`; None means the session's, or else those of an adapter that
                was mounted with some, or else the process's.

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
        kwargs["timeout"] = _timeout(kwargs.get("timeout", UNSET), self.timeout)
        whose, *_ = IN_FORCE.get()  # another session's, when one of its hooks is who sends this
        with timeouts_by_name(request), contextlib.nullcontext() if whose is self else self._retrying(None):
            response = super().send(request, **kwargs)
        if kwargs.get("stream", self.stream) and type(response) is requests.Response:
            response.__class__ = StreamedResponse
        return response

    @contextlib.contextmanager
    def _retrying(self, of_call: _t.Retries) -> Iterator[None]:
        """Retry what is sent in the ``with`` block as the call says, or else the session, or else the process."""
        installed = defaults.settings.requests_retries
        asked_for = retry_of(self.retries if of_call is None else of_call, installed)
        token = IN_FORCE.set((self, asked_for, None if installed is None else retry_with(installed)))
        try:
            yield
        finally:
            IN_FORCE.reset(token)

    if TYPE_CHECKING:
        # At run time these are requests' own, which hand every argument on to `request`.

        def get(self, url: _t.Url, params: _t.Params = None, **kwargs: Unpack[_t.GetArguments]) -> Response:
            """Send a GET request."""

        def options(self, url: _t.Url, **kwargs: Unpack[_t.RequestArguments]) -> Response:
            """Send an OPTIONS request."""

        def head(self, url: _t.Url, **kwargs: Unpack[_t.RequestArguments]) -> Response:
            """Send a HEAD request, following no redirect unless told to."""

        def post(
            self, url: _t.Url, data: _t.Data = None, json: _t.Json = None, **kwargs: Unpack[_t.PostArguments]
        ) -> Response:
            """Send a POST request."""

        def put(self, url: _t.Url, data: _t.Data = None, **kwargs: Unpack[_t.DataArguments]) -> Response:
            """Send a PUT request."""

        def patch(self, url: _t.Url, data: _t.Data = None, **kwargs: Unpack[_t.DataArguments]) -> Response:
            """Send a PATCH request."""

        def delete(self, url: _t.Url, **kwargs: Unpack[_t.RequestArguments]) -> Response:
            """Send a DELETE request."""


class OneCallSession(Session):
    """The session of one call of this module: its cookies and headers go, the connections below it stay."""

    def _mount_adapters(self) -> None:
        adapter = defaults.resource("requests.adapter", lambda: WarmAdapter(MAX_SERVERS, MAX_SHARED))
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def close(self) -> None:
        """Do nothing: the adapter is the process's."""


def _timeout(given: _t.Seconds | _Unset, of_session: _t.Seconds) -> _t.Seconds:
    """Return the timeout of a call: its own, even None; else the session's; else the process-wide one."""
    if not isinstance(given, _Unset):
        return checked_timeout(given)
    if of_session is not None:
        return checked_timeout(of_session)
    installed: Timeouts = defaults.settings.requests_timeouts
    if installed == Timeouts():
        return None
    both = installed.timeout
    return (
        installed.connect_timeout if installed.connect_timeout is not None else both,
        installed.read_timeout if installed.read_timeout is not None else both,
    )


def checked_timeout(timeout: _t.Seconds) -> _t.Seconds:
    """Return `timeout`, or raise `ValueError` that says what was given in place of seconds."""
    if isinstance(timeout, tuple):
        if len(timeout) != 2:  # noqa: PLR2004 (connect and read)
            raise ValueError(f"timeout must be seconds or (connect, read) in seconds: {timeout!r} was given")
        checked_timeouts(None, *timeout)
    elif not hasattr(timeout, "connect_timeout"):  # urllib3's own Timeout has checked itself
        checked_seconds("timeout", timeout)
    return timeout
