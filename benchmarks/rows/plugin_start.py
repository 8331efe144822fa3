"""A run of pytest with one empty test: fleece's plugin is loaded and does nothing, or is not loaded."""

from __future__ import annotations

from harness.model import Command, Contestant, Environment, Evidence, Extra, Row

PYTEST = Environment("fleece-pytest", ("{fleece}", "pytest"))
FILES = {"test_nothing.py": "def test_nothing() -> None:\n    pass\n"}


def check(evidence: Evidence) -> None:
    """Require that the test was run."""
    assert b"1 passed" in evidence.output


ROW = Row(
    work="pytest with fleece's plugin, unused",
    rounds=21,
    contestants=(
        Contestant("with the plugin", PYTEST, Command(("pytest",), FILES), check=check),
        Contestant("without", PYTEST, Command(("pytest", "-p", "no:fleece"), FILES), check=check),
    ),
    bars=(Extra("with the plugin", "without", 10e-3),),
)
