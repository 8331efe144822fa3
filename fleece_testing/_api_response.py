"""What becomes of a handler's answer on its way to the client, for each kind of event. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

MAX_ANSWER = 6 * 1024 * 1024
MAX_ANSWER_OF_BALANCER = 1024 * 1024

_SINGLE = ("headers",)
_MULTIPLE = ("headers", "multiValueHeaders")
# Where each kind looks for headers; what is elsewhere does not reach the client.
_HEADER_MAPS = {
    "rest": _MULTIPLE,
    "http_1": _MULTIPLE,
    "http": _SINGLE,
    "function_url": _SINGLE,
    "alb": _SINGLE,
    "alb_multi_value": ("multiValueHeaders",),
}


class MalformedAnswerError(AssertionError):
    """The handler's answer is none that the service in front of it understands: clients would get a 502.

    Examples:
        >>> from fleece_testing.api import Client
        >>> Client(lambda event, context: {"body": "no status"}).get("/")
        Traceback (most recent call last):
        ...
        fleece_testing._api_response.MalformedAnswerError: ...
    """


@dataclass(frozen=True)
class Response:
    """What the client receives.

    Attributes:
        status: the status code.
        headers: found in any case; ``headers.getlist(name)`` has the repeated ones.
        content: the body, in bytes.
        event: the event that the handler was called with; like `answer` it is left out of `repr`.
        answer: what the handler returned.

    Examples:
        >>> from fleece_testing.api import Client
        >>> cookies = {"Set-Cookie": ["a=1; Path=/", "b=2"]}
        >>> answer = {"statusCode": 200, "body": '{"id": 1}', "multiValueHeaders": cookies}
        >>> response = Client(lambda event, context: answer).get("/v1/users/1")
        >>> response.status, response.text, response.json(), response.cookies
        (200, '{"id": 1}', {'id': 1}, {'a': '1', 'b': '2'})
    """

    status: int
    headers: Headers
    content: bytes
    event: dict[str, Any] = field(repr=False)
    answer: Any = field(repr=False)

    @property
    def text(self) -> str:
        """The body as text, by the charset of the content type, else UTF-8."""
        charset = self.headers.get("Content-Type", "").lower().partition("charset=")[2].strip("\"' ;")
        return self.content.decode(charset or "utf-8")

    def json(self) -> Any:
        """Return the body, parsed.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(self.content)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that the response sets, by name; those it deletes have the value ``""``."""
        return {
            name: "" if morsel["max-age"] == "0" else morsel.value
            for header in self.headers.getlist("Set-Cookie")
            for name, morsel in SimpleCookie(header).items()
        }


def read_answer(kind: str, event: dict[str, Any], answer: Any) -> Response:
    """Translate a handler's answer as the service of that kind does.

    Raises:
        MalformedAnswerError: the service would not understand it.
    """
    encoded = _as_json(answer)
    limit = MAX_ANSWER_OF_BALANCER if kind.startswith("alb") else MAX_ANSWER
    _check(len(encoded) <= limit, f"it is {len(encoded)} bytes of JSON, and {limit} is the most that is taken")
    answer = json.loads(encoded)
    if kind == "yoke":  # not a proxy integration: the answer is the body
        return Response(200, Headers([("Content-Type", "application/json")]), encoded, event, answer)
    if kind in ("http", "function_url") and not (isinstance(answer, dict) and "statusCode" in answer):
        # Payload 2.0 takes any JSON value for the body of a 200.
        content = answer.encode() if isinstance(answer, str) else encoded
        return Response(200, Headers([("Content-Type", "application/json")]), content, event, answer)
    _check(isinstance(answer, dict), f"it is {_shown(answer)}, and not an object")
    return Response(_status(answer), _headers(kind, answer), _body(answer), event, answer)


def _as_json(answer: Any) -> bytes:
    try:
        return json.dumps(answer, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise MalformedAnswerError(f"The handler's answer cannot be written as JSON: {error}") from None


def _status(answer: dict[str, Any]) -> int:
    status = answer.get("statusCode")
    number = int(status) if isinstance(status, str) and status.isdecimal() else status
    if type(number) is not int:
        raise MalformedAnswerError(f"The handler's answer is malformed: its statusCode is {_shown(status)}")
    return number


def _headers(kind: str, answer: dict[str, Any]) -> Headers:
    multiple = list(_multiple_values(answer)) if "multiValueHeaders" in _HEADER_MAPS[kind] else []
    names = {name.lower() for name, _ in multiple}
    single = _object(answer, "headers").items() if "headers" in _HEADER_MAPS[kind] else ()
    headers = Headers(multiple)
    for name, value in single:
        # Of a name that is in both maps, the multi-value one counts.
        if name.lower() not in names:
            headers.add(name, _header_value(name, value))
    if kind in ("http", "function_url"):
        cookies = answer.get("cookies") or []
        _check(isinstance(cookies, list), f"its cookies are {_shown(cookies)}, and not an array")
        headers.extend([("Set-Cookie", str(cookie)) for cookie in cookies])
    return headers


def _multiple_values(answer: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name, values in _object(answer, "multiValueHeaders").items():
        _check(isinstance(values, list), f"the multi-value header {name} is {_shown(values)}, and not an array")
        for value in values:
            yield name, _header_value(name, value)


def _header_value(name: str, value: Any) -> str:
    simple = isinstance(value, (str, int, float, bool))
    _check(simple, f"the header {name} is {_shown(value)}, and not a string")
    text = value if isinstance(value, str) else json.dumps(value)
    _check("\r" not in text and "\n" not in text, f"the header {name} has a line break: {_shown(text)}")
    return text


def _body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedAnswerError(f"The handler's answer is malformed: its body is {_shown(body)}, and not a string")
    if not answer.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise MalformedAnswerError(f"The handler's answer is malformed: its body is not base64 ({error})") from error


def _object(answer: dict[str, Any], name: str) -> dict[str, Any]:
    value = answer.get(name) or {}
    _check(isinstance(value, dict), f"its {name} are {_shown(value)}, and not an object")
    return dict(value)


def _check(holds: bool, what: str) -> None:
    if not holds:
        raise MalformedAnswerError(f"The handler's answer is malformed: {what}")


def _shown(value: Any) -> str:
    shown = ascii(value)
    return shown if len(shown) <= 100 else f"{shown[:100]}..."  # noqa: PLR2004 (a line of a terminal)
