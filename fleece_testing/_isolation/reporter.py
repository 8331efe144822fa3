"""The pytest plugin of an isolated session: who tried to leave is told where, even when the error was swallowed."""

from __future__ import annotations

import linecache
import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from fleece_testing._isolation.session import Isolation
from fleece_testing._text import printable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from fleece_testing._isolation.session import Attempt

_TITLE = "fleece_isolate"
_EXPECTING = "fleece_expects_refusal"


def isolate(config: pytest.Config) -> None:
    """Isolate the session of `config` until its end; a second time does nothing."""
    if not config.pluginmanager.has_plugin(_TITLE):
        isolation = Isolation().start()
        config.add_cleanup(isolation.stop)
        config.pluginmanager.register(Reporter(isolation), _TITLE)


class Reporter:
    """Report each attempt where it belongs: at the end of its test, with its module, or else with the session.

    With pytest-xdist there is one in each worker, and one in the process that collects what they report.
    """

    def __init__(self, isolation: Isolation) -> None:
        self._isolation = isolation
        self._outside_of_tests: list[str] = []

    def pytest_report_header(self) -> str:
        """Say that the session is isolated."""
        return "fleece: isolated, nothing but loopback and unix sockets can be reached"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Let a module fail that tried to leave while it was imported."""
        report = yield
        text = describe(self._isolation.attempts(), "")
        if text and report.passed:
            report.outcome, report.longrepr, report.result = "failed", text, []
        elif text:
            report.sections.append((_TITLE, text))
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Refuse what a marker is given that takes nothing: it would be overlooked."""
        marker = item.get_closest_marker(_EXPECTING)
        if marker is not None and (marker.args or marker.kwargs):
            pytest.fail(f"The marker {_EXPECTING} takes no arguments: write @pytest.mark.{_EXPECTING}", pytrace=False)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Let a test fail that tried to leave, after all of its teardown."""
        try:
            result = yield
        except BaseException:
            text = self._of_test(item)
            if text:
                item.add_report_section("teardown", _TITLE, text)
            raise
        text = self._of_test(item)
        if text:
            pytest.fail(text, pytrace=False)
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Keep what was tried before any module is collected, by a ``conftest.py`` or another plugin."""
        self._keep()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """Keep what was tried between the collection and the first test."""
        self._keep()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let a session fail in which something tried to leave outside of all tests."""
        self._keep()
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_TITLE] = self._outside_of_tests
        elif self._outside_of_tests and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of pytest-xdist has kept."""
        self._outside_of_tests += getattr(node, "workeroutput", {}).get(_TITLE, [])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show what was tried outside of all tests."""
        if self._outside_of_tests:
            terminalreporter.section(f"{_TITLE}: outside of all tests", red=True)
            for text in dict.fromkeys(self._outside_of_tests):
                terminalreporter.write_line(text)

    def _of_test(self, item: pytest.Item) -> str:
        attempts = self._isolation.attempts()
        return "" if item.get_closest_marker(_EXPECTING) else describe(attempts, item.nodeid)

    def _keep(self) -> None:
        text = describe(self._isolation.attempts(), "")
        if text:
            self._outside_of_tests.append(text)


def describe(attempts: Iterable[Attempt], test: str) -> str:
    """Say who tried what, and where; "" when nobody did.

    Args:
        attempts: what was tried. The same again (clients try more than once) is told once, and counted.
        test: the node id of the test that is at its end; "" outside of all tests.
    """
    counted = Counter(attempts)
    if not counted:
        return ""
    return "\n".join([f"{_TITLE}: refused to leave this machine", *(_told(*one, test) for one in counted.items())])


def _told(attempt: Attempt, times: int, test: str) -> str:
    place = attempt.place
    lines = [
        f"  {printable(attempt.what)}{f' ({times} times)' if times > 1 else ''}",
        f"    {attempt.how} {_relative(place.file)}:{place.line} in {place.function}",
    ]
    source = linecache.getline(place.file, place.line).strip()
    if source:
        lines.append(f"      {source}")
    if attempt.command:
        lines.append(f"    in the process {printable(attempt.command)}")
    if attempt.test and attempt.test != test:
        lines.append(f"    of {printable(attempt.test)}")
    return "\n".join(lines)


def _relative(file: str) -> str:
    relative = os.path.relpath(file) if os.path.isabs(file) else file  # noqa: PTH117 ("<string>" is no path)
    return file if relative.startswith(os.pardir) else relative
