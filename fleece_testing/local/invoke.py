"""``fleece-local invoke``: one invocation under AWS's own runtime client, with its logs and its trace."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from fleece.cli import _streams
from fleece.cli.errors import CommandError
from fleece_testing._text import printable
from fleece_testing._trace_header import new_trace_header
from fleece_testing._xray_traces import build_traces
from fleece_testing.local import control, traces
from fleece_testing.local.stack import REGION
from fleece_testing.runtime import InitError, Runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from fleece_testing._xray_traces import Trace
    from fleece_testing.local.session import Session
    from fleece_testing.runtime import FunctionError


@dataclass(frozen=True)
class Outcome:
    """The outcome of one invocation.

    Attributes:
        result: what the handler returned.
        error: the function's error, or Lambda's; ``None`` after a success.
        logs: every line that the function wrote, its initialisation included.
        request_id: ``None`` when the function did not come up.
        duration: seconds.
        trace: what it sent to X-Ray, if anything.
        refused: the reason for each datagram that X-Ray would have dropped.
    """

    result: Any
    error: FunctionError | None
    logs: list[str]
    request_id: str | None = None
    duration: float = 0.0
    trace: Trace | None = None
    refused: list[str] = field(default_factory=list)


def read_event(source: str) -> Any:
    """Read an event from a file, or from stdin where the name is ``-``.

    Raises:
        CommandError: it is not JSON.
        OSError: it cannot be read.
    """
    name = "<stdin>" if source == "-" else source
    text = _streams.read() if source == "-" else Path(source).read_bytes()
    if not text.strip():
        raise CommandError(f"{name}: is empty; an event is a JSON document, {{}} at least")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CommandError(f"{name}:{error.lineno}:{error.colno}: not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{name}: not JSON in UTF-8") from error


def invoke(
    code: Path, handler: str, event: Any, *, session: Session | None, timeout: float, environment: Mapping[str, str]
) -> Outcome:
    """Boot the function and invoke it once.

    Args:
        code: a source folder, or a built zip.
        handler: ``module.function``.
        event: the event.
        session: the local stack to lead it to; without one, it reaches no AWS.
        timeout: the time that the function has, in seconds.
        environment: more variables for it.

    Raises:
        CommandError: the code is neither a folder nor a zip that Lambda takes, or the stack has ended meanwhile.
    """
    options: dict[str, Any] = {"region": REGION}
    if session is not None:
        options = {"region": session.region, "account": session.account}
    runtime = Runtime(
        code,
        handler,
        environment={**(session.environment if session else {}), **environment},
        echo=False,
        **options,
    )
    try:
        runtime.start()
    except InitError as failed:
        return Outcome(None, failed.error, failed.logs)
    except ValueError as error:
        raise CommandError(str(error)) from error
    with runtime:
        return _invoke(runtime, event, session, timeout)


def _invoke(runtime: Runtime, event: Any, session: Session | None, timeout: float) -> Outcome:
    header = new_trace_header()
    before = control.received(session.url) if session else control.Received([], [], 0)
    invocation = runtime.invoke(event, deadline=timeout, trace_header=header)
    if session:
        received = control.received(session.url, before.position)
        documents, refused = received.documents, received.refused[len(before.refused) :]
    else:
        documents, refused = runtime.xray.documents, [one.reason for one in runtime.xray.refused]
    # Others may be sending to the same daemon.
    found = build_traces([one for one in documents if one["trace_id"] in header])
    return Outcome(
        result=invocation.result,
        error=invocation.error,
        logs=runtime.logs,
        request_id=invocation.request_id,
        duration=invocation.duration,
        trace=found[0] if found else None,
        refused=refused,
    )


def show(outcome: Outcome, console: Console) -> None:
    """Write the result to stdout, as JSON, and all else to the console.

    Raises:
        CommandError: the function failed.
    """
    for line in outcome.logs:
        # AWS's runtime client joins the lines of one record by carriage returns, and indents with hard spaces.
        for part in line.rstrip("\r").split("\r"):
            console.print(Text(printable(part.replace("\t", "    ").replace("\xa0", " "))), soft_wrap=True)
    if outcome.trace is not None:
        console.print()
        traces.draw(console, outcome.trace)
    for reason in outcome.refused:
        console.print(Text(traces.refusal(reason)), soft_wrap=True)
    if outcome.error is None:
        console.print(Text(f"Answered in {outcome.duration * 1000:.0f} ms, request {outcome.request_id}"))
        _streams.write(outcome.result if isinstance(outcome.result, bytes) else _json(outcome.result))
    _raise(outcome.error)


def show_json(outcome: Outcome) -> None:
    """Write all of it to stdout, as one JSON document.

    Raises:
        CommandError: the function failed.
    """
    result = outcome.result
    document = {
        "request_id": outcome.request_id,
        "result": result.decode("utf-8", "replace") if isinstance(result, bytes) else result,
        "error": None if outcome.error is None else asdict(outcome.error),
        "logs": outcome.logs,
        "duration": outcome.duration,
        "trace": None if outcome.trace is None else traces.as_document(outcome.trace),
        "refused": outcome.refused,
    }
    _streams.write(_json(document))
    _raise(outcome.error)


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _raise(error: FunctionError | None) -> None:
    if error is not None:
        raise CommandError(f"the function failed: {error}")
