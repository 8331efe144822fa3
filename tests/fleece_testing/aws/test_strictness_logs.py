"""CloudWatch Logs: the limits of one PutLogEvents."""

import time

import pytest

DAY = 24 * 60 * 60 * 1000


@pytest.fixture
def put(fleece_aws):
    """Put events into a stream: pairs of a time, in milliseconds from a week ago, and a message."""
    logs = fleece_aws.client("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    start = int(time.time() * 1000) - 7 * DAY

    def put_events(events):
        events = [{"timestamp": start + at, "message": message} for at, message in events]
        return logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)

    return put_events


def test_a_batch_has_10000_events_at_most(put, refused):
    """10,000 events are taken, one more is not."""
    assert put([(0, "x")] * 10_000)["nextSequenceToken"]
    assert refused(put, events=[(0, "x")] * 10_001) == "InvalidParameterException"


def test_a_batch_has_1_mib_at_most(put, refused):
    """The messages in UTF-8 and 26 bytes for each are 1,048,576 bytes at most."""
    half = 1_048_576 // 2 - 26
    assert put([(0, "x" * half), (0, "ä" * (half // 2))])["nextSequenceToken"]
    assert refused(put, events=[(0, "x" * half), (0, "x" + "ä" * (half // 2))]) == "InvalidParameterException"


def test_a_batch_spans_24_hours_at_most(put, refused):
    """Events may be 24 hours apart, and no millisecond more."""
    assert put([(0, "x"), (DAY, "x")])["nextSequenceToken"]
    assert refused(put, events=[(0, "x"), (DAY + 1, "x")]) == "InvalidParameterException"


def test_events_of_another_form(fleece_aws, once, refused):
    """Events that are no events get an answer in the service's protocol, whatever they are."""
    logs = fleece_aws.client("logs", config=once)
    for event in ({"message": 1}, {"timestamp": 1}):
        code = refused(logs.put_log_events, logGroupName="g", logStreamName="s", logEvents=[event])
        assert code == "EmulatorFailure"
