"""What comes of booting and of invoking a function."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fleece._errors import FleeceError
from fleece_testing.logs import parse_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleece_testing._runtime_api import FunctionError
    from fleece_testing.xray_daemon import Document


class InitError(FleeceError):
    """The function's process did not come up: its module could not be imported, or it ended before the first event.

    Attributes:
        error: the error as Lambda reports it.
        logs: what the process wrote, line by line.

    Examples:
        >>> (tmp_path / "app.py").write_text("1 / 0")
        5
        >>> fleece_runtime(tmp_path, "app.main")
        Traceback (most recent call last):
        ...
        fleece_testing._runtime_outcome.InitError: The function could not be initialised: ...
    """

    def __init__(self, error: FunctionError, logs: Sequence[str]) -> None:
        super().__init__(f"The function could not be initialised: {error}")
        self.error = error
        self.logs = list(logs)


@dataclass(frozen=True)
class Invocation:
    r"""The outcome of one invocation.

    Attributes:
        request_id: the id that the function saw as ``aws_request_id``.
        result: what the handler returned, through JSON (bytes, where it returned bytes that are no JSON); ``None``
            after an error.
        error: the error, the function's or Lambda's own; ``None`` after a success.
        logs: the lines written to stdout and stderr meanwhile, without their newlines. With several workers the other
            workers' lines are among them, and a line counts when it is finished.
        duration: from handing the event out to having the answer, in seconds.
        subsegments: the complete X-Ray subsegments of this invocation's trace, if they went to the runtime's own
            daemon.

    Examples:
        >>> code = (tmp_path / "app.py").write_text("def main(event, context): print('{\"event\": \"here\"}')")
        >>> invocation = fleece_runtime(tmp_path, "app.main").invoke()
        {"event": "here"}
        >>> invocation.result, invocation.error, invocation.log_lines
        (None, None, [{'event': 'here'}])
    """

    request_id: str
    result: Any
    error: FunctionError | None
    logs: list[str]
    duration: float
    subsegments: list[Document] = field(default_factory=list)

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        """Those of the lines that are JSON objects, parsed."""
        return parse_lines(self.logs)


def parsed(payload: bytes | None) -> Any:
    """Return what a handler has returned: from JSON, or as it is where it is no JSON."""
    if payload is None:
        return None
    try:
        return json.loads(payload)
    except ValueError:
        return payload


def lines_of(text: str) -> list[str]:
    """Return the lines of what a function has written, the last with a newline or without."""
    # Not splitlines(): the carriage returns within a record do not end it.
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]
