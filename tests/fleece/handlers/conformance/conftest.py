"""The table and what plays it, loaded by their paths: test folders are no packages."""

import importlib.util
import sys
from pathlib import Path

import pytest


def _load(name):
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"fleece_conformance_{name}", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLE = _load("table")
EXCHANGE = _load("exchange")


@pytest.fixture(scope="session")
def table():
    return TABLE


@pytest.fixture(scope="session")
def exchange():
    return EXCHANGE


def pytest_generate_tests(metafunc):
    """Give each test that asks for a `case` every case of the table."""
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", TABLE.CASES, ids=[case.name.replace(" ", "-") for case in TABLE.CASES])
