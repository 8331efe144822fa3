"""What every test of the suite starts from."""

from __future__ import annotations

import logging
import os
import signal

import pytest
from hypothesis import settings

from fleece._defaults import defaults
from fleece_testing import Runtime

settings.register_profile("default", deadline=None)
settings.register_profile("few", deadline=None, max_examples=20)
settings.register_profile("nightly", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_modifyitems(items):
    """Let the nightly profile's number of examples hold for tests with a smaller one of their own, too.

    What a test's own decorator says wins over the profile, and Hypothesis has no other way round that.
    """
    if os.environ.get("HYPOTHESIS_PROFILE") != "nightly":
        return
    number = settings.get_profile("nightly").max_examples
    for test in [item.function for item in items if isinstance(item, pytest.Function)]:
        own = getattr(test, "_hypothesis_internal_use_settings", None)
        if own is not None and own.max_examples < number:
            test._hypothesis_internal_use_settings = settings(own, max_examples=number)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item):
    """Let a test fail in CI that skips itself for a part that is missing: there it must be.

    What the mark ``skipif`` leaves out is for another system, Python or user, and stays so.
    """
    report = yield
    skips_itself = report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("skipif") is None
    if skips_itself and os.environ.get("CI"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        report.outcome, report.longrepr = "failed", f"In CI this is no reason to skip a test: {reason}"
    return report


@pytest.fixture(autouse=True, scope="session")
def _no_terminal_of_the_caller():
    """Change what the variables say of the terminal that the tests are run at: what is printed depends on them."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "PY_COLORS"):
            environment.delenv(name, raising=False)
        environment.setenv("TERM", "xterm")  # for those that run programs on one
        yield


@pytest.fixture(autouse=True, scope="session")
def _patience():
    """Give functions more than Lambda's ten seconds to come up in: a busy machine takes longer for a framework."""
    with pytest.MonkeyPatch.context() as parameters:
        parameters.setitem(Runtime.__init__.__kwdefaults__, "init_timeout", 60.0)
        yield


@pytest.fixture(autouse=True, scope="session")
def _nothing_ignored():
    """Have signals reach what the tests start, also where a script runs the suite in its background, ignoring some."""
    ignored = [
        number
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
        if signal.getsignal(number) == signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(autouse=True)
def _own_logging():
    """Put standard logging back after each test: whatever asks for one of fleece's loggers sets up the process's."""
    root = logging.getLogger()
    handlers, level, factory = root.handlers[:], root.level, logging.getLogRecordFactory()
    levels = {name: logging.getLogger(name).level for name in ("botocore", "boto3", "s3transfer", "urllib3")}
    yield
    # Not those of pytest itself, which come and go with each phase of a test.
    root.handlers[:] = [one for one in handlers if one in root.handlers or "pytest" not in type(one).__module__]
    root.setLevel(level)
    logging.setLogRecordFactory(factory)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


@pytest.fixture(autouse=True)
def _own_defaults():
    """Put the process-wide defaults back after each test, and drop the connections and sockets it made."""
    yield
    defaults.reset()
