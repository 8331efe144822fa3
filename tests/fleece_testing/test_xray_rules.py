"""The rules of the X-Ray daemon and service, one by one."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from fleece_testing.xray_daemon import Refused, validate

HEADER = b'{"format": "json", "version": 1}'
TRACE_ID = "1-5759e988-bd862e3fe1be46a994272793"
SUBSEGMENT = {
    "type": "subsegment",
    "id": "53995c3f42cd8ad8",
    "trace_id": TRACE_ID,
    "parent_id": "70de5b6f19ff9a0a",
    "name": "users",
    "start_time": 1461096053.37518,
    "end_time": 1461096053.4042,
}
EXCEPTION = {"id": "0123456789abcdef", "message": "no", "type": "KeyError", "remote": False, "truncated": 2}


def datagram(document, header=HEADER):
    return header + b"\n" + json.dumps(document).encode()


def changed(**changes):
    """Return the sound subsegment with fields changed; None takes one away."""
    return {key: value for key, value in {**SUBSEGMENT, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    "document",
    [
        SUBSEGMENT,
        changed(end_time=None, in_progress=True),
        changed(in_progress=False),
        changed(type=None, parent_id=None),
        changed(name="Ünï 1_.:/%&#=+\\-@" + "x" * 183),
        changed(namespace="aws", aws={"operation": "GetItem", "region": "eu-west-1", "table_name": "users"}),
        changed(
            namespace="remote", http={"request": {"method": "GET", "url": "https://x"}, "response": {"status": 200}}
        ),
        changed(annotations={"a_1": "x", "b": 1, "c": 1.5, "d": True}, metadata={"default": {"any": [None]}}),
        changed(error=True, throttle=True, fault=False, cause="0123456789abcdef"),
        changed(
            cause={
                "working_directory": "/var/task",
                "exceptions": [
                    {**EXCEPTION, "cause": "fedcba9876543210", "stack": [{"path": "a", "line": 1, "label": "f"}]}
                ],
            }
        ),
        changed(subsegments=[{"id": "0" * 16, "name": "inner", "start_time": 1, "end_time": 2}]),
    ],
)
def test_a_sound_document_is_taken_as_it_is(document):
    """What the service documents is accepted, and handed on unchanged."""
    assert validate(datagram(document)) == document


@pytest.mark.parametrize(
    "header",
    [
        b'{"format": "JSON", "version": 1}',
        b'{"format":"json","version":1,"more":[1]}',
        HEADER + b"\r",
        b"  " + HEADER,
    ],
)
def test_the_daemon_is_lenient_about_the_header_where_the_real_one_is(header):
    """Case of the format, extra keys, spaces and CRLF do not matter."""
    assert validate(datagram(SUBSEGMENT, header)) == SUBSEGMENT


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (repr((HEADER.decode(), 1)).encode(), "the header line is not JSON"),
        (repr(("format", "json")).encode(), "the header line is not JSON"),
        (b"", "the header line is not JSON"),
        (b"[]", "the header line is '[]'|the header line is"),
        (b'{"format": "xml", "version": 1}', "the header's format is 'xml'"),
        (b'{"version": 1}', "the header's format is None"),
        (b'{"format": "json", "version": 1.0}', "the header's version is 1.0"),
        (b'{"format": "json", "version": "1"}', "the header's version is '1'"),
        (b'{"format": "json", "version": true}', "the header's version is True"),
        (b'{"format": "json", "version": 2}', "the header's version is 2"),
        (b'{"format": "json"}', "the header's version is None"),
        (b"\xff", "the header line is not JSON"),
    ],
)
def test_a_wrong_header_line_is_refused(header, reason):
    """The daemon wants one line of JSON with the format json and the integer version 1."""
    result = validate(datagram(SUBSEGMENT, header))
    assert isinstance(result, Refused)
    assert any(one in result.reason for one in reason.split("|"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "there is no document after the header line"),
        (b"\r\n", "there is no document after the header line"),
        (b"{", "the document is not JSON"),
        (b"[]", "the document is"),
        (b'"x"', "the document is"),
        (json.dumps(SUBSEGMENT).encode() * 2, "the document is not JSON (Extra data"),
        (json.dumps(SUBSEGMENT).encode() + b"\n" + HEADER, "the document is not JSON (Extra data"),
        (json.dumps(changed(metadata={"a": {"x": float("nan")}})).encode(), "NaN is not a JSON value"),
        (json.dumps({**SUBSEGMENT, "name": "\xff"}, ensure_ascii=False).encode("latin-1"), "the document is not JSON"),
        (b'{"a":' * 10_000, "the document"),
    ],
)
def test_the_rest_of_the_datagram_must_be_one_document(body, reason):
    """Nothing, half a document, two of them, or what is not JSON is refused with the reason."""
    result = validate(HEADER + b"\n" + body)
    assert isinstance(result, Refused)
    assert reason in result.reason
    assert len(result.reason) < 300


def test_a_datagram_without_a_newline_is_refused():
    """The daemon finds the document by the first newline."""
    result = validate(HEADER + json.dumps(SUBSEGMENT).encode())
    assert isinstance(result, Refused)
    assert result.reason == "there is no newline between a header and a document"
    assert result.datagram.startswith(HEADER)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (changed(type="span"), "type is 'span'"),
        (changed(trace_id=None), "trace_id is None, but must be 1-8hex-24hex"),
        (changed(trace_id="5759e988bd862e3fe1be46a994272793"), "trace_id is '5759"),
        (changed(trace_id=TRACE_ID + "\n"), "trace_id is"),
        (changed(id="53995c3f42cd8ad"), "id is '53995c3f42cd8ad', but must be 16 hexadecimal digits"),
        (changed(id="53995c3f42cd8adg"), "id is"),
        (changed(id=None), "id is None"),
        (changed(parent_id=None), "parent_id is None"),
        (changed(type=None, parent_id="x"), "parent_id is 'x'"),
        (changed(name=None), "name is None"),
        (changed(name=""), "name is ''"),
        (changed(name="a(b)"), "name is 'a(b)', but must be letters, digits"),
        (changed(name="x" * 201), "but must be at most 200 characters"),
        (changed(name=1), "name is 1"),
        (changed(start_time=None), "start_time is None"),
        (changed(start_time="1461096053"), "start_time is '1461096053'"),
        (changed(start_time=True), "start_time is True"),
        (changed(end_time=None), "end_time is None"),
        (changed(end_time=None, in_progress=False), "end_time is None"),
        (changed(in_progress=True), "end_time is 1461096053.4042, but must be absent while in progress"),
        (changed(end_time=None, in_progress="true"), "in_progress is 'true'"),
        (changed(namespace="local"), "namespace is 'local', but must be absent or one of aws, remote"),
        (changed(namespace=["aws"]), "namespace is"),
        (changed(error="yes"), "error is 'yes'"),
        (changed(annotations=[]), "annotations is"),
        (changed(annotations={"a.b": 1}), "the key of annotations is 'a.b'"),
        (changed(annotations={"a": None}), "annotations.a is None"),
        (changed(annotations={"a": {}}), "annotations.a is"),
        (changed(metadata={"key": "value"}), "metadata.key is 'value', but must be an object"),
        (changed(http={"response": {"status": "200"}}), "http.response.status is '200', but must be an integer"),
        (changed(http={"request": "GET"}), "http.request is 'GET'"),
        (changed(http={"request": {"traced": 1}}), "http.request.traced is 1"),
        (changed(aws={"region": 1}), "aws.region is 1"),
        (changed(cause="x"), "cause is 'x'"),
        (changed(cause={"exceptions": [{**EXCEPTION, "id": 1}]}), "cause.exceptions[0].id is 1"),
        (changed(cause={"exceptions": [{**EXCEPTION, "cause": "x"}]}), "cause.exceptions[0].cause is 'x'"),
        (
            changed(cause={"exceptions": [{**EXCEPTION, "stack": [{"path": "a", "line": "1"}]}]}),
            "cause.exceptions[0].stack[0].line is '1'",
        ),
        (changed(subsegments={}), "subsegments is"),
        (changed(subsegments=[1]), "subsegments[0] is 1"),
        (
            changed(subsegments=[{"id": "0" * 16, "name": "in", "start_time": 1}]),
            "subsegments[0].end_time is None",
        ),
    ],
)
def test_a_document_that_the_service_would_not_process_is_refused_with_the_place(document, reason):
    """The reason names the field, what it holds and what it must hold."""
    result = validate(datagram(document))
    assert isinstance(result, Refused)
    assert reason in result.reason


def test_a_document_over_64_kilobytes_is_refused():
    """The service takes 64 kB for one document; the datagram itself could be a little larger."""
    size = len(json.dumps(changed(metadata={"default": {"x": ""}})))
    largest = changed(metadata={"default": {"x": "x" * (64_000 - size)}})
    assert validate(datagram(largest)) == largest
    larger = changed(metadata={"default": {"x": "x" * (64_001 - size)}})
    assert "at most 64000 bytes" in validate(datagram(larger)).reason


def test_a_datagram_that_udp_cannot_carry_is_refused():
    """65,507 bytes is what fits into one datagram, header line included."""
    header = HEADER[:-1] + b" " * 65_507 + b"}"
    assert "at most 65507 bytes" in validate(datagram(SUBSEGMENT, header)).reason


def test_subsegments_nested_beyond_reason_are_taken_or_refused():
    """How deep it can go is up to Python's JSON parser; the check itself has no limit."""
    inner = {"id": "0" * 16, "name": "in", "start_time": 1, "end_time": 2, "subsegments": []}
    opening = json.dumps(inner)[:-2]
    body = json.dumps(changed(subsegments=[]))[:-2] + opening * 700 + "]}" * 701
    result = validate(HEADER + b"\n" + body.encode())
    assert isinstance(result, dict) or result.reason == "the document is nested too deeply"


def test_the_namespace_of_aws_own_sdk_can_be_let_through():
    """A namespace that the caller names is taken, at any depth."""
    inner = {"id": "0" * 16, "name": "in", "start_time": 1, "end_time": 2, "namespace": "local"}
    document = changed(namespace="local", subsegments=[inner])
    assert validate(datagram(document), {"aws", "remote", "local"}) == document


def test_control_characters_of_others_are_shown_escaped():
    """A reason can be printed to a terminal whatever the datagram holds."""
    result = validate(datagram(changed(name="\x1b[31m")))
    assert result.reason.startswith(r"name is '\x1b[31m'")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


fields = st.sampled_from([*SUBSEGMENT, "annotations", "metadata", "http", "aws", "cause", "subsegments"])


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(fields, json_values))
def test_any_document_is_either_taken_unchanged_or_refused(changes):
    """No shape of a document makes the check itself fail."""
    document = {**SUBSEGMENT, **changes}
    result = validate(datagram(document))
    assert isinstance(result, Refused) or result == document


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_either_a_document_or_refused(body, with_header):
    """No datagram makes the check itself fail."""
    result = validate(HEADER + b"\n" + body if with_header else body)
    assert isinstance(result, (dict, Refused))
