"""A run of pytest with one empty test: fleece's plugin is loaded and does nothing, or is not loaded."""

from __future__ import annotations

from functools import partial

from harness.model import Command, Contestant, Environment, Evidence, Extra, Row

PYTEST = Environment("fleece-pytest", ("{fleece}", "pytest"))
FILES = {"test_nothing.py": "def test_nothing() -> None:\n    pass\n"}


def check(loaded: bool, evidence: Evidence) -> None:
    """Require that the test was run, with the plugin or without it."""
    assert b"1 passed" in evidence.output
    assert (b"plugins: fleece" in evidence.output) is loaded


ROW = Row(
    work="pytest with fleece's plugin, unused",
    rounds=41,
    contestants=(
        Contestant("with the plugin", PYTEST, Command(("pytest",), FILES), check=partial(check, True)),
        Contestant("without", PYTEST, Command(("pytest", "-p", "no:fleece"), FILES), check=partial(check, False)),
    ),
    bars=(Extra("with the plugin", "without", 10e-3),),
)
