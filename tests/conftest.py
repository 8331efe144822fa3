"""What every test of the suite starts from."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from fleece._defaults import defaults

settings.register_profile("default", deadline=None)
settings.register_profile("nightly", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _own_defaults():
    """Put the process-wide defaults back after each test, and drop the connections and sockets it made."""
    yield
    defaults.reset()
