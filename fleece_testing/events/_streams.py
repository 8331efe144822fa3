"""Events of DynamoDB and Kinesis streams.

Sources: AWS's pages "Using AWS Lambda with Amazon DynamoDB" and "Using Lambda to process records from Amazon Kinesis".
"""

from __future__ import annotations

import base64
import time
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fleece_testing.events._payloads import ACCOUNT, REGION
from fleece_testing.events._records import text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleece_testing.events._request import Event

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


def dynamodb_stream(
    *changes: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None], table: str = "table", key: str = "id"
) -> Event:
    """Build the event of a DynamoDB stream with old and new images.

    Args:
        changes: the item before and the item after, as plain Python values; ``None`` before an insert and after a
            removal.
        table: the table's name.
        key: the name of the partition key, which each item has.

    Examples:
        >>> dynamodb_stream((None, {'id': 1}))['Records'][0]['eventName']
        'INSERT'
    """
    return {"Records": [_dynamodb_record(*_change(change), table, key) for change in changes]}


def kinesis(*data: Any, stream: str = "stream", partition_key: str = "1") -> Event:
    """Build the event of a Kinesis stream.

    Args:
        data: each record's data; anything but bytes and strings becomes JSON.
        stream: the stream's name.
        partition_key: of all records.

    Examples:
        >>> len(kinesis("a", "b")["Records"])
        2
    """
    return {"Records": [_kinesis_record(one, number, stream, partition_key) for number, one in enumerate(data)]}


def _change(given: Any) -> tuple[Any, Any]:
    """See that this is the item before and the item after."""
    if not (isinstance(given, (tuple, list)) and len(given) == 2):  # noqa: PLR2004 (the two)
        raise ValueError(f"A change is the item before and the item after, such as (None, {{'id': 1}}), not {given!r}")
    before, after = given
    return before, after


def _dynamodb_record(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, table: str, key: str) -> Event:
    item = after or before
    if item is None:
        raise ValueError("A change has an item before or after it, or both")
    if key not in item:
        raise ValueError(f"The item {item!r} has no {key!r}, the partition key: name another one with key=...")
    change: Event = {
        "ApproximateCreationDateTime": int(time.time()),
        "Keys": {key: dynamodb_value(item[key])},
        "SequenceNumber": str(time.time_ns()),
        "SizeBytes": len(str(item)),
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if before is not None:
        change["OldImage"] = dynamodb_value(before)["M"]
    if after is not None:
        change["NewImage"] = dynamodb_value(after)["M"]
    return {
        "eventID": uuid.uuid4().hex,
        "eventName": "INSERT" if before is None else "REMOVE" if after is None else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
        "eventSourceARN": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}/stream/2026-01-01T00:00:00.000",
    }


def dynamodb_value(value: Any) -> Event:
    """Return a Python value in DynamoDB's own JSON: ``{"S": "text"}``, ``{"N": "1"}`` and so on.

    Raises:
        TypeError: DynamoDB has no such type.

    Examples:
        >>> dynamodb_value({"id": 1})
        {'M': {'id': {'N': '1'}}}
    """
    for types, code, converted in _DYNAMODB_TYPES:
        if isinstance(value, types):
            return {code: converted(value)}
    raise TypeError(f"DynamoDB has no type for {type(value).__name__}")


_DYNAMODB_TYPES: tuple[tuple[type | tuple[type, ...], str, Callable[[Any], Any]], ...] = (
    (type(None), "NULL", lambda _: True),
    (bool, "BOOL", bool),  # before the numbers, of which it is one in Python
    ((int, float, Decimal), "N", str),
    (str, "S", str),
    (bytes, "B", lambda value: base64.b64encode(value).decode()),
    (dict, "M", lambda value: {name: dynamodb_value(one) for name, one in value.items()}),
    ((list, tuple), "L", lambda value: [dynamodb_value(one) for one in value]),
)


def _kinesis_record(data: Any, number: int, stream: str, partition_key: str) -> Event:
    content = bytes(data) if isinstance(data, (bytes, bytearray)) else text(data).encode()
    sequence = f"{49590338271490256608559692538361571095921575989136588898 + number}"
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": partition_key,
            "sequenceNumber": sequence,
            "data": base64.b64encode(content).decode(),
            "approximateArrivalTimestamp": round(time.time(), 3),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{sequence}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/lambda",
        "awsRegion": REGION,
        "eventSourceARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream}",
    }
