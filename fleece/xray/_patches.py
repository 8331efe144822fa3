"""Put the tracing of botocore's and requests' calls into these libraries, and take it out again.

They are imported when they are patched, not before.
"""

from __future__ import annotations

import sys
from functools import wraps
from threading import Lock

from fleece._defaults import defaults

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Function: TypeAlias = Callable[..., Any]

_MARK = "__fleece_xray_patch__"
_PLACES = (
    ("botocore.client", "BaseClient", "_make_api_call"),
    ("botocore.endpoint", "Endpoint", "make_request"),
    ("requests.sessions", "Session", "send"),
)


def monkey_patch_botocore_for_xray() -> None:
    """Trace every call of every botocore (and so boto3) client, also of those that exist already.

    One API call is one subsegment, its retries included. Patching twice is the same as once.
    """
    from botocore.client import BaseClient  # noqa: PLC0415 (loaded by those who use it)
    from botocore.endpoint import Endpoint  # noqa: PLC0415

    from fleece.xray._aws_calls import traced_api_call, traced_make_request  # noqa: PLC0415

    _patch(BaseClient, "_make_api_call", traced_api_call)
    _patch(Endpoint, "make_request", traced_make_request)


def monkey_patch_requests_for_xray() -> None:
    """Trace every request of every `requests.Session`, and so of `fleece.requests`.

    What a caller asked for is one subsegment: redirects and retries are part of it. Patching twice is the same as once.
    A session with a true attribute ``fleece_untraced`` is left alone, for URLs that are secrets themselves.
    """
    from requests.sessions import Session  # noqa: PLC0415 (loaded by those who use it)

    from fleece.xray._http_calls import traced_send  # noqa: PLC0415

    _patch(Session, "send", traced_send)


def unpatch_xray() -> None:
    """Remove the patches. A patch that another library has patched again stays in place below that one."""
    with defaults.resource("xray.patching", Lock):
        for module, owner_name, name in _PLACES:
            owner = getattr(sys.modules.get(module), owner_name, None)
            patched = getattr(owner, name, None)
            if owner is not None and _is_ours(patched):
                setattr(owner, name, patched.__wrapped__)  # type: ignore[union-attr]  # see _is_ours


def _patch(owner: type, name: str, make: Callable[[Function], Function]) -> None:
    with defaults.resource("xray.patching", Lock):
        original = getattr(owner, name)
        if not hasattr(original, _MARK):  # ours, or somebody else's around ours
            patched = wraps(original)(make(original))
            setattr(patched, _MARK, patched)
            setattr(owner, name, patched)


def _is_ours(function: Any) -> bool:
    # functools.wraps copies attributes, so the mark alone may be on somebody else's function around ours.
    return function is not None and getattr(function, _MARK, None) is function
