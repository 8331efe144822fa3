"""The workers of a managed instance: processes that AWS's runtime client forks, with one invocation each at a time."""

import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

WORKERS = 3
ROUNDS = 3


@pytest.fixture
def at_once(fleece_runtime, functions, service, datagrams, tmp_path):
    """Invoke a function three times with as many invocations at once as there are workers."""
    runtime = fleece_runtime(
        functions, "workers.main", concurrency=WORKERS, environment=datagrams.environment, echo=False
    )
    invocations = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for number in range(ROUNDS):
            meeting = [str(tmp_path / f"{number} {letter}") for letter in "abc"]
            events = [
                {"letter": letter, "mine": mine, "all": meeting, "url": service.url}
                for letter, mine in zip("abc", meeting, strict=True)
            ]
            invocations += pool.map(lambda event: runtime.invoke(event, deadline=30), events)
    assert [invocation.error for invocation in invocations] == [None] * WORKERS * ROUNDS
    return runtime, invocations


def test_workers_share_nothing(at_once, service, datagrams):
    """Each worker has its own connection and its own socket for traces, and no id comes twice."""
    _, invocations = at_once
    pids = {invocation.result for invocation in invocations}
    assert len(pids) == WORKERS
    assert len(service.connections) == WORKERS * ROUNDS
    assert len(set(service.connections)) == WORKERS
    traces = datagrams.take()
    assert len({document["id"] for _, document in traces}) == WORKERS * ROUNDS
    assert len({document["trace_id"] for _, document in traces}) == WORKERS * ROUNDS
    assert {document["name"] for _, document in traces} == {"main"}
    ports = {(document["annotations"]["pid"], port) for port, document in traces}
    assert len(ports) == len({port for _, port in ports}) == WORKERS
    assert {pid for pid, _ in ports} == pids


def test_lines_of_invocations_at_once_are_whole_and_have_their_own_ids(at_once):
    """However long, each line is one JSON object with Lambda's level and the id of the invocation that wrote it."""
    runtime, invocations = at_once
    lines = [json.loads(line) for line in runtime.logs]
    by_id = defaultdict(list)
    for line in lines:
        if line["logger"] == "workers":
            by_id[line["lambda_request_id"]].append(line)
    assert by_id.keys() == {invocation.request_id for invocation in invocations}
    for invocation in invocations:
        mine = by_id[invocation.request_id]
        assert [line["number"] for line in mine] == list(range(20))
        assert {line["level"] for line in mine} == {"INFO"}
        assert {line["pid"] for line in mine} == {invocation.result}
        assert len({line["xray_trace_id"] for line in mine}) == 1
        (filler,) = {line["filler"] for line in mine}
        assert filler in ("a" * 100_000, "b" * 100_000, "c" * 100_000)
