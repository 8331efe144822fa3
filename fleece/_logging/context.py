"""Fields of every line of this context, held in one context variable, under the names that structlog uses."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping
    from typing import Any

_ABSENT = object()

# The dict is replaced and never written to: whoever has read it keeps what was true then.
fields: ContextVar[dict[str, Any]] = ContextVar("fleece.log fields", default={})  # noqa: B039 (never written to)


def get_contextvars() -> dict[str, Any]:
    """Return a copy of the fields bound in this context."""
    return dict(fields.get())


def bind_contextvars(**values: Any) -> Mapping[str, object]:
    """Put fields into every line of this context: of this thread or task, and of the tasks it starts from now on.

    Within a handler decorated with `inject_request_ids_into_environment` they last until the invocation ends.

    Returns:
        For each name what `reset_contextvars` needs to put it back.
    """
    before = fields.get()
    fields.set({**before, **values})
    return {name: before.get(name, _ABSENT) for name in values}


def reset_contextvars(**tokens: object) -> None:
    """Put fields back to what they were before the `bind_contextvars` that returned these tokens."""
    now = {**fields.get(), **tokens}
    fields.set({name: value for name, value in now.items() if value is not _ABSENT})


def unbind_contextvars(*names: str) -> None:
    """Take fields out of this context; names that are not bound are ignored."""
    fields.set({name: value for name, value in fields.get().items() if name not in names})


def clear_contextvars() -> None:
    """Take all fields out of this context."""
    fields.set({})


@contextlib.contextmanager
def bound_contextvars(**values: Any) -> Iterator[None]:
    """Bind fields for the length of a ``with`` block, or of a decorated function, then put back what was before."""
    tokens = bind_contextvars(**values)
    try:
        yield
    finally:
        reset_contextvars(**tokens)


def merge_contextvars(
    logger: object,  # noqa: ARG001 (a structlog processor's signature)
    name: str,  # noqa: ARG001
    event_dict: MutableMapping[str, Any],
) -> MutableMapping[str, Any]:
    """Add this context's fields to a structlog event; fields that the event has already win."""
    for field, value in fields.get().items():
        event_dict.setdefault(field, value)
    return event_dict
