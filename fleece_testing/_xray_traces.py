"""Documents put together to what the X-Ray console would show: subsegments, and traces as trees. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fleece_testing._xray_rules import Document

_DULL = frozenset("type id trace_id parent_id name start_time end_time in_progress subsegments".split())  # noqa: SIM905

Key: TypeAlias = tuple[str, str]


@dataclass(frozen=True)
class Node:
    """A segment or subsegment, with what was called within it, by start time."""

    document: Document
    children: list[Node] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The document's name."""
        return str(self.document["name"])

    @property
    def in_progress(self) -> bool:
        """Whether it was opened and never closed, as when the function timed out."""
        return bool(self.document.get("in_progress", False))

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it, parents first."""
        for _, node in self.walk_with_depth():
            yield node

    def lines(self) -> Iterator[str]:
        """Draw the tree, a line for each node with its name, its state and what it carries."""
        for depth, node in self.walk_with_depth():
            state = " (in progress, never closed)" if node.in_progress else ""
            carried = {key: value for key, value in node.document.items() if key not in _DULL}
            yield f"{'  ' * depth}{node.name}{state}{f' {carried!a}' if carried else ''}"

    def walk_with_depth(self) -> Iterator[tuple[int, Node]]:
        """Yield this node and all below it, parents first, each with how far below it is."""
        # Not by recursion: a function that calls itself makes traces deeper than Python's stack.
        waiting = [(0, self)]
        while waiting:
            depth, node = waiting.pop()
            yield depth, node
            waiting += [(depth + 1, child) for child in reversed(node.children)]


@dataclass(frozen=True)
class Trace:
    """All that arrived of one trace.

    The `roots` are the nodes whose parent did not arrive: in Lambda, what the handler called, since Lambda itself sends
    the function's segment.
    """

    id: str
    roots: list[Node]

    def __str__(self) -> str:
        return "\n".join([f"Trace {self.id}", *(f"  {line}" for root in self.roots for line in root.lines())])


def flattened(documents: Iterable[Document]) -> Iterator[Document]:
    """Yield each document, and the subsegments embedded in it as if each had come on its own."""
    for outer in documents:
        waiting = [outer]
        while waiting:
            document = waiting.pop()
            yield document
            inherited = {"type": "subsegment", "trace_id": document["trace_id"], "parent_id": document["id"]}
            waiting += [{**one, **inherited} for one in reversed(document.get("subsegments", []))]


def latest(documents: Iterable[Document]) -> dict[Key, Document]:
    """Return one document for each trace id and id, in order of arrival: the complete one, where it has come."""
    newest: dict[Key, Document] = {}
    for document in flattened(documents):
        key = document["trace_id"], document["id"]
        if key not in newest or newest[key].get("in_progress"):
            newest[key] = document
    return newest


def parent_key(document: Document) -> Key:
    """Return the trace id and id of what `document` was called from."""
    return document["trace_id"], document.get("parent_id", "")


def completed(documents: Iterable[Document]) -> list[Document]:
    """Return the subsegments that are complete, in the order in which they closed."""
    return [one for one in flattened(documents) if one.get("type") == "subsegment" and not one.get("in_progress")]


def build_traces(documents: Iterable[Document]) -> list[Trace]:
    """Put documents together to trees, one trace for each trace id, in order of arrival."""
    nodes = {key: Node(document) for key, document in latest(documents).items()}
    roots: dict[str, list[Node]] = {}
    for (trace_id, _), node in nodes.items():
        tops = roots.setdefault(trace_id, [])
        parent = nodes.get(parent_key(node.document))
        (tops if parent is None else parent.children).append(node)
    for node in nodes.values():
        node.children.sort(key=_start)
    return [Trace(trace_id, sorted(tops, key=_start)) for trace_id, tops in roots.items()]


def _start(node: Node) -> float:
    return float(node.document["start_time"])


def has_fields(document: Document, fields: dict[str, Any]) -> bool:
    """Whether each of `fields` is in the document; objects are compared by the keys that are asked for."""
    return all(_contains(document.get(name), value) for name, value in fields.items())


def _contains(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and _contains(found[key], value) for key, value in wanted.items()
        )
    return bool(found == wanted and isinstance(found, bool) == isinstance(wanted, bool))
