"""What the fixtures of the pytest plugin cost: information, without a bar.

``first`` is the first test of a session that uses the fixture: imports, and the start of a server. ``again`` is one
more test, which clears what the one before it has left. Both are whole tests: ``no fixture`` is to be taken off.
"""

from __future__ import annotations

import statistics
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.model import Contestant, Environment, Extra, Once, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    Clock = Callable[[], float]

TESTING = Environment("fleece-testing", ("{fleece}[cli,testing]",))
NONE = "no fixture"
USES = {
    NONE: "pass",
    "fleece_context": "fleece_context()",
    "fleece_events": "fleece_events.request('GET')",
    "fleece_api": "fleece_api(lambda event, context: {'statusCode': 200}).get('/')",
    "fleece_logs": "fleece_logs.lines",
    "fleece_aws": "fleece_aws.role('deploy')",
    "fleece_xray": "fleece_xray.subsegments",
    "fleece_rackspace": "fleece_rackspace.user('me', 'key')",
    "fleece_docker": "fleece_docker.url",
    "fleece_runtime": "fleece_runtime('.', 'app.main').invoke()",
    "fleece_cli": "fleece_cli('--version')",
    "fleece_environments": "fleece_environments(staging={})",
}
TESTS = 6


class Watch:
    """A plugin of pytest's that takes the time of each test, with its set-up and its teardown."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.times: list[float] = []

    def pytest_runtest_protocol(self) -> Generator[None, Any, Any]:
        """Take the time of one test."""
        begin = self.clock()
        answer = yield
        self.times.append(self.clock() - begin)
        return answer


def use(fixture: str, clock: Clock) -> Mapping[str, float]:
    import pytest

    asked = "" if fixture == NONE else fixture
    Path("app.py").write_text("def main(event, context): pass\n", encoding="utf-8")
    test = "def test_{}({}):\n    {}\n"
    text = "".join(test.format(number, asked, USES[fixture]) for number in range(TESTS))
    Path("test_it.py").write_text(text, encoding="utf-8")
    watch = Watch(clock)
    pytest.hookimpl(wrapper=True)(Watch.pytest_runtest_protocol)  # not a decorator: pytest is imported here alone
    assert pytest.main(["-q", "-p", "no:cacheprovider", "test_it.py"], plugins=[watch]) == 0
    # The last one stops the servers too.
    return {"first": watch.times[0], "again": statistics.median(watch.times[1:-1])}


ROW = Row(
    work="a test with a fixture",
    clock="wall",
    rounds=5,
    contestants=tuple(Contestant(fixture, TESTING, Once(partial(use, fixture))) for fixture in USES),
    bars=tuple(
        Extra(f"{fixture}: {part}", f"{NONE}: {part}")
        for fixture in USES
        if fixture != NONE
        for part in ("first", "again")
    ),
)
