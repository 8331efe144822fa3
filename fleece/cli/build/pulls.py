"""How far the engine is with the download of an image. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def percents(events: Iterable[Mapping[str, object]]) -> Iterator[int]:
    """Yield each further percent of an image that has been downloaded, from what the engine tells; 100 at the end.

    Its layers become known one after another, so that it begins too high; it never goes back.
    """
    done: dict[object, float] = {}
    totals: dict[object, float] = {}
    reached = 0
    for event in events:
        layer, detail = event.get("id"), event.get("progressDetail")
        if event.get("status") == "Downloading" and isinstance(detail, dict) and detail.get("total"):
            done[layer], totals[layer] = detail.get("current", 0), detail["total"]
        elif event.get("status") in {"Download complete", "Pull complete"} and layer in totals:
            done[layer] = totals[layer]
        percent = min(100, int(100 * sum(done.values()) / sum(totals.values()))) if totals else 0
        yield from range(reached + 1, percent + 1)
        reached = max(reached, percent)
    yield from range(reached + 1, 101)
