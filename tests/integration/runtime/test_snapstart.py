"""SnapStart: execution environments that are copies of one snapshot, told so by AWS's restore hooks alone."""

import json

import pytest


@pytest.fixture
def runtime(fleece_runtime, functions, service, datagrams):
    """Boot the function that has been called before the snapshot, over its own connection and socket."""
    environment = {"SERVICE_URL": service.url, "AWS_LAMBDA_LOG_LEVEL": "INFO", **datagrams.environment}
    return fleece_runtime(functions, "snapshot.main", snapstart=True, environment=environment)


def test_copies_have_connections_and_sockets_of_their_own(runtime, service, datagrams):
    """What the snapshot had open is not used after a restore; what is opened then is kept for the next invocation."""
    ((port, before),) = datagrams.take()
    senders, connections = {port}, set(service.connections)
    assert len(connections) == 2  # the module's, and the session's
    for _ in range(2):
        pid = runtime.invoke({"url": service.url}).result["pid"]
        assert runtime.invoke({"url": service.url}).result["pid"] == pid
        traces = datagrams.take()
        assert [document["annotations"]["pid"] for _, document in traces] == [pid, pid]
        assert pid != before["annotations"]["pid"]
        (port,) = {port for port, _ in traces}
        opened = set(service.connections[-4:])
        assert len(opened) == 2
        assert not opened & connections
        connections |= opened
        assert port not in senders
        senders.add(port)
        runtime.restore()


def test_copies_do_not_repeat_each_others_ids(runtime, service, datagrams):
    """The random module gives every copy the same numbers; ids differ all the same."""
    numbers = []
    for _ in range(3):
        numbers.append([runtime.invoke({"url": service.url}).result["random"] for _ in range(2)])
        runtime.restore()
    assert numbers == [numbers[0]] * 3
    ids = [document["id"] for _, document in datagrams.take()]
    assert len(ids) == len(set(ids)) == 7


def test_lines_of_copies_are_those_of_new_environments(runtime, service):
    """Each copy's first invocation is a cold start, whatever was called before the snapshot, and ids are its own."""
    (primed,) = [json.loads(line) for line in runtime.logs]
    assert primed["cold_start"] is True
    assert "lambda_request_id" not in primed
    for _ in range(2):
        for cold in (True, False):
            invocation = runtime.invoke({"url": service.url})
            (line,) = [json.loads(line) for line in invocation.logs]
            assert (line["event"], line["cold_start"]) == ("called", cold)
            assert line["lambda_request_id"] == invocation.request_id
        runtime.restore()


def test_settings_are_those_of_the_snapshot(runtime, silent):
    """A default timeout that was set before the snapshot holds after the restore."""
    assert runtime.invoke({"url": silent}).error.type == "ReadTimeout"


@pytest.mark.parametrize("framework", ["flask", "async"])
def test_api_goes_on_after_the_restore(fleece_runtime, functions, fleece_events, framework):
    """An API that has answered before the snapshot answers in each copy, on a loop of the copy's own."""
    runtime = fleece_runtime(
        functions, "api.main", snapstart=True, environment={"FRAMEWORK": framework}, init_timeout=30
    )
    for _ in range(2):
        for path in ("/now", "/later", "/now"):
            answer = runtime.invoke(fleece_events.request("GET", path), deadline=20).result
            assert answer["statusCode"] == 200, answer
        runtime.restore()
