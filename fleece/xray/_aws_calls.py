"""A botocore API call as a subsegment. Imported by those who patch botocore alone."""

from __future__ import annotations

import os
from contextlib import suppress
from urllib.parse import unquote

from fleece._trace_header import ENVIRONMENT_VARIABLE
from fleece.xray._context import sampled_trace
from fleece.xray._document import status_flags
from fleece.xray._downstream import OwnTraceHeader, pass_on
from fleece.xray._subsegment import begin, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fleece._trace_header import TraceHeader
    from fleece.xray._subsegment import Subsegment

# Most services answer 400, and not 429, to a caller that they slow down.
_THROTTLED = frozenset(
    {
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


def traced_api_call(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``BaseClient._make_api_call`` with a subsegment around it."""

    def _make_api_call(client: Any, *args: Any, **kwargs: Any) -> Any:
        header = sampled_trace()
        opened = None if header is None else _begin(header, client, *args, **kwargs)
        if opened is None:
            return original(client, *args, **kwargs)
        return measured(opened, lambda: original(client, *args, **kwargs), _describe, _describe_error)

    return _make_api_call


def traced_make_request(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``Endpoint.make_request`` that passes the trace on; the signature does not cover its header."""

    def make_request(endpoint: Any, operation_model: Any, request_dict: Any, *args: Any, **kwargs: Any) -> Any:
        with suppress(Exception):
            pass_on(request_dict["headers"], _is_no_callers)
        return original(endpoint, operation_model, request_dict, *args, **kwargs)

    return make_request


def _is_no_callers(value: Any) -> bool:
    """Whether no caller has set that header: on Lambda, botocore itself sends the environment's as it is."""
    return isinstance(value, OwnTraceHeader) or unquote(value) == os.environ.get(ENVIRONMENT_VARIABLE)


def _begin(
    header: TraceHeader, client: Any, operation_name: Any = None, api_params: Any = None, *_: Any, **__: Any
) -> Subsegment | None:
    with suppress(Exception):
        parameters = api_params if isinstance(api_params, dict) else {}
        aws = {
            "operation": operation_name,
            "region": client.meta.region_name,
            "table_name": parameters.get("TableName"),
            "queue_url": parameters.get("QueueUrl"),
        }
        return begin(header, client.meta.service_model.service_id, "aws", fields={"aws": aws})
    return None


def _describe(opened: Subsegment, response: Any) -> None:
    """Record what a response, good or bad, says of itself."""
    about = response["ResponseMetadata"]
    opened.describe(
        aws={**opened.described("aws"), "request_id": about.get("RequestId")},
        http={"response": {"status": about.get("HTTPStatusCode"), "content_length": _length(about)}},
    )


def _describe_error(opened: Subsegment, error: BaseException) -> None:
    """Record a failed call, by what the service has answered if it is that which failed."""
    flags: dict[str, bool] = {}
    with suppress(Exception):
        response: Any = error.response  # type: ignore[attr-defined]  # a ClientError's
        _describe(opened, response)
        flags = status_flags(response["ResponseMetadata"].get("HTTPStatusCode"))
        if response["Error"]["Code"] in _THROTTLED:
            flags = {"error": True, "throttle": True}
    opened.fail(error, remote=bool(flags), flags=flags)


def _length(about: Any) -> int | None:
    length = about.get("HTTPHeaders", {}).get("content-length", "")
    return int(length) if length.isdecimal() else None
