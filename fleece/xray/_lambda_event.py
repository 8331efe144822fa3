"""What a trace shows of a Lambda event: its kind, its ids, its method and its resource, and never what is in it.

An event carries a customer's headers, body and records. Shapes are those of "Lambda event" samples in the developer
guides of the services; the template of the yoke tool is the one that puts ``rawContext`` there.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MOST_IDS = 5


def _http_request(event: dict[Any, Any]) -> dict[str, Any] | None:
    """API Gateway's REST, HTTP and WebSocket APIs, function URLs, and the load balancer."""
    context = _at(event, "requestContext")
    if not isinstance(context, dict):
        return None
    request_id = _at(context, "requestId")
    if _at(context, "elb") is not None:
        kind, method, resource = "alb", _at(event, "httpMethod"), _at(context, "elb", "targetGroupArn")
    elif _at(context, "connectionId") is not None:
        kind, method, resource = "websocket", _at(context, "eventType"), _at(context, "routeKey")
    elif _at(context, "http") is not None:
        is_url = ".lambda-url." in str(_at(context, "domainName"))
        kind = "function-url" if is_url else "http"
        method, resource = _at(context, "http", "method"), _at(event, "routeKey")
    elif _at(event, "httpMethod") is not None or _at(context, "resourcePath") is not None:
        kind = "http-1.0" if _at(event, "version") == "1.0" else "rest"
        method, resource = _at(event, "httpMethod"), _at(event, "resource")
    else:
        return None
    return {"kind": kind, "request_id": request_id, "method": method, "resource": resource}


def _yoke_request(event: dict[Any, Any]) -> dict[str, Any] | None:
    context = _at(event, "rawContext")
    if not isinstance(context, dict):
        return None
    return {
        "kind": "yoke",
        "request_id": _at(context, "requestId"),
        "method": _at(context, "httpMethod"),
        "resource": _at(event, "parameters", "gateway", "resource-path"),
    }


def _authorizer(event: dict[Any, Any]) -> dict[str, Any] | None:
    resource = _at(event, "methodArn") or _at(event, "routeArn")
    if resource is None or _at(event, "type") not in ("TOKEN", "REQUEST"):
        return None
    return {"kind": "authorizer", "resource": resource}


def _records(event: dict[Any, Any]) -> dict[str, Any] | None:
    records = _at(event, "Records")
    first = records[0] if isinstance(records, list) and records else None
    source = _at(first, "eventSource") or _at(first, "EventSource")
    if not isinstance(records, list) or not isinstance(source, str):
        return None
    ids = [
        _at(record, "messageId") or _at(record, "eventID") or _at(record, "Sns", "MessageId")
        for record in records[:_MOST_IDS]
    ]
    resource = _at(first, "eventSourceARN") or _at(first, "s3", "bucket", "arn") or _at(first, "Sns", "TopicArn")
    return {
        "kind": source.rpartition(":")[2],
        "ids": [one for one in ids if one is not None],
        "records": len(records),
        "resource": resource,
    }


def _event_bridge(event: dict[Any, Any]) -> dict[str, Any] | None:
    if _at(event, "detail-type") is None or _at(event, "source") is None or "detail" not in event:
        return None
    return {
        "kind": "eventbridge",
        "ids": [_at(event, "id")],
        "method": _at(event, "detail-type"),
        "resource": _at(event, "source"),
    }


def _logs(event: dict[Any, Any]) -> dict[str, Any] | None:
    return {"kind": "logs"} if _at(event, "awslogs", "data") is not None else None


def _cognito(event: dict[Any, Any]) -> dict[str, Any] | None:
    if _at(event, "triggerSource") is None or _at(event, "userPoolId") is None:
        return None
    return {"kind": "cognito", "method": _at(event, "triggerSource"), "resource": _at(event, "userPoolId")}


def _at(value: Any, *path: str) -> Any:
    """Return what is at the end of a path of keys; ``None`` where there is nothing."""
    for key in path:
        if not isinstance(value, dict):
            return None
        # Not value.get: a class of the user's own may have another.
        value = dict.get(value, key)
    return value


# By a key that events of the kind have. An authorizer's event may have a request's keys as well.
_KINDS: dict[str, Callable[[dict[Any, Any]], dict[str, Any] | None]] = {
    "methodArn": _authorizer,
    "routeArn": _authorizer,
    "requestContext": _http_request,
    "rawContext": _yoke_request,
    "Records": _records,
    "detail-type": _event_bridge,
    "awslogs": _logs,
    "triggerSource": _cognito,
}


def summarise(event: dict[Any, Any]) -> dict[str, Any] | None:
    """Return what may be shown of an event of a known kind; ``None`` when `event` is none."""
    for key, kind in _KINDS.items():
        summary = kind(event) if dict.__contains__(event, key) else None
        if summary is not None:
            return {name: value for name, value in summary.items() if value is not None}
    return None
