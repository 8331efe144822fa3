# /// script
# requires-python = ">=3.10"
# dependencies = ["fleece[testing]", "apig-wsgi==2.20.0", "mangum==0.22.0", "serverless-wsgi==3.1.0"]
#
# [tool.uv.sources]
# fleece = { path = "../../../.." }
# ///
# ruff: noqa: T201 (a report is printed)
"""Play the conformance table with fleece's peers, and print what each of them passes: a report, not a test.

    uv run tests/fleece/handlers/conformance/peers.py [--reasons] [--json FILE]

Each peer is set up as well as it can be: binary answers on, text types added, stages and base paths told where it has
an option. A case counts as passed when the application sees what it must and the client gets what it must. A fault that
a peer has in every request counts in one case alone, that is about it (`COUNTED_ONCE`). `--reasons` lists each failure.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))  # where PYTHONSAFEPATH keeps Python from looking

import apig_wsgi
import exchange
import mangum
import serverless_wsgi
import table

from fleece.handlers.asgi import asgi_handler
from fleece.handlers.wsgi import wsgi_handler
from fleece_testing.context import LambdaContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Play = Callable[[Any, str, dict[str, Any], list[Any]], Any]

# What the peers do not take for text by themselves.
TEXT_TYPES = ["application/problem+json", "application/vnd.api+json", "image/svg+xml", "application/xml"]
# What would otherwise fail every case of a kind: how the difference begins, and the case that counts it.
COUNTED_ONCE = {
    "sees address": "an address that the client claims",
    "sees length": "JSON",
    "sees headers {'cookie': ''}": "a header",
}


def base_path(case: Any, kind: str) -> str:
    """Return the part of the event's path that somebody who knows the deployment would tell the peer to take off."""
    is_in_path = kind != "rest" or "base_path" in case.options.get(kind, {})
    return str(case.root.get(kind, "")) if is_in_path else ""


def fleece_wsgi(case: Any, _kind: str, event: dict[str, Any], seen: list[Any]) -> Any:
    """Call fleece, which needs to be told nothing."""
    return wsgi_handler(event, LambdaContext(), exchange.wsgi_application(case, seen))


def fleece_asgi(case: Any, _kind: str, event: dict[str, Any], seen: list[Any]) -> Any:
    """Call fleece, which needs to be told nothing."""
    return asgi_handler(event, LambdaContext(), exchange.asgi_application(case, seen))


def apig(case: Any, _kind: str, event: dict[str, Any], seen: list[Any]) -> Any:
    """Call apig-wsgi, with binary answers on; it has no option for base paths."""
    text = (*apig_wsgi.DEFAULT_NON_BINARY_CONTENT_TYPE_PREFIXES, *TEXT_TYPES)
    handler = apig_wsgi.make_lambda_handler(
        exchange.wsgi_application(case, seen), binary_support=True, non_binary_content_type_prefixes=text
    )
    return handler(event, LambdaContext())


def serverless(case: Any, kind: str, event: dict[str, Any], seen: list[Any]) -> Any:
    """Call serverless-wsgi, with its variable for base paths."""
    path = base_path(case, kind).strip("/")
    text = [*serverless_wsgi.TEXT_MIME_TYPES, *TEXT_TYPES]
    with (
        mock.patch.dict(os.environ, {"API_GATEWAY_BASE_PATH": path} if path else {}),
        mock.patch.object(serverless_wsgi, "TEXT_MIME_TYPES", text),
    ):
        return serverless_wsgi.handle_request(exchange.wsgi_application(case, seen), event, LambdaContext())


def mangum_asgi(case: Any, kind: str, event: dict[str, Any], seen: list[Any]) -> Any:
    """Call Mangum, with text types added and its option for base paths."""
    text = [*mangum.adapter.DEFAULT_TEXT_MIME_TYPES, *TEXT_TYPES]
    application = exchange.asgi_application(case, seen)
    path = base_path(case, kind) or "/"
    handler = mangum.Mangum(application, lifespan="off", text_mime_types=text, api_gateway_base_path=path)
    return handler(event, LambdaContext())


PLAYERS: dict[str, Play] = {
    "fleece (WSGI)": fleece_wsgi,
    "apig-wsgi": apig,
    "serverless-wsgi": serverless,
    "fleece (ASGI)": fleece_asgi,
    "mangum": mangum_asgi,
}


def outcomes(play: Play) -> Iterator[tuple[str, str, list[str]]]:
    """Play every case through every kind of proxy event: kind, name of the case, and what was wrong."""
    for case in table.CASES:
        for kind in case.kinds:
            if kind != "yoke":  # fleece's alone
                yield kind, case.name, outcome(play, case, kind)


def outcome(play: Play, case: Any, kind: str) -> list[str]:
    """Play one case through one kind of event."""
    event, seen = exchange.event_of(case, kind), []
    try:
        with open(os.devnull, "w") as quiet, contextlib.redirect_stderr(quiet):  # noqa: PTH123 (no file of ours)
            answer = play(case, kind, event, seen)
        found = exchange.differences(case, kind, seen, exchange.received(kind, event, answer))
    except Exception as error:  # noqa: BLE001 (whatever a peer raises, clients get a 502)
        return [f"{type(error).__name__}: {error}"]
    elsewhere = tuple(beginning for beginning, name in COUNTED_ONCE.items() if name != case.name)
    return [line for line in found if not line.startswith(elsewhere)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--reasons", action="store_true", help="say what was wrong with each case")
    parser.add_argument("--json", type=Path, help="write all outcomes to this file")
    arguments = parser.parse_args()
    played = {name: list(outcomes(play)) for name, play in PLAYERS.items()}
    for package in ("fleece", "apig-wsgi", "serverless-wsgi", "mangum"):
        print(f"{package} {importlib.metadata.version(package)}", end="  ")
    print("\n\n| kind of event | " + " | ".join(played) + " |\n|---|" + "---|" * len(played))
    for kind in table.PROXY_KINDS:
        cells = [[wrong for of, _, wrong in results if of == kind] for results in played.values()]
        print(f"| {kind} | " + " | ".join(f"{cell.count([])} of {len(cell)}" for cell in cells) + " |")
    if arguments.reasons:
        for name, results in played.items():
            print(f"\n{name}")
            for kind, case, wrong in results:
                if wrong:
                    print(f"  {kind}, {case}: {'; '.join(wrong)}")
    if arguments.json:
        arguments.json.write_text(json.dumps(played, indent=1))


if __name__ == "__main__":
    main()
