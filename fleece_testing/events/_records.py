"""Events with a list of records: queues, topics and buckets.

Each builder takes one record or several, as positional arguments. Sources: AWS's pages "Using Lambda with" each of the
services, and "Event message structure" of S3.
"""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from fleece_testing._arguments import checked_text, checked_texts, json_text
from fleece_testing.events._payloads import ACCOUNT, REGION, SOURCE_IP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleece_testing.events._request import Event

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


def sqs(*messages: Any, queue: str = "queue", attributes: Mapping[str, str] | None = None) -> Event:
    """Build the event of an SQS queue.

    Args:
        messages: the bodies; anything but a string becomes JSON.
        queue: the queue's name.
        attributes: message attributes of the type String, on each message.

    Examples:
        >>> [record["body"] for record in sqs("text", {"id": 1})["Records"]]
        ['text', '{"id": 1}']
    """
    given = checked_texts("attributes", attributes)
    return {"Records": [_sqs_record(text(message), queue, given) for message in messages]}


def sns(
    *messages: Any, topic: str = "topic", subject: str | None = None, attributes: Mapping[str, str] | None = None
) -> Event:
    """Build the event of an SNS topic; the arguments are those of `sqs`, and a subject.

    Examples:
        >>> sns("text", subject="Hello")["Records"][0]["Sns"]["Subject"]
        'Hello'
    """
    given = checked_texts("attributes", attributes)
    return {"Records": [_sns_record(text(message), topic, subject, given) for message in messages]}


def s3(*keys: str, bucket: str = "bucket", event_name: str = "ObjectCreated:Put", size: int = 1024) -> Event:
    """Build the notification of an S3 bucket.

    Args:
        keys: the objects' keys; they arrive encoded as in a form, with ``+`` for a space.
        bucket: the bucket's name.
        event_name: what happened.
        size: of each object, in bytes.

    Examples:
        >>> s3("a b.txt")["Records"][0]["s3"]["object"]["key"]
        'a+b.txt'
    """
    return {"Records": [_s3_record(checked_text("a key", key), bucket, event_name, size) for key in keys]}


def _sqs_record(body: str, queue: str, attributes: Mapping[str, str]) -> Event:
    sent = str(int(time.time() * 1000))
    return {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": base64.b64encode(uuid.uuid4().bytes).decode(),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": sent,
            "SenderId": ACCOUNT,
            "ApproximateFirstReceiveTimestamp": sent,
        },
        "messageAttributes": {
            name: {"stringValue": value, "stringListValues": [], "binaryListValues": [], "dataType": "String"}
            for name, value in attributes.items()
        },
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
        "awsRegion": REGION,
    }


def _sns_record(message: str, topic: str, subject: str | None, attributes: Mapping[str, str]) -> Event:
    arn = f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}"
    return {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{arn}:{uuid.uuid4()}",
        "Sns": {
            "Type": "Notification",
            "MessageId": str(uuid.uuid4()),
            "TopicArn": arn,
            "Subject": subject,
            "Message": message,
            "Timestamp": _iso_now(),
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
            "SigningCertUrl": "EXAMPLE",
            "UnsubscribeUrl": "EXAMPLE",
            "MessageAttributes": {name: {"Type": "String", "Value": value} for name, value in attributes.items()},
        },
    }


def _s3_record(key: str, bucket: str, event_name: str, size: int) -> Event:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": _iso_now(),
        "eventName": event_name,
        "userIdentity": {"principalId": "EXAMPLE"},
        "requestParameters": {"sourceIPAddress": SOURCE_IP},
        "responseElements": {"x-amz-request-id": "EXAMPLE", "x-amz-id-2": "EXAMPLE"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "configuration",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "EXAMPLE"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": {
                "key": quote_plus(key, safe="/"),
                "size": size,
                "eTag": hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(),
                "sequencer": f"{time.time_ns():016X}",
            },
        },
    }


def text(value: Any) -> str:
    """Return text as it is, and anything else as JSON.

    Raises:
        TypeError, ValueError: JSON cannot say it.
    """
    return value if isinstance(value, str) else json_text("a message", value)


def _iso_now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
