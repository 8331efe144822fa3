"""fleece 1.2.1's helpers for tests, under their old names and with their old parameters.

New tests have more from `fleece_testing`: a context object that is AWS's field by field, and builders for every kind of
event. This is the one module of fleece that imports it, so it needs the extra ``testing``.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from fleece.events import format_event
from fleece_testing.context import LambdaContext as _LambdaContext

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LambdaContext", "LambdaEvent", "LambdaRequestGenerator", "dict_update"]

_HOST = "example.execute-api.us-east-1.amazonaws.com"
_ADDRESS = "127.0.0.1"
_AGENT = "python-requests"


class LambdaContext(_LambdaContext):
    """Lambda's context object, with the parameters of 1.2.1.

    Args:
        function_name: the function's name.
        function_version: the version.
        remaining_time_in_milli: the time left from now, in milliseconds; it ticks.
        memory_limit_in_mb: the configured memory.
        region: the region in the ARN.
        account_id: the account number in the ARN.
        stage: the alias that ends the ARN.
        aws_request_id: default: a new one.
        client_context: what a mobile SDK sends; ``None`` is none, as on Lambda.

    Examples:
        >>> LambdaContext(function_name="users", stage="live").invoked_function_arn
        'arn:aws:lambda:us-east-1:999999999999:function:users:live'
    """

    def __init__(
        self,
        function_name: str = "test_function",
        function_version: str | int = 1,
        remaining_time_in_milli: int = 9999,
        memory_limit_in_mb: str | int = 256,
        region: str = "us-east-1",
        account_id: str | int = "999999999999",
        stage: str = "test_stage",
        aws_request_id: str | None = None,
        client_context: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            function_name=function_name,
            function_version=function_version,
            memory_limit_in_mb=memory_limit_in_mb,
            region=region,
            account_id=account_id,
            qualifier=stage,
            aws_request_id=aws_request_id,
            deadline=remaining_time_in_milli / 1000,
            client_context=client_context,
        )


class LambdaEvent:
    """An event of yoke's request template.

    What is given replaces a default part; `generate` then changes parts of it.

    Args:
        body: the request's body, decoded.
        gateway: ``http-method``, ``resource-path``, ``stage``, ...
        header: the request's headers.
        operation: the template's name for the operation.
        path: path parameters.
        querystring: the query's parameters.
        requestor: ``source-ip``, ``user-agent``, ...

    Examples:
        >>> event = LambdaEvent(path={"id": "7"}).generate(path={"part": "a"}, operation="users:get")
        >>> event["operation"], event["parameters"]["request"]["path"]
        ('users:get', {'id': '7', 'part': 'a'})
    """

    def __init__(
        self,
        body: Mapping[str, Any] | None = None,
        gateway: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
        operation: str | None = None,
        path: Mapping[str, Any] | None = None,
        querystring: Mapping[str, Any] | None = None,
        requestor: Mapping[str, Any] | None = None,
    ) -> None:
        self.body = dict(body or {})
        self.gateway = _default_gateway() if gateway is None else dict(gateway)
        self.header = _default_header() if header is None else dict(header)
        self.operation = operation or "test:operation"
        self.path = dict(path or {})
        self.querystring = dict(querystring or {})
        self.requestor = _default_requestor() if requestor is None else dict(requestor)

    def generate(self, merge_with_default: bool = True, **kwargs: Any) -> dict[str, Any]:
        """Return the event.

        Args:
            merge_with_default: whether `kwargs` are merged into this object's parts; else each part is what
                `kwargs` says, and empty where they say nothing.
            kwargs: parts, by the names of the class's arguments.
        """

        def part(name: str) -> dict[str, Any]:
            return dict_update(getattr(self, name), merge_with_default, kwargs.get(name) or {})

        return {
            "operation": kwargs.get("operation") or self.operation,
            "parameters": {
                "requestor": part("requestor"),
                "request": {name: part(name) for name in ("body", "path", "querystring", "header")},
                "gateway": part("gateway"),
            },
        }


class LambdaRequestGenerator:
    """Makes what `fleece.events.format_event` returns, from an event and a context.

    Args:
        event: default: ``LambdaEvent()``.
        context: default: ``LambdaContext()``.

    Examples:
        >>> request = LambdaRequestGenerator(context=LambdaContext("users")).generate_request(body={"id": "7"})
        >>> request["body"], request["context"]["function_name"]
        ({'id': '7'}, 'users')
    """

    def __init__(self, event: LambdaEvent | None = None, context: LambdaContext | None = None) -> None:
        self.event = LambdaEvent() if event is None else event
        self.context = LambdaContext() if context is None else context

    def generate_request(self, **kwargs: Any) -> dict[str, Any]:
        """Return the request; the arguments are those of `LambdaEvent.generate`."""
        return format_event(self.event.generate(**kwargs), self.context)


def dict_update(base: Mapping[str, Any], merge: bool, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new dict: `kwargs` over `base`, or `kwargs` alone when `merge` is false.

    Examples:
        >>> dict_update({"a": 1}, True, {"b": 2}), dict_update({"a": 1}, False, {"b": 2})
        ({'a': 1, 'b': 2}, {'b': 2})
    """
    return {**base, **kwargs} if merge else dict(kwargs)


def _default_gateway() -> dict[str, Any]:
    return {
        "http-method": "GET",
        "request-id": str(uuid.uuid4()),
        "resource-path": "/test/path/",
        "stage": "test_stage",
        "stage-data": {},
    }


def _default_header() -> dict[str, str]:
    return {
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate",
        "Host": _HOST,
        "User-Agent": _AGENT,
        "X-Forwarded-For": _ADDRESS,
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        "x-auth-token": "FAKE_TOKEN",
    }


def _default_requestor() -> dict[str, str]:
    return {
        "account-id": "",
        "api-key": "",
        "caller": "",
        "source-ip": _ADDRESS,
        "user": "",
        "user-agent": _AGENT,
        "user-arn": "",
    }
