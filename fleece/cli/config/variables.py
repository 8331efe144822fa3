"""The values of a stage as environment variables: ``nested.inner`` becomes ``NESTED_INNER``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fleece.cli.config.parameters import as_text
from fleece.cli.config.tree import Dict, place
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleece.cli.config.render import Rendered
    from fleece.cli.config.tree import Path, Tree


def variables(rendered: Rendered) -> dict[str, str]:
    """Return the values by the names of their variables: keys in capitals, joined by underscores.

    Numbers are as they were written, lists are JSON, and null is ``null``, with a warning.

    Raises:
        CommandError: two values have the same name, or one cannot be a variable; the message names them.
    """
    values: dict[str, str] = {}
    places: dict[str, Path] = {}
    for path, item in _named(rendered.by_name(), ("config",)):
        name = "_".join(re.sub(r"[^A-Z0-9]", "_", str(step).upper()) for step in path[1:])
        if not name or name[0].isdigit():
            raise CommandError(f"{place(path)} cannot be the variable {name!r}: a name begins with a letter or _")
        if name in values:
            raise CommandError(f"{place(path)} and {place(places[name])} are both the variable {name}; rename one")
        values[name], places[name] = as_text(rendered, item, path), path
        if "\0" in values[name]:
            raise CommandError(f"{place(path)} cannot be the variable {name}: it has a null character")
    return values


def _named(tree: Tree, path: Path) -> Iterator[tuple[Path, Tree]]:
    if isinstance(tree, Dict):
        for key, item in tree.items.items():
            yield from _named(item, (*path, key))
    else:
        yield path, tree
