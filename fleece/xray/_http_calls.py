"""A request of requests' as a subsegment. Imported by those who patch requests alone."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

from requests import PreparedRequest

from fleece.xray._context import current_subsegment, sampled_trace
from fleece.xray._document import status_flags
from fleece.xray._downstream import OwnTraceHeader, pass_on
from fleece.xray._subsegment import Subsegment, begin, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fleece._trace_header import TraceHeader


def traced_send(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``Session.send`` with a subsegment around it, and the trace in the request's headers."""

    def send(session: Any, request: PreparedRequest, **kwargs: Any) -> Any:
        def call() -> Any:
            # Only now: the parent that is sent on is this subsegment.
            pass_on(request.headers, lambda value: isinstance(value, OwnTraceHeader))
            return original(session, request, **kwargs)

        if getattr(session, "fleece_untraced", False) or not isinstance(request, PreparedRequest):
            return original(session, request, **kwargs)
        header = sampled_trace()
        if header is None or _is_redirect(header, session, kwargs):
            return call()
        opened = _begin(header, session, request)
        return call() if opened is None else measured(opened, call, _describe, Subsegment.fail)

    return send


def _is_redirect(header: TraceHeader, session: Any, kwargs: dict[str, Any]) -> bool:
    """Whether a session, within a request that is traced, goes where the answer to that has sent it."""
    opened = current_subsegment(header)
    return opened is not None and opened.owner is session and kwargs.get("allow_redirects") is False


def _begin(header: TraceHeader, session: Any, request: Any) -> Subsegment | None:
    with suppress(Exception):
        http = {"request": {"method": request.method, "url": request.url}}
        return begin(header, urlsplit(request.url).hostname or "unknown", "remote", session, {"http": http})
    return None


def _describe(opened: Subsegment, response: Any) -> None:
    length = response.headers.get("content-length", "")
    answer = {"status": response.status_code, "content_length": int(length) if length.isdecimal() else None}
    opened.describe(http={**opened.described("http"), "response": answer}, **status_flags(response.status_code))
