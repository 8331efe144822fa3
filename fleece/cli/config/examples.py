"""Some names that a stage's expression matches, to try others on."""

from __future__ import annotations

import itertools
from typing import Any

from fleece.cli import stages
from fleece.cli._backtracking import parser

_MOST = 40
_ANY = ("x", "0", "-", "A")  # whatever a class leaves out, one of these is likely in it
_CATEGORIES = {"CATEGORY_DIGIT": "0", "CATEGORY_SPACE": " "}


def examples(stage: str) -> list[str]:
    """Return some names that the expression of a stage matches, short ones; possibly none."""
    pattern = stages.compiled(stage)
    found = (name for name in _sequence(parser.parse(pattern.pattern)) if pattern.fullmatch(name))
    return [name for name in dict.fromkeys(found) if 0 < len(name) <= stages.MAX_NAME]


def _sequence(items: Any) -> list[str]:
    found = [""]
    for name, argument in items:
        found = [begin + end for begin, end in itertools.product(found, _item(str(name), argument))][:_MOST]
    return found


def _item(name: str, argument: Any) -> list[str]:
    if name == "LITERAL":
        return [chr(argument)]
    if name == "IN":
        return _members(argument)
    if name in {"ANY", "NOT_LITERAL"}:
        return list(_ANY)
    return _group(name, argument)


def _group(name: str, argument: Any) -> list[str]:
    if name == "BRANCH":
        return [text for branch in argument[1] for text in _sequence(branch)]
    if name in {"SUBPATTERN", "ATOMIC_GROUP"}:
        return _sequence(argument[-1] if name == "SUBPATTERN" else argument)
    if name.endswith("_REPEAT"):
        low, high, body = argument
        times = {min(int(count), stages.MAX_NAME) for count in (low, min(low + 1, high))}
        return [text * count for count in sorted(times) for text in (_sequence(body) if count else [""])]
    return [""]  # a condition; whether it holds is seen in the end


def _members(parts: Any) -> list[str]:
    found = []
    for name, argument in parts:
        if str(name) == "LITERAL":
            found.append(chr(argument))
        elif str(name) == "RANGE":
            found.append(chr(argument[0]))
        elif str(name) == "CATEGORY":
            found.append(_CATEGORIES.get(str(argument), "x"))
        else:  # NEGATE
            return list(_ANY)
    return found[:4]
