"""The types of what `fleece.requests` takes, for type checkers: the module is never loaded at run time.

They are those of requests, which calls its own private and had none before 2.34, and the two arguments that fleece
adds. ``tests/typing/test_requests.py`` checks that fleece takes all that requests takes; that it takes no more is
checked wherever an argument is passed on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from http.cookiejar import CookieJar
from typing import Any, Protocol, TypeAlias, TypedDict, TypeVar

from requests import PreparedRequest, Response
from requests.auth import AuthBase
from typing_extensions import Buffer
from urllib3.util import Retry, Timeout

_Key_co = TypeVar("_Key_co", covariant=True)
_Value_co = TypeVar("_Value_co", covariant=True)


class _HasItems(Protocol[_Key_co, _Value_co]):
    def items(self) -> Iterable[tuple[_Key_co, _Value_co]]: ...


class _HasRead(Protocol):
    def read(self, length: int = ..., /) -> str | bytes: ...


_Scalar: TypeAlias = str | bytes | int | float
_Parameter: TypeAlias = _Scalar | Iterable[_Scalar] | None
_Content: TypeAlias = str | bytes | _HasRead
_File: TypeAlias = (
    _Content
    | tuple[str | None, _Content]
    | tuple[str | None, _Content, str]
    | tuple[str | None, _Content, str, Mapping[str, str]]
)
_Hook: TypeAlias = Callable[[Response], Any]

Url: TypeAlias = str | bytes
Params: TypeAlias = _HasItems[_Scalar, _Parameter] | Iterable[tuple[_Scalar, _Parameter]] | str | bytes | None
Data: TypeAlias = (
    _HasItems[Any, Any] | Iterable[tuple[Any, Any]] | Iterable[str | bytes] | str | bytes | Buffer | _HasRead | None
)
Json: TypeAlias = Mapping[str, "Json"] | Sequence["Json"] | str | float | bool | None
Headers: TypeAlias = Mapping[str, str | bytes] | None
Cookies: TypeAlias = CookieJar | dict[str, str] | None
Files: TypeAlias = Mapping[str, _File] | Iterable[tuple[str, _File]] | None
Auth: TypeAlias = tuple[str, str] | AuthBase | Callable[[PreparedRequest], PreparedRequest] | None
Proxies: TypeAlias = dict[str, str] | None
Hooks: TypeAlias = Mapping[str, Iterable[_Hook] | _Hook] | None
Verify: TypeAlias = bool | str | None
Cert: TypeAlias = str | tuple[str, str] | None

Seconds: TypeAlias = float | tuple[float | None, float | None] | Timeout | None
"""One number for connecting and for reading, ``(connect, read)``, or urllib3's `Timeout`; None is no timeout."""

Retries: TypeAlias = int | Mapping[str, Any] | Retry | None
"""How many, the arguments of urllib3's `Retry`, or a `Retry`; None is what the session or the process has."""


class _Arguments(TypedDict, total=False):
    headers: Headers
    cookies: Cookies
    files: Files
    auth: Auth
    timeout: Seconds
    allow_redirects: bool
    proxies: Proxies
    hooks: Hooks
    stream: bool | None
    verify: Verify
    cert: Cert
    retries: Retries


class RequestArguments(_Arguments, total=False):
    """What `request`, `options`, `head` and `delete` take by name."""

    params: Params
    data: Data
    json: Json


class GetArguments(_Arguments, total=False):
    """What `get` takes by name alone."""

    data: Data
    json: Json


class PostArguments(_Arguments, total=False):
    """What `post` takes by name alone."""

    params: Params


class DataArguments(_Arguments, total=False):
    """What `put` and `patch` take by name alone."""

    params: Params
    json: Json
