"""CloudWatch Logs: the limits of one PutLogEvents.

Source: PutLogEvents in the CloudWatch Logs API reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleece_testing.aws.errors import AWSError

if TYPE_CHECKING:
    from fleece_testing.aws.requests import Request
    from fleece_testing.aws.strictness.state import Principal, Rule, State

MAX_EVENTS = 10_000
MAX_BATCH = 1_048_576
"""The largest batch in bytes: the messages in UTF-8, and `EVENT_OVERHEAD` for each."""

EVENT_OVERHEAD = 26
MAX_SPAN = 24 * 60 * 60 * 1000
"""The most milliseconds between the first event of a batch and its last."""


def check_put_log_events(request: Request, _caller: Principal, _state: State) -> AWSError | None:
    """Check the number of events, their size and their span; their order is checked by moto."""
    events = request.parameters.get("logEvents") or []
    if len(events) > MAX_EVENTS:
        return _invalid(
            "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length"
            f" less than or equal to {MAX_EVENTS}"
        )
    size = sum(len(event["message"].encode()) + EVENT_OVERHEAD for event in events)
    if size > MAX_BATCH:
        return _invalid(f"Upload too large: {size} bytes exceeds limit of {MAX_BATCH}")
    times = [event["timestamp"] for event in events]
    if times and max(times) - min(times) > MAX_SPAN:
        return _invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    return None


def _invalid(message: str) -> AWSError:
    return AWSError("InvalidParameterException", message)


RULES: dict[str, Rule] = {"PutLogEvents": check_put_log_events}
