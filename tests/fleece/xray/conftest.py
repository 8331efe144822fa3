"""What several tests of tracing need."""

import pytest

from fleece import xray

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "53995c3f42cd8ad8"


@pytest.fixture
def trace(monkeypatch):
    """Put a trace header into the environment; without an argument, take it away."""

    def put(header=None):
        if header is None:
            monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
        else:
            monkeypatch.setenv("_X_AMZN_TRACE_ID", header)

    return put


@pytest.fixture
def unpatched():
    """Take tracing out of botocore and requests after the test."""
    yield
    xray.unpatch_xray()
