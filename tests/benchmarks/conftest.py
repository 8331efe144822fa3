"""The harness is not installed: `python benchmarks` puts its own folder on the path, and so do its tests."""

import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    folder = Path(__file__).parents[2] / "benchmarks"
    before = set(sys.modules)
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {"apps", "harness", "rows", "services"}:
            del sys.modules[name]
