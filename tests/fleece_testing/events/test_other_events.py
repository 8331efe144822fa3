"""Events of queues, topics, buckets, streams and other services."""

import base64
import gzip
import hashlib
import json
from decimal import Decimal

import pytest
from boto3.dynamodb.types import TypeDeserializer

from fleece_testing import events


def test_sqs():
    """Each message is a record with its digest; what is no text becomes JSON."""
    first, second = events.sqs("text", {"a": 1}, queue="jobs", attributes={"kind": "x"})["Records"]
    assert (first["body"], second["body"]) == ("text", '{"a": 1}')
    assert first["md5OfBody"] == hashlib.md5(b"text").hexdigest()  # noqa: S324 (SQS's own)
    assert first["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:jobs"
    assert first["messageAttributes"]["kind"]["stringValue"] == "x"
    assert first["messageId"] != second["messageId"]


def test_sns():
    """The message is a text within the record."""
    (record,) = events.sns({"a": 1}, topic="news", subject="s", attributes={"kind": "x"})["Records"]
    assert record["Sns"]["Message"] == '{"a": 1}'
    assert record["Sns"]["Subject"] == "s"
    assert record["Sns"]["TopicArn"].endswith(":news")
    assert record["Sns"]["MessageAttributes"] == {"kind": {"Type": "String", "Value": "x"}}


def test_s3_keys_arrive_encoded_as_in_a_form():
    """A space is a plus; slashes stay."""
    first, second = events.s3("a b/ü.txt", "c", bucket="files", size=7)["Records"]
    assert first["s3"]["object"]["key"] == "a+b/%C3%BC.txt"
    assert first["s3"]["bucket"]["arn"] == "arn:aws:s3:::files"
    assert second["s3"]["object"]["size"] == 7


def test_dynamodb_stream_images_are_what_boto3_reads():
    """Inserts, changes and removals have the images that they should, in DynamoDB's JSON."""
    old, new = {"id": "1", "n": 1}, {"id": "1", "n": Decimal("1.5"), "list": [None, True, {"a": "b"}], "raw": b"\xff"}
    records = events.dynamodb_stream((None, new), (old, new), (old, None))["Records"]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert [sorted(record["dynamodb"].keys() & {"OldImage", "NewImage"}) for record in records] == [
        ["NewImage"],
        ["NewImage", "OldImage"],
        ["OldImage"],
    ]
    image = json.loads(json.dumps(records[0]["dynamodb"]["NewImage"]))
    assert image.pop("raw") == {"B": base64.b64encode(b"\xff").decode()}
    read = {name: TypeDeserializer().deserialize(value) for name, value in image.items()}
    assert read == {name: value for name, value in new.items() if name != "raw"}
    assert records[0]["dynamodb"]["Keys"] == {"id": {"S": "1"}}
    with pytest.raises(TypeError, match="DynamoDB has no type for object"):
        events.dynamodb_value(object())
    with pytest.raises(ValueError, match="an item before or after"):
        events.dynamodb_stream((None, None))


def test_kinesis_data_is_base64():
    """Bytes, text and JSON, each with a sequence number of its own."""
    records = events.kinesis(b"\xff", "text", {"a": 1}, stream="clicks")["Records"]
    data = [base64.b64decode(record["kinesis"]["data"]) for record in records]
    assert data == [b"\xff", b"text", b'{"a": 1}']
    assert len({record["eventID"] for record in records}) == 3
    assert records[0]["eventSourceARN"].endswith("stream/clicks")


def test_eventbridge():
    """By default it is a schedule's event."""
    assert events.eventbridge()["detail-type"] == "Scheduled Event"
    event = events.eventbridge("Order Placed", {"id": 1}, source="shop", resources=("arn",))
    assert (event["detail"], event["source"], event["resources"]) == ({"id": 1}, "shop", ["arn"])


def test_cloudwatch_logs_are_gzipped():
    """The lines come out of base64 and gzip."""
    event = events.cloudwatch_logs("text", {"a": 1}, log_group="/group")
    content = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    assert [line["message"] for line in content["logEvents"]] == ["text", '{"a": 1}']
    assert (content["messageType"], content["logGroup"]) == ("DATA_MESSAGE", "/group")


def test_cognito():
    """A trigger's request and response are where a handler looks for them."""
    event = events.cognito("PreTokenGeneration_Authentication", user="u", attributes={"email": "x"}, response={"a": 1})
    assert event["request"]["userAttributes"] == {"email": "x"}
    assert (event["userName"], event["response"]) == ("u", {"a": 1})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("x", "A change is the item before and the item after, such as .None, {'id': 1}., not 'x'"),
        ({"id": 1}, "A change is the item before and the item after, "),
        ((None, None), "A change has an item before or after it, or both"),
        ((None, {"number": 1}), "The item {'number': 1} has no 'id', the partition key: name another one with key=..."),
    ],
)
def test_changes_that_are_none(fleece_events, change, message):
    """What is no change of a table's item is told with what one is."""
    with pytest.raises(ValueError, match=message):
        fleece_events.dynamodb_stream(change)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: events.sqs(object()), "a message must be what JSON can say: <object.*> was given .*"),
        (lambda: events.sqs("a", attributes=["a"]), r"attributes must be a dictionary: \['a'\] was given"),
        (lambda: events.sns("a", attributes={"a": 1}), r"attributes\['a'\] must be text: 1 was given"),
        (lambda: events.s3(["a", "b"]), r"a key must be text: \['a', 'b'\] was given"),
        (lambda: events.eventbridge("a", "detail"), "detail must be a dictionary: 'detail' was given"),
        (lambda: events.eventbridge(resources="arn"), r"resources must be a list: write \['arn'\], not 'arn'"),
        (lambda: events.cognito(request="a"), "request must be a dictionary: 'a' was given"),
        (lambda: events.cognito(attributes={1: "a"}), "A key of attributes must be text: 1 was given"),
        (lambda: events.token_authorizer(None), "token must be text: None was given"),
        (
            lambda: events.http_authorizer(identity_source="me"),
            r"identity_source must be a list: write \['me'\], not 'me'",
        ),
    ],
)
def test_what_aws_could_not_send_is_one_line(build, said):
    """What has another shape than AWS's is told by its name, where it was given."""
    with pytest.raises(TypeError, match=f"^{said}$"):
        build()
