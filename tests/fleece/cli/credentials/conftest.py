"""An environment in the emulated AWS, and somebody who answers questions."""

from __future__ import annotations

import pytest

from fleece.cli.environments import Environment


@pytest.fixture
def environment(fleece_aws):
    """Return an environment whose account is the emulated one."""
    return Environment("dev", fleece_aws.account, endpoint_url=fleece_aws.url)


@pytest.fixture
def answers():
    """Answer questions from a dict, and remember them."""
    return Answers()


class Answers(dict):
    """Answers by the first word of the question."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def __call__(self, question, *, hidden):
        self.asked.append((question, hidden))
        return self[question.split(" ", maxsplit=1)[0]]
