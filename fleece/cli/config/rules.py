"""The names of what ``fleece config lint`` looks for."""

from __future__ import annotations

from typing import Literal, get_args

Rule = Literal[
    "cannot-decrypt",
    "looks-secret",
    "missing-value",
    "moved-ciphertext",
    "not-encrypted",
    "overlapping-stages",
    "repeated-ciphertext",
    "unknown-expression",
]

RULES: tuple[Rule, ...] = get_args(Rule)
