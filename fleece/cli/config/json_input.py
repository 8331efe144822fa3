"""JSON as input: it is turned into open YAML, by preference that of the file which it will replace."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from fleece.cli.config import document, text
from fleece.cli.config.output import to_yaml
from fleece.cli.config.source import ConfigError, Source
from fleece.cli.config.tree import OPEN_MARK, as_data, leaves

if TYPE_CHECKING:
    from fleece.cli.config.document import Document


def load(source: Source) -> Any:
    """Return what a source says if it is JSON, an object at the top; None if it has to be YAML.

    Raises:
        ConfigError: it is JSON with a key twice, or with what no configuration can have; the message has no secret.
    """
    if not source.text.lstrip().startswith("{"):
        return None

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if any(OPEN_MARK in name for name in names):
            raise source.error(f"a key has {OPEN_MARK!r} in it, which only begins values")
        twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
        if twice is not None:
            raise source.error(f"the key {twice!r} is there twice")
        return dict(pairs)

    def refused(constant: str) -> Any:
        raise source.error(f"{constant} is not JSON")

    try:
        data = json.loads(source.text, object_pairs_hook=unique, parse_constant=refused)
    except RecursionError:
        raise source.error("collections are nested too deep") from None
    except ValueError:
        return None
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise source.error("half of a surrogate pair is no character; write the character itself") from None
    return data


def as_yaml(source: Source, data: Any) -> Source:
    """Return the data as new YAML."""
    return Source(source.name, to_yaml(data), has_lines=False)


def in_place(source: Source, data: Any, closed: Document) -> Source | None:
    """Return the text of `closed` with the values of `data`; None if the two differ in more than values."""
    if _shape(as_data(closed.root, lambda _: None)) != _shape(data):
        return None
    edits = []
    for leaf in {id(leaf.node): leaf for leaf in leaves(closed.root)}.values():
        value = _at(data, leaf.path)
        if _differ(value, leaf.value):
            spot = closed.spot(leaf)
            edits += spot.edits(_spelling(value, spot))
    changed = text.substitute(closed.source.text, edits)
    made = Source(source.name, changed, marked=closed.source.marked, has_lines=False)
    return made if _says(made, data) else None


def _says(made: Source, data: Any) -> bool:
    """Whether a text means the data.

    Not so where a key stands alone, as in ``{a}``, and was to have a value; or aliases of one value were to differ.
    """
    try:
        said = as_data(document.parse(made).root, lambda leaf: leaf.value)
    except ConfigError:
        return False
    # As text, in which 1, 1.0 and true differ.
    return json.dumps(said, sort_keys=True) == json.dumps(data, sort_keys=True)


def _spelling(value: Any, spot: text.Spot) -> text.Spelling:
    if isinstance(value, str):
        return text.spell(value, spot)
    written = json.dumps(value)
    return text.Spelling(written if spot.spelling.inline else f" {written}")


def _shape(data: Any) -> Any:
    """Return the data without its values, and without the order of its keys."""
    if isinstance(data, dict):
        return {name: _shape(item) for name, item in data.items()}
    return [_shape(item) for item in data] if isinstance(data, list) else None


def _at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def _differ(one: Any, other: Any) -> bool:
    return type(one) is not type(other) or one != other


def has_comments(document: Document) -> bool:
    """Whether a text has comments: a number sign at the start of a line or after a space, outside of values."""
    return re.search(r"(?:^|\s)#", document.blanked(leaves(document.root)), re.MULTILINE) is not None
