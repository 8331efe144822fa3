"""Put the tracing of botocore's and requests' calls into these libraries, and take it out again.

They are imported when they are patched, not before.
"""

from __future__ import annotations

import sys
from collections import namedtuple
from functools import wraps
from importlib import import_module
from threading import Lock

from fleece._defaults import defaults
from fleece.xray._aws_calls import traced_api_call, traced_make_request
from fleece.xray._http_calls import traced_send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NamedTuple

    class Place(NamedTuple):
        """A method to patch, and what makes the patch from the original."""

        module: str
        owner: str
        name: str
        make: Callable[[Callable[..., Any]], Callable[..., Any]]
else:
    Place = namedtuple("Place", "module owner name make")  # noqa: PYI024 (its typed twin is above)

_MARK = "__fleece_xray_patch__"
_BOTOCORE = (
    Place("botocore.client", "BaseClient", "_make_api_call", traced_api_call),
    Place("botocore.endpoint", "Endpoint", "make_request", traced_make_request),
)
_REQUESTS = (Place("requests.sessions", "Session", "send", traced_send),)


def monkey_patch_botocore_for_xray() -> None:
    """Trace every call of every botocore (and so boto3) client, also of those that exist already.

    One API call is one subsegment, its retries included. Patching twice is the same as once.
    """
    _patch(_BOTOCORE)


def monkey_patch_requests_for_xray() -> None:
    """Trace every request of every `requests.Session`, and so of `fleece.requests`.

    What a caller asked for is one subsegment: redirects and retries are part of it. Patching twice is the same as once.
    A session with a true attribute ``fleece_untraced`` is left alone, for URLs that are secrets themselves.
    """
    _patch(_REQUESTS)


def unpatch_xray() -> None:
    """Take the patches back; one that another library has put its own on top of stays, below that."""
    with defaults.resource("xray.patching", Lock):
        for place in (*_BOTOCORE, *_REQUESTS):
            owner = getattr(sys.modules.get(place.module), place.owner, None)
            patched = getattr(owner, place.name, None)
            if owner is not None and _is_ours(patched):
                setattr(owner, place.name, patched.__wrapped__)


def _patch(places: tuple[Place, ...]) -> None:
    with defaults.resource("xray.patching", Lock):
        for place in places:
            owner = getattr(import_module(place.module), place.owner)
            original = getattr(owner, place.name)
            if not hasattr(original, _MARK):  # ours, or somebody else's around ours
                patched = wraps(original)(place.make(original))
                setattr(patched, _MARK, patched)
                setattr(owner, place.name, patched)


def _is_ours(function: Any) -> bool:
    # functools.wraps copies attributes, so the mark alone may be on somebody else's function around ours.
    return function is not None and getattr(function, _MARK, None) is function
