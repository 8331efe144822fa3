"""New trace ids and headers, as Lambda makes them."""

from __future__ import annotations

import secrets
import time


def new_trace_id() -> str:
    """Return a trace id of now."""
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def new_trace_header() -> str:
    """Return the header of a new trace, sampled, as Lambda makes it."""
    return f"Root={new_trace_id()};Parent={secrets.token_hex(8)};Sampled=1"
