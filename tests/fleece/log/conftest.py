"""What the tests of logging share: standard logging as it was, before and after each."""

from __future__ import annotations

import logging

import pytest

CHATTY = ("botocore", "boto3", "s3transfer", "urllib3")
VARIABLES = (
    "AWS_LAMBDA_LOG_LEVEL",
    "AWS_LAMBDA_LOG_FORMAT",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "FLEECE_LOG_MAX_BYTES",
    "_FLEECE_APIG_REQUEST_ID",
    "_FLEECE_LAMBDA_REQUEST_ID",
    "_X_AMZN_TRACE_ID",
)


@pytest.fixture(autouse=True)
def _standard_logging(monkeypatch):
    """Start from a process that nobody has set logging up in, and leave it as it was found."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    root = logging.getLogger()
    handlers, level, factory = root.handlers[:], root.level, logging.getLogRecordFactory()
    levels = {name: logging.getLogger(name).level for name in CHATTY}
    root.handlers[:] = [handler for handler in handlers if "pytest" in type(handler).__module__]
    root.setLevel(logging.WARNING)
    logging.setLogRecordFactory(logging.LogRecord)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.setLogRecordFactory(factory)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture
def name(request):
    """Name a logger that no other test has touched, and take its handlers off afterwards."""
    unique = f"tests.{request.node.name}"
    yield unique
    logger = logging.getLogger(unique)
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


class ListHandler(logging.Handler):
    """Keep what a plain handler, with no formatter of its own, would have written."""

    def __init__(self):
        super().__init__()
        self.texts = []
        self.records = []

    def emit(self, record):
        self.records.append(record)
        self.texts.append(self.format(record))


@pytest.fixture
def plain_handler():
    """Give a handler of the standard library's kind, which keeps its texts in a list."""
    return ListHandler()
