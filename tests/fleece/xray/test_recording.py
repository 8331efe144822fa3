"""What a trace shows of arguments and exceptions: enough to understand, nothing secret, nothing large."""

import collections
import datetime as dt
import decimal
import enum
import io
import json
import pathlib
import uuid
from typing import NamedTuple

import pytest

from fleece import xray

SECRET = "hunter2"


@pytest.fixture
def recorded(fleece_xray):
    """Record one value as an argument, and return what was sent of it, with the document's text."""

    def record(value):
        xray.trace_xray_subsegment()(lambda value: None)(value)
        return fleece_xray.subsegments[-1]["metadata"]["arguments"]["value"]

    return record


class Colour(enum.IntEnum):
    RED = 1


class Text(str):
    __slots__ = ()

    def __str__(self):
        raise ZeroDivisionError

    __repr__ = __format__ = __getitem__ = lower = lstrip = __len__ = __str__


class Mapping(dict):
    def items(self):
        raise ZeroDivisionError

    __iter__ = get = __getitem__ = __len__ = __bool__ = items


class Broken:
    def __getattribute__(self, name):
        raise ZeroDivisionError

    __str__ = __repr__ = __eq__ = __hash__ = __len__ = __iter__ = __bool__ = __getattribute__


class Point(NamedTuple):
    x: int
    y: int


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        ([1, 2.5, True, "text"], [1, 2.5, True, "text"]),
        ({"a": {"b": (1, 2)}}, {"a": {"b": [1, 2]}}),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "null": "b", "[1,2]": "c"}),
        ({3}, [3]),
        ({"k" * 300: 1, Text("key"): 2}, {"k" * 200: 1, "key": 2}),
        (Point(1, 2), [1, 2]),
        (Colour.RED, 1),
        (collections.OrderedDict(a=1), {"a": 1}),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**5000, "<int of 16610 bits>"),
        (b"bytes", "<5 bytes>"),
        (decimal.Decimal("1.50"), "1.50"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.PurePosixPath("/tmp"), "/tmp"),  # noqa: S108 (nothing is written there)
        (dt.date(2026, 11, 22), "2026-11-22"),
        (io.BytesIO(b"never read"), "<_io.BytesIO>"),
        (len, "<builtins.builtin_function_or_method>"),
        (Text("text"), "text"),
        (Mapping(a=1), {"a": 1}),
        ("x" * 1500, "x" * 1000 + "... (1500 characters)"),
        ("password=" + "x" * 3000, "password=***... (3009 characters)"),
        (list(range(60)), [*range(50), "..."]),
        ({"a": {}, "b": []}, {"a": {}, "b": []}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_shown_as_json(recorded, value, shown):
    """Without running any code of theirs."""
    assert recorded(value) == shown


def test_an_object_whose_every_method_fails_is_shown_by_its_type(recorded):
    """Nothing of it is called."""
    assert recorded(Broken()).endswith(".Broken>")
    assert recorded([Broken()])[0].endswith(".Broken>")


class Liar(type):
    @property
    def __module__(cls):
        raise ZeroDivisionError


def test_arguments_that_cannot_be_looked_at_are_left_out(fleece_xray):
    """The subsegment is sent without them."""
    value = Liar("Class", (), {})()
    assert xray.trace_xray_subsegment()(lambda value: value)(value) is value
    [document] = fleece_xray.subsegments
    assert "metadata" not in document


def test_a_circle_is_shown_as_one(recorded):
    """It ends where it comes back to itself; the same value twice is no circle."""
    circle: dict = {"name": "x"}
    circle["self"] = [circle]
    assert recorded(circle) == {"name": "x", "self": ["<circular>"]}
    twice = [1]
    assert recorded([twice, twice]) == [[1], [1]]


def test_depth_and_size_are_bounded(recorded, fleece_xray):
    """However deep, wide or long a value is."""
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    wide = [[["x" * 500] * 50] * 50] * 50
    large = dict.fromkeys(map(str, range(1000)), "y" * 100_000)
    for value in (deep, wide, large, "z" * 10_000_000, {"body": json.dumps(wide)}):
        assert len(json.dumps(recorded(value))) < 64_000
    assert len(fleece_xray.subsegments) == 5


def test_many_small_values_are_bounded(recorded):
    """Numbers, which take no room that texts could use up, are shown up to a number of their own."""
    assert str(recorded([[[1] * 50] * 50] * 50)).count("1") <= 1000


def test_a_json_text_whose_start_is_shown_is_json(recorded):
    """What is left out of it is left out inside: no count of characters behind it makes it something else."""
    assert json.loads(recorded(json.dumps([1] * 1000))) == [1] * 50 + ["..."]


def test_an_iterator_is_not_read(recorded):
    """A stream that was recorded would be empty for the function that was given it."""
    stream = iter([1, 2, 3])
    assert recorded(stream) == "<builtins.list_iterator>"
    assert list(stream) == [1, 2, 3]


@pytest.mark.parametrize(
    "value",
    [
        {"password": SECRET},
        {"PASSWORD": SECRET},
        {"userPassword": SECRET},
        {"db_passwd": [SECRET]},
        {"Authorization": f"Bearer {SECRET}"},
        {"X-Api-Key": SECRET, "apiKey": SECRET, "api key": SECRET},
        {"Set-Cookie": SECRET},
        {"a": [{"b": {"clientSecret": {"value": SECRET}}}]},
        {"aws_secret_access_key": SECRET, "SessionToken": SECRET, "AccessKeyId": SECRET},
        {"headers": [("Authorization", SECRET), ["cookie", SECRET]]},
        {"Parameters": [{"Name": "/app/db_password", "Value": SECRET}, {"key": "token", "value": SECRET}]},
        json.dumps({"a": {"password": SECRET}}),
        json.dumps({"tokens": ["a", SECRET], "secret": {"a": 1, "b": SECRET}}),
        {"body": json.dumps([{"token": SECRET}])},
        {"outer": json.dumps({"inner": json.dumps({"secret": SECRET})})},
        f'{{"password": "{SECRET}", "cut off',
        f"{{'password': '{SECRET} with spaces and \\' quotes {SECRET}'}}",
        f"password={SECRET}&user=1",
        f"https://example.com/?access_token={SECRET}",
        f"postgres://user:{SECRET}@db/name",
        f"Authorization: Basic {SECRET} {SECRET}",
        f"Cookie: a={SECRET}; b={SECRET}",
        f"curl -H 'X-Api-Key: {SECRET}'",
        f"the header was Bearer {SECRET}{SECRET}",
        f"AWS4-HMAC-SHA256 Credential={SECRET}/20261122, SignedHeaders=host, Signature={SECRET}",
        '{\\"password\\": \\"' + SECRET + '\\"}',
        {f"token={SECRET}": 1},
        "x" * 1990 + f" password={SECRET}",
    ],
    ids=str,
)
def test_what_has_the_name_of_a_secret_is_not_shown(recorded, value):
    """In any case, at any depth, in texts that are JSON and in those that are not, in exceptions' messages too."""
    assert SECRET not in json.dumps(recorded(value))


@pytest.mark.parametrize(
    "value",
    [
        {"user": "alice", "keyboard": "qwerty", "author": "bob"},
        [{"Name": "colour", "Value": "red"}, {"value": 1}],
        "a: b, c=d",
        "https://example.com/a",
        '{"a":1}',
        "[not json",
    ],
    ids=str,
)
def test_the_rest_is_shown_as_it_is(recorded, value):
    """Names that only look alike are no secrets."""
    assert recorded(value) == value


@pytest.mark.parametrize("body", [{"password": SECRET}, {"anything": SECRET}])
def test_an_http_event_is_shown_by_its_kind_alone(recorded, fleece_events, body):
    """Of a customer's request, neither headers nor body, nor the path with its values."""
    for kind in ("rest", "http", "alb"):
        event = fleece_events.request("POST", f"/users/{SECRET}", body=json.dumps(body), kind=kind)
        shown = recorded(event)
        assert shown["method"] == "POST"
        assert shown["kind"] == kind
        assert SECRET not in json.dumps(shown)


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (
            {
                "requestContext": {
                    "requestId": "r",
                    "domainName": "x.lambda-url.us-east-1.on.aws",
                    "http": {"method": "GET"},
                },
                "routeKey": "$default",
                "body": SECRET,
            },
            {"kind": "function-url", "request_id": "r", "method": "GET", "resource": "$default"},
        ),
        (
            {"requestContext": {"connectionId": "c", "eventType": "MESSAGE", "routeKey": "send", "requestId": "r"}},
            {"kind": "websocket", "request_id": "r", "method": "MESSAGE", "resource": "send"},
        ),
        (
            {"version": "1.0", "httpMethod": "GET", "resource": "/a/{b}", "requestContext": {"requestId": "r"}},
            {"kind": "http-1.0", "request_id": "r", "method": "GET", "resource": "/a/{b}"},
        ),
        (
            {
                "rawContext": {"httpMethod": "PUT", "requestId": "r"},
                "parameters": {"gateway": {"resource-path": "/a/{b}"}, "request": {"body": SECRET}},
            },
            {"kind": "yoke", "request_id": "r", "method": "PUT", "resource": "/a/{b}"},
        ),
        (
            {"type": "TOKEN", "methodArn": "arn:aws:x", "authorizationToken": SECRET},
            {"kind": "authorizer", "resource": "arn:aws:x"},
        ),
        (
            {"type": "REQUEST", "methodArn": "arn:aws:x", "httpMethod": "GET", "requestContext": {"requestId": "r"}},
            {"kind": "authorizer", "resource": "arn:aws:x"},
        ),
        (
            {"Records": [{"eventSource": "aws:sqs", "eventSourceARN": "arn:q", "messageId": "m", "body": SECRET}] * 9},
            {"kind": "sqs", "ids": ["m"] * 5, "records": 9, "resource": "arn:q"},
        ),
        (
            {
                "Records": [
                    {"EventSource": "aws:sns", "Sns": {"MessageId": "m", "TopicArn": "arn:t", "Message": SECRET}}
                ]
            },
            {"kind": "sns", "ids": ["m"], "records": 1, "resource": "arn:t"},
        ),
        (
            {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"arn": "arn:b"}, "object": {"key": SECRET}}}]},
            {"kind": "s3", "ids": [], "records": 1, "resource": "arn:b"},
        ),
        (
            {"id": "e", "detail-type": "Created", "source": "shop", "detail": {"x": SECRET}},
            {"kind": "eventbridge", "ids": ["e"], "method": "Created", "resource": "shop"},
        ),
        ({"awslogs": {"data": SECRET}}, {"kind": "logs"}),
        (
            {"triggerSource": "PreSignUp_SignUp", "userPoolId": "pool", "request": {"x": SECRET}},
            {"kind": "cognito", "method": "PreSignUp_SignUp", "resource": "pool"},
        ),
        (
            {"Records": "text", "requestContext": None, "awslogs": 5},
            {"Records": "text", "requestContext": None, "awslogs": 5},
        ),
        ({"Records": [], "requestContext": {}}, {"Records": [], "requestContext": {}}),
        ({"rawContext": 5, "methodArn": "arn:x"}, {"rawContext": 5, "methodArn": "arn:x"}),
        ({"detail-type": 5, "triggerSource": 5}, {"detail-type": 5, "triggerSource": 5}),
        (
            {"requestContext": {"elb": {"targetGroupArn": "arn:t"}}, "httpMethod": "GET"},
            {"kind": "alb", "method": "GET", "resource": "arn:t"},
        ),
    ],
    ids=lambda value: value.get("kind", "") if isinstance(value, dict) else "",
)
def test_events_of_each_kind(recorded, event, shown):
    """Kind, ids, method and resource; a dict that is no event is shown as any other."""
    assert recorded(event) == shown


def raise_chain():
    """Raise an exception with a cause and a context."""
    try:
        try:
            raise KeyError("first")  # noqa: TRY301 (a chain is what is tested)
        except KeyError as error:
            raise ValueError(f"password={SECRET}") from error
    except ValueError:
        raise RuntimeError("last")  # noqa: B904 (the context is what is tested)


def test_the_chain_of_an_exception_is_recorded(fleece_xray):
    """Each by its type, message and stack, innermost frame first, linked by `cause`."""
    with pytest.raises(RuntimeError):
        xray.trace_xray_subsegment()(raise_chain)()
    cause = fleece_xray.subsegments[0]["cause"]
    last, second, first = cause["exceptions"]
    assert [one["type"] for one in cause["exceptions"]] == ["RuntimeError", "ValueError", "KeyError"]
    assert (last["cause"], second["cause"], "cause" in first) == (second["id"], first["id"], False)
    assert second["message"] == "password=***"
    assert last["remote"] is False
    frame = last["stack"][0]
    assert frame["path"] == __file__
    assert frame["label"] == "raise_chain"
    assert frame["line"] > 100
    assert pathlib.Path(cause["working_directory"]).is_absolute()
    assert not any("fleece/xray/_" in frame["path"] for one in cause["exceptions"] for frame in one["stack"])


def test_a_suppressed_context_and_a_circle_of_causes_end_the_chain(fleece_xray):
    """As a traceback would."""

    @xray.trace_xray_subsegment()
    def fail(circular):
        first, second = ValueError("a"), ValueError("b")
        if circular:
            first.__cause__, second.__cause__ = second, first
            raise first
        try:
            raise second
        except ValueError:
            raise first from None

    for circular, length in ((True, 2), (False, 1)):
        with pytest.raises(ValueError, match="a"):
            fail(circular)
        assert len(fleece_xray.subsegments[-1]["cause"]["exceptions"]) == length


def test_a_deep_stack_and_a_long_chain_are_cut(fleece_xray):
    """The innermost fifty frames, and how many there were more; the last exceptions of the chain."""

    def dive(depth):
        if depth == 0:
            raise ValueError("bottom")
        dive(depth - 1)

    def chain(length):
        try:
            if length:
                chain(length - 1)
        except ValueError as error:
            raise ValueError(f"chain {length}") from error
        raise ValueError("origin")

    for work, argument in ((dive, 200), (chain, 30)):
        with pytest.raises(ValueError):
            xray.trace_xray_subsegment()(work)(argument)
    deep, long = (document["cause"]["exceptions"] for document in fleece_xray.subsegments)
    assert len(deep[0]["stack"]) == 50
    assert deep[0]["truncated"] == 151
    assert len(long) == 8
    assert long[0]["message"] == "chain 30"


class Mute(Exception):  # noqa: N818 (its name says what it is)
    def __str__(self):
        raise ZeroDivisionError


class Chatty(Exception):  # noqa: N818 (as above)
    asked = 0

    @xray.trace_xray_subsegment()
    def __str__(self):
        Chatty.asked += 1
        if Chatty.asked < 200:
            raise Chatty
        return "enough"


def test_a_message_that_is_traced_itself_is_asked_for_once(fleece_xray):
    """An exception whose text is a traced function, which fails in the same way, does not go on for ever."""
    with pytest.raises(Chatty), xray.subsegment("x"):
        raise Chatty
    assert Chatty.asked == 1
    assert len(fleece_xray.subsegments) == 2


@pytest.mark.parametrize(
    "error", [Mute(), ValueError("x" * 10_000_000), ValueError(Broken), ValueError(b"\xff", "\ud800")]
)
def test_messages_that_fail_or_are_huge_do_no_harm(fleece_xray, error):
    """The exception itself passes as it is."""
    with pytest.raises(type(error)) as caught, xray.subsegment("x"):
        raise error
    assert caught.value is error
    message = fleece_xray.subsegments[0]["cause"]["exceptions"][0]["message"]
    assert len(message) < 1100


def test_a_working_directory_that_is_gone_is_left_out(fleece_xray, tmp_path, monkeypatch):
    """Lambda's /tmp is the program's to delete."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ValueError), xray.subsegment("x"):
        raise ValueError
    assert "working_directory" not in fleece_xray.subsegments[0]["cause"]


def test_a_document_that_would_be_too_large_loses_metadata_first(fleece_xray):
    """And says so; what it says of the failure is kept."""

    @xray.trace_xray_subsegment()
    def large():
        xray.put_annotation("kept", 1)
        for number in range(100):
            xray.put_metadata(f"key{number}", "x" * 1000)
        raise ValueError("kept")

    with pytest.raises(ValueError):
        large()
    [document] = fleece_xray.subsegments
    assert document["metadata"] == {"fleece": {"truncated": ["metadata"]}}
    assert document["annotations"] == {"kept": 1}
    assert document["cause"]["exceptions"][0]["stack"]


def test_then_stack_frames_then_everything_but_what_it_is(fleece_xray):
    """A document is cut until it fits, and never dropped."""
    long_name = "d" * 400
    namespace: dict = {}
    code = f"def {long_name}(depth):\n    return {long_name}(depth - 1) if depth else 1 / 0\n"
    exec(compile(code, "/" + "p" * 450, "exec"), namespace)  # noqa: S102 (the only way to long names and paths)

    def chain(length):
        try:
            namespace[long_name](60)
        except ZeroDivisionError as error:
            if length:
                try:
                    chain(length - 1)
                except ZeroDivisionError as cause:
                    raise error from cause
            raise

    @xray.trace_xray_subsegment()
    def stacks():
        xray.put_annotation("kept", 1)
        chain(7)

    with pytest.raises(ZeroDivisionError):
        stacks()
    with xray.subsegment("details"):
        for number in range(50):
            xray.put_annotation(f"key{number}", "語" * 1000)
    cut, details = fleece_xray.subsegments
    assert cut["metadata"] == {"fleece": {"truncated": ["metadata", "stack"]}}
    assert cut["annotations"] == {"kept": 1}
    assert cut["cause"]["exceptions"][0]["stack"] == []
    assert cut["cause"]["exceptions"][0]["truncated"] > 60
    assert details["metadata"] == {"fleece": {"truncated": ["metadata", "stack", "details"]}}
    assert "annotations" not in details
    assert details["name"] == "details"
