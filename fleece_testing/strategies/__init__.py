"""Hypothesis strategies for what functions and fleece's commands read: whatever people and AWS may send.

A test of a law:

    from hypothesis import given
    from fleece_testing import strategies

    @given(event=strategies.events())
    def test_no_event_breaks_the_function(event):
        handler(event, None)
"""

from fleece_testing._extras import require

require(__name__, "hypothesis")

from fleece_testing.strategies._configurations import (  # noqa: E402 (after the hint)
    ENVIRONMENTS,
    KEYS,
    OpenConfiguration,
    open_configurations,
    secret_texts,
)
from fleece_testing.strategies._environments import environments  # noqa: E402
from fleece_testing.strategies._events import events, http_requests  # noqa: E402
from fleece_testing.strategies._lambda import log_fields, trace_headers  # noqa: E402

__all__ = [
    "ENVIRONMENTS",
    "KEYS",
    "OpenConfiguration",
    "environments",
    "events",
    "http_requests",
    "log_fields",
    "open_configurations",
    "secret_texts",
    "trace_headers",
]
