"""Calls side by side: in order, bounded, and stopped by the first that fails."""

import threading

import pytest

from fleece.cli.config.side_by_side import call_each


def test_answers_come_in_order_from_several_threads():
    """Two calls that wait for each other both end, no third is under way, and their answers keep the items' order."""
    both = threading.Barrier(2, timeout=30)
    under_way, most = set(), []

    def call(item):
        under_way.add(item)
        most.append(len(under_way))
        both.wait()
        under_way.remove(item)
        return item * 2

    assert list(call_each(call, range(6), 2)) == [0, 2, 4, 6, 8, 10]
    assert max(most) == 2


def test_the_first_failure_in_order_is_raised_and_the_rest_is_not_made():
    """What a call raises is raised where its answer would be, and calls that have not begun are dropped."""
    made = []

    def call(item):
        made.append(item)
        if item == 3:
            raise LookupError(item)
        return item

    answers = call_each(call, range(1000), 1)
    assert [next(answers) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError):
        next(answers)
    assert made == [0, 1, 2, 3]


def test_an_interruption_waits_for_no_call():
    """Ctrl-C in the thread that waits for answers ends it while calls are under way."""
    begun, release = threading.Event(), threading.Event()

    def call(item):
        if item == 0:
            return item
        begun.set()
        return release.wait(60)

    answers = call_each(call, range(2), 1)
    assert next(answers) == 0
    begun.wait(60)
    with pytest.raises(KeyboardInterrupt):
        answers.throw(KeyboardInterrupt())
    release.set()
