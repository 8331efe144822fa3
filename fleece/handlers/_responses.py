"""From a `Response` to what the sender of the event wants back: pure functions, with no framework imported."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any

from fleece.handlers._events import Kind
from fleece.handlers._http import phrase

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece.handlers._http import Headers, Response

_MEGABYTE = 1024 * 1024
_LIMITS = {Kind.ALB: _MEGABYTE, Kind.ALB_MULTI_VALUE: _MEGABYTE}
_BODILESS = (204, 304)
_TEXT = re.compile(
    r"text/.+"
    r"|application/(json|xml|javascript|x-javascript|ecmascript|x-www-form-urlencoded|yaml|x-yaml|x-ndjson|graphql)"
    r"|.+\+(json|xml|yaml)"
)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_WRITTEN_AS_IS = ("utf-8", "utf8", "us-ascii", "ascii")


def proxy_response(kind: Kind, response: Response, method: str = "GET") -> dict[str, Any]:
    """Translate the answer to an event of that kind, into a dict that Lambda encodes as JSON.

    A body of a text type in UTF-8 goes out as text, any other as base64.
    """
    answer = _HEADER_WRITERS[kind](response)
    answer["statusCode"] = response.status
    bodiless = method == "HEAD" or response.status in _BODILESS
    answer["body"], answer["isBase64Encoded"] = ("", False) if bodiless else _body(response)
    return answer


def is_too_large(kind: Kind, response: Response, answer: Any) -> bool:
    """Whether `answer`, which `response` became, is more JSON than the sender of such an event takes."""
    limit = _LIMITS.get(kind, 6 * _MEGABYTE)
    # No byte becomes more than six in JSON, which spares nearly all answers from being encoded twice.
    bytes_in = len(response.body)
    for name, value in response.headers:
        bytes_in += len(name) + len(value)
    return 6 * bytes_in + _ENVELOPE > limit and _json_size(answer) > limit


# Status code, names of the members, punctuation, and the case variants of a name.
_ENVELOPE = 1000


def _json_size(answer: Any) -> int:
    """Return the bytes of an answer as AWS's runtime client encodes it: in ASCII before its image of Python 3.12."""
    version = sys.version_info[:2]
    in_utf_8 = version >= (3, 12) and os.environ.get("AWS_EXECUTION_ENV") == "AWS_Lambda_python{}.{}".format(*version)
    return len(json.dumps(answer, ensure_ascii=not in_utf_8).encode("utf-8", "replace"))


def _body(response: Response) -> tuple[str, bool]:
    if not response.body:
        return "", False
    if _is_text(response.header("content-type")) and not response.header("content-encoding"):
        try:
            return response.body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(response.body).decode(), True


@lru_cache(maxsize=128)
def _is_text(content_type: str) -> bool:
    if not _TEXT.fullmatch(content_type.partition(";")[0].strip().lower()):
        return False
    charset = _CHARSET.search(content_type)
    return charset is None or charset[1].lower() in _WRITTEN_AS_IS


def _multi_value(headers: Headers) -> dict[str, list[str]]:
    """Gather the values of each header, in order, under the spelling of its name that came first."""
    by_lower_case: dict[str, list[str]] = {}
    gathered: dict[str, list[str]] = {}
    for name, value in headers:
        text = value if value.isascii() else _as_text(value)
        lower_case = name.lower()
        if lower_case in by_lower_case:
            by_lower_case[lower_case].append(text)
        else:
            by_lower_case[lower_case] = gathered[name] = [text]
    return gathered


def _joined(headers: Headers) -> dict[str, str]:
    return {name: ", ".join(values) for name, values in _multi_value(headers).items()}


def _as_text(value: str) -> str:
    """Return the text of the bytes that a header holds: UTF-8, or latin-1 where it is none."""
    octets = value.encode("latin-1", "replace")
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _apart(headers: Headers) -> tuple[list[str], Headers]:
    """Part the values of ``Set-Cookie``, the one header whose values cannot be joined, from all others."""
    cookies = [_as_text(value) for name, value in headers if name.lower() == "set-cookie"]
    return cookies, [header for header in headers if header[0].lower() != "set-cookie"] if cookies else headers


def _write_multi_value(response: Response) -> dict[str, Any]:
    return {"multiValueHeaders": _multi_value(response.headers)}


def _write_cookies_apart(response: Response) -> dict[str, Any]:
    cookies, others = _apart(response.headers)
    return {"headers": _joined(others), **({"cookies": cookies} if cookies else {})}


def _write_single_value(response: Response) -> dict[str, Any]:
    """Give each cookie a spelling of its own: the balancer takes one value for each name, but compares names exactly.

    Without multi-value headers there is no other way to set two cookies; header names have no case for clients.
    """
    cookies, others = _apart(response.headers)
    either_case = [dict.fromkeys(letters) for letters in zip("set-cookie", "SET-COOKIE", strict=True)]
    spellings = map("".join, product(*either_case))  # 512, made as they are asked for
    return {"headers": {**_joined(others), **dict(zip(spellings, cookies, strict=False))}}


def _described(write: Callable[[Response], dict[str, Any]]) -> Callable[[Response], dict[str, Any]]:
    """Add the status line that load balancers want."""

    def write_described(response: Response) -> dict[str, Any]:
        return {"statusDescription": f"{response.status} {phrase(response.status)}".strip(), **write(response)}

    return write_described


_HEADER_WRITERS: dict[Kind, Callable[[Response], dict[str, Any]]] = {
    Kind.REST: _write_multi_value,
    Kind.HTTP_1: _write_multi_value,
    Kind.HTTP_2: _write_cookies_apart,
    Kind.FUNCTION_URL: _write_cookies_apart,
    Kind.ALB: _described(_write_single_value),
    Kind.ALB_MULTI_VALUE: _described(_write_multi_value),
    Kind.YOKE: _write_multi_value,
}
