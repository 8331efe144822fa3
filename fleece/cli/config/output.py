"""Values as YAML and as JSON."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import yaml

from fleece.cli.config.loader import plain_value
from fleece.cli.config.text import is_printable
from fleece.cli.config.tree import as_data, leaves
from fleece.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece.cli.config.tree import Leaf, Tree

# Booleans to YAML 1.1, though PyYAML takes them for strings.
_LETTERS = frozenset("yYnN")


def to_yaml(data: Any) -> str:
    """Write values as YAML that readers of YAML 1.1 and 1.2 read back the same: what is a string to one is to both."""
    text: str = yaml.dump(
        data, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=False, width=2**31, indent=2
    )
    return text.removesuffix("...\n")


def to_json(data: Any, *, indent: int | None = 4, ascii_only: bool = False) -> str:
    """Write values as JSON."""
    return json.dumps(data, indent=indent, ensure_ascii=ascii_only, allow_nan=False)


def tree_to_json(
    tree: Tree, value_of: Callable[[Leaf], Any], *, indent: int | None = 4, ascii_only: bool = False
) -> str:
    """Write a tree as JSON, with `value_of` each leaf.

    Raises:
        CommandError: a number is infinite or none, which JSON cannot say; the message names it.
    """
    for leaf in leaves(tree):
        if isinstance(leaf.value, float) and not math.isfinite(leaf.value):
            raise CommandError(f"{leaf.title} is {leaf.written}, and JSON has no such number; put it in quotes")
    return to_json(as_data(tree, value_of), indent=indent, ascii_only=ascii_only)


class _Dumper(yaml.SafeDumper):
    """PyYAML's dumper, with quotes also where only YAML 1.2 would take a string for something else."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (PyYAML's signature)
        return True


def _represent_string(_dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None
    if not is_printable(text.replace("\n", "")) or not text.strip():
        style = '"'  # the other styles lose or change some white space and control characters
    elif "\n" in text:
        style = "|"
    elif not isinstance(plain_value(text), str) or text in _LETTERS:
        style = "'"
    # Not by the dumper's represent_scalar: connexion replaces that for the whole process, by one that drops the style.
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_string)
