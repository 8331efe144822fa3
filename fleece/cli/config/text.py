"""Where each scalar is written, and how to write another in its place with everything around it left as it is.

A scalar has two parts: what stands where it begins (all of it; or for a block scalar the header, such as ``|-``), and
the lines of a block scalar, which come after whatever else is on the header's line, a comment for instance. Replacing
both parts apart keeps that comment, and lets a one-line scalar become a block and a block one line.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, NamedTuple

import yaml

from fleece.cli.config.loader import plain_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fleece.cli.config.source import Source


# What ends a line for PyYAML, as it did in YAML 1.1.
_BREAKS = r"\r\n\x85\u2028\u2029"
_BREAK = rf"(?:\r\n|[{_BREAKS}])"


class Context(NamedTuple):
    """What surrounds a node: whether it is inside ``[]`` or ``{}``, and the column of the block collection around."""

    flow: bool
    indent: int


class Spelling(NamedTuple):
    """How a scalar is written: its beginning, and the lines of a block scalar, each after its line break."""

    inline: str
    body: str = ""

    @property
    def is_block(self) -> bool:
        """Whether it is a block scalar, ``|`` or ``>``."""
        return self.inline.startswith(("|", ">"))

    @property
    def body_indent(self) -> int:
        """The column of a block scalar's first line that is not blank."""
        first = _FIRST_LINE.match(self.body)
        return len(first["indent"]) if first else 0


class Edit(NamedTuple):
    """A span of the text, in characters, and what to put there."""

    start: int
    end: int
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Spot:
    """A scalar's place in a text.

    Attributes:
        spelling: how it is written there.
        start: where it begins, after an anchor.
        body_start: the end of the line on which it begins (of a block scalar) or ends.
        context: what surrounds it.
        least_indent: the least column for the lines of a block scalar: it must be deeper than the collection around it
            and than the next line, and swallow no spaces of the blank lines in between.
        at_end: whether no line break comes after it.
        line_break: the one to use for further lines.
    """

    spelling: Spelling
    start: int
    body_start: int
    context: Context
    least_indent: int
    at_end: bool
    line_break: str

    def edits(self, spelling: Spelling) -> list[Edit]:
        """Return what to replace so that the scalar is written as `spelling`."""
        edits = []
        if spelling.inline != self.spelling.inline:
            edits.append(Edit(self.start, self.start + len(self.spelling.inline), spelling.inline))
        if spelling.body != self.spelling.body:
            edits.append(Edit(self.body_start, self.body_start + len(self.spelling.body), spelling.body))
        return edits

    def blanks(self) -> list[Edit]:
        """Return what puts spaces in the place of the scalar."""
        parts = (self.start, self.spelling.inline), (self.body_start, self.spelling.body)
        return [Edit(start, start + len(part), " " * len(part)) for start, part in parts]


def substitute(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with each span replaced; the spans are apart, in any order."""
    pieces = []
    position = 0
    for edit in sorted(edits):
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, text[position:]])


def contexts(source: Source, root: yaml.Node) -> dict[int, Context]:
    """Return what surrounds each node below `root`, itself included, by the ``id`` of the node.

    A node with an anchor is where the anchor is.
    """
    found: dict[int, Context] = {}
    waiting = [(root, Context(flow=False, indent=-1))]
    while waiting:
        node, context = waiting.pop()
        if id(node) in found:
            continue
        found[id(node)] = context
        if isinstance(node, yaml.CollectionNode):
            inner = Context(flow=True, indent=context.indent) if node.flow_style else _block(source.text, node)
            # In the order of the text, so that an anchor is come to before its aliases.
            waiting += [(child, inner) for child in reversed(_children(node))]
    return found


def _children(node: yaml.CollectionNode) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value)


def _block(text: str, node: yaml.CollectionNode) -> Context:
    """Return the context inside a block collection."""
    start = node.start_mark
    if text[start.index] != "&":
        return Context(flow=False, indent=start.column)
    # The node begins at its anchor. Of a sequence, the dash is left of the first item, by two columns at least.
    return Context(flow=False, indent=_children(node)[0].start_mark.column)


_FIRST_LINE = re.compile(rf"(?: *{_BREAK})*(?P<indent> *)")
_PROPERTIES = re.compile(rf"(?:&[-0-9A-Za-z_]+(?:[ \t{_BREAKS}]|#[^{_BREAKS}]*)*)?")
_HEADER = re.compile(r"[|>][-+0-9]*")
_LINE_END = re.compile(rf"[{_BREAKS}]|\Z")
_INDENTS = re.compile(rf"(?<=[{_BREAKS}]) *")
_GAP = re.compile(rf"(?:[ \t]*{_BREAK})+ *")


def locate(source: Source, node: yaml.ScalarNode, context: Context) -> Spot:
    """Return where a scalar is written."""
    text = source.text
    properties = _PROPERTIES.match(text, node.start_mark.index, node.end_mark.index)
    start = properties.end() if properties else node.start_mark.index
    body = ""
    if node.style in {"|", ">"} and (header := _HEADER.match(text, start)):
        inline = header.group()
        body_start = _line_end(text, header.end())
        body = _block_body(text[body_start : max(body_start, node.end_mark.index)])
    else:
        inline = text[start : node.end_mark.index]
        # Between brackets there are no blocks, and a line may be as long as the file.
        body_start = node.end_mark.index if context.flow else _line_end(text, node.end_mark.index)
    end = body_start + len(body)
    return Spot(
        spelling=Spelling(inline, body),
        start=start,
        body_start=body_start,
        context=context,
        least_indent=0 if context.flow else _least_indent(text, end, context.indent),
        at_end=end >= len(text),
        line_break=source.line_break,
    )


def _line_end(text: str, index: int) -> int:
    end = _LINE_END.search(text, index)
    return end.start() if end else len(text)


def _least_indent(text: str, index: int, around: int) -> int:
    gap = _GAP.match(text, index)
    if gap is None:
        return around + 1
    *blank, following = map(len, _INDENTS.findall(gap.group()))
    is_blank = gap.end() == len(text)
    return max(around + 1, *blank, following if is_blank else following + 1)


def _block_body(lines: str) -> str:
    """Cut the last line break and blank lines off the end of a block scalar's lines: they stay, whatever it says."""
    indent = Spelling("|", lines).body_indent
    # Backwards, as a search for what is at the end would go through a long gap once from each of its lines.
    return re.sub(rf"\A(?: {{0,{indent}}}(?:\n\r|[{_BREAKS}]))+", "", lines[::-1])[::-1]


def spell(value: str, spot: Spot) -> Spelling:
    """Write a string at `spot`, as much as possible in the manner of what is there.

    A text of several lines becomes a literal block where it can be one; what is between brackets is quoted.
    """
    if (spot.spelling.is_block or "\n" in value) and not spot.context.flow:
        block = _literal(value, spot)
        if block:
            return block
    inline = spot.spelling.inline
    if inline.startswith("'") and is_printable(value):
        return Spelling("'" + value.replace("'", "''") + "'")
    quoted = inline.startswith('"') or spot.context.flow
    if not quoted and _PLAIN.fullmatch(value) and plain_value(value) is value:
        # Where there was nothing, not even a space came after the colon.
        return Spelling(value if inline else f" {value}")
    return Spelling(double_quoted(value) if inline else f" {double_quoted(value)}")


def _literal(value: str, spot: Spot) -> Spelling | None:
    """Write a text as a literal block, or return None where it would come back changed."""
    indent = spot.spelling.body_indent if spot.spelling.is_block else max(spot.context.indent, 0) + 2
    lines = value.removesuffix("\n").split("\n")
    if not all(map(_LITERAL_LINE.fullmatch, lines)) or not lines[0] or lines[0][0].isspace() or not lines[-1]:
        return None
    if indent < spot.least_indent or (spot.at_end and value.endswith("\n")):
        return None
    margin = " " * indent
    body = "".join(spot.line_break + (margin + line if line else "") for line in lines)
    header = "|" if value.endswith("\n") else "|-"
    return Spelling(header if spot.spelling.inline else f" {header}", body)


# What YAML does not print. Ranges of all that it does would take Python ten times as long to compile.
_BEYOND_ASCII = r"\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff"
_UNPRINTABLE = rf"\x00-\x1f{_BEYOND_ASCII}"
_PRINTABLE = re.compile(f"[^{_UNPRINTABLE}]*")
# Editors take white space at the end of a line away: such a line is better quoted.
_LITERAL_LINE = re.compile(rf"[^\x00-\x08\x0a-\x1f{_BEYOND_ASCII}]*(?<!\s)")
# What is plain in a block for every YAML parser; others are quoted, which is never wrong.
_PLAIN = re.compile(
    rf"""(?![-?:,\[\]{{}}\#&*!|>'"%@`=<\s]) (?:(?!:\s|\s\#)[^{_UNPRINTABLE}])+ (?<![:\s])
    | :(?=[a-z])                            (?:(?!:\s|\s\#)[^{_UNPRINTABLE}])+ (?<![:\s])""",
    re.VERBOSE,
)
_ESCAPED = re.compile(f"[{_UNPRINTABLE}]")


def is_printable(value: str) -> bool:
    """Whether a text can stand in YAML as it is, on one line: no line breaks, tabs or control characters."""
    return _PRINTABLE.fullmatch(value) is not None


def double_quoted(value: str) -> str:
    """Write a string in double quotes, on one line, so that YAML and JSON both read it back the same."""
    text = json.dumps(value, ensure_ascii=False)
    return _ESCAPED.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
