"""X-Ray: documents that are answered as unprocessed."""

import json
import time

import pytest

TRACE = f"1-{int(time.time()):08x}-{'a' * 24}"
GOOD = {
    "type": "subsegment",
    "id": "1234567890abcdef",
    "trace_id": TRACE,
    "parent_id": "fedcba0987654321",
    "name": "n",
    "start_time": time.time() - 1,
    "end_time": time.time(),
}


@pytest.fixture
def put(fleece_aws):
    """Put documents, as they are or as JSON, and return what is reported as unprocessed."""
    xray = fleece_aws.client("xray")

    def documents(*some):
        texts = [text if isinstance(text, str) else json.dumps(text) for text in some]
        return xray.put_trace_segments(TraceSegmentDocuments=texts)["UnprocessedTraceSegments"]

    return documents


@pytest.mark.parametrize(
    "change",
    [
        {"id": "short"},
        {"trace_id": "1-2-3"},
        {"parent_id": None},
        {"name": "a,b"},
        {"end_time": "now"},
        {"namespace": "local"},
        {"annotations": {"a-b": 1}},
        {"metadata": {"default": {"x": "y" * 65_000}}},
    ],
)
def test_a_bad_document_is_unprocessed(put, change):
    """What the service does not take is reported under the document's id, with a reason."""
    (reported,) = put({**GOOD, **change})
    assert (reported["Id"], reported["ErrorCode"]) == ({**GOOD, **change}["id"], "InvalidSegment")
    assert reported["Message"]


@pytest.mark.parametrize(
    ("text", "code"), [("{", "ParseError"), ("[]", "InvalidSegment"), ("1" * 70_000, "ParseError")]
)
def test_what_is_no_document_is_unprocessed(put, text, code):
    """Text that is not JSON, or not an object, is reported without an id."""
    (reported,) = put(text)
    assert (reported["ErrorCode"], "Id" in reported) == (code, False)


def test_the_others_are_taken(put, fleece_aws):
    """A bad document does not hold back the good ones of the same call."""
    reported = put({**GOOD, "id": "bad"}, GOOD)
    (trace,) = fleece_aws.client("xray").batch_get_traces(TraceIds=[TRACE])["Traces"]
    assert [entry["Id"] for entry in reported] == ["bad"]
    assert [segment["Id"] for segment in trace["Segments"]] == [GOOD["id"]]
