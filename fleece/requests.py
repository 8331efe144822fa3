"""requests with timeouts, retries and warm connections: ``from fleece import requests`` replaces ``import requests``.

Every call takes ``timeout`` and ``retries``; `set_default_timeout` and `set_default_retries` set them for the process.
The calls of this module (`get`, `post`, ...) share connections that stay open between them, which is what a warm Lambda
container needs; cookies, headers and authentication are not shared. Every other name is requests' own. With nothing
set, a call behaves as requests' does: no timeout, no retries.
"""

from __future__ import annotations

import requests as _requests

from fleece._defaults import defaults
from fleece._requests.retries import retry_with
from fleece._requests.sessions import OneCallSession, Session
from fleece._seconds import checked_timeouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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
        api as api,
        auth as auth,
        certs as certs,
        codes as codes,
        compat as compat,
        cookies as cookies,
        exceptions as exceptions,
        hooks as hooks,
        models as models,
        packages as packages,
        sessions as sessions,
        status_codes as status_codes,
        structures as structures,
        utils as utils,
    )
    from requests.exceptions import (
        FileModeWarning as FileModeWarning,
        RequestsDependencyWarning as RequestsDependencyWarning,
    )
    from typing_extensions import Unpack

    from fleece._requests import types as _t

    __version__: str

# Those of requests, and the two that set defaults.
__all__ = [
    "ConnectTimeout",
    "ConnectionError",
    "HTTPError",
    "JSONDecodeError",
    "PreparedRequest",
    "ReadTimeout",
    "Request",
    "RequestException",
    "Response",
    "Session",
    "Timeout",
    "TooManyRedirects",
    "URLRequired",
    "codes",
    "delete",
    "get",
    "head",
    "options",
    "packages",
    "patch",
    "post",
    "put",
    "request",
    "session",
    "set_default_retries",
    "set_default_timeout",
    "utils",
]


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
        TypeError, ValueError: more than one argument without a name, one that `urllib3.util.Retry` does not have, or
            one that it could do nothing with.
    """
    if len(args) > 1:
        raise TypeError(f"set_default_retries takes one positional argument, the total: {len(args)} were given")
    if args and "total" in kwargs:
        raise TypeError("set_default_retries was given the total twice, with and without its name")
    settings = {**({"total": args[0]} if args else {}), **kwargs}
    retry_with(settings)  # what is refused is refused here, and not at some later request
    defaults.configure(requests_retries=settings or None)


def session(timeout: _t.Seconds = None, retries: _t.Retries = None) -> Session:
    """Return a new `Session`."""
    return Session(timeout, retries)


def request(method: str, url: _t.Url, **kwargs: Unpack[_t.RequestArguments]) -> Response:
    """Send a request over the process's warm connections; arguments as for `Session.request`."""
    return OneCallSession().request(method, url, **kwargs)


def get(url: _t.Url, params: _t.Params = None, **kwargs: Unpack[_t.GetArguments]) -> Response:
    """Send a GET request; arguments as for `Session.request`."""
    return request("GET", url, params=params, **kwargs)


def options(url: _t.Url, **kwargs: Unpack[_t.RequestArguments]) -> Response:
    """Send an OPTIONS request; arguments as for `Session.request`."""
    return request("OPTIONS", url, **kwargs)


def head(url: _t.Url, **kwargs: Unpack[_t.RequestArguments]) -> Response:
    """Send a HEAD request, following no redirect unless told to; arguments as for `Session.request`."""
    kwargs.setdefault("allow_redirects", False)
    return request("HEAD", url, **kwargs)


def post(url: _t.Url, data: _t.Data = None, json: _t.Json = None, **kwargs: Unpack[_t.PostArguments]) -> Response:
    """Send a POST request; arguments as for `Session.request`."""
    return request("POST", url, data=data, json=json, **kwargs)


def put(url: _t.Url, data: _t.Data = None, **kwargs: Unpack[_t.DataArguments]) -> Response:
    """Send a PUT request; arguments as for `Session.request`."""
    return request("PUT", url, data=data, **kwargs)


def patch(url: _t.Url, data: _t.Data = None, **kwargs: Unpack[_t.DataArguments]) -> Response:
    """Send a PATCH request; arguments as for `Session.request`."""
    return request("PATCH", url, data=data, **kwargs)


def delete(url: _t.Url, **kwargs: Unpack[_t.RequestArguments]) -> Response:
    """Send a DELETE request; arguments as for `Session.request`."""
    return request("DELETE", url, **kwargs)


if not TYPE_CHECKING:  # a checker would take every misspelt name for one of these

    def __getattr__(name: str) -> Any:
        if name == "__path__":  # with it, `import fleece.requests.exceptions` would load a second copy of that module
            raise AttributeError(name)
        return getattr(_requests, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_requests)})
