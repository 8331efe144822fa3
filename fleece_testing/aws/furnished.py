"""The emulated AWS with what tests of one service need at hand.

Each has the whole emulated AWS in `aws`, and boto3's client in `client`.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from fleece_testing._arguments import checked_text
from fleece_testing.logs import find_line, parse_lines

if TYPE_CHECKING:
    import re

    from fleece_testing.aws.application import Call
    from fleece_testing.aws.server import AWS

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_SECURE = "SecureString"


class _Service:
    """One service of an emulated AWS."""

    name: str

    def __init__(self, aws: AWS) -> None:
        self.aws = aws
        self.client: Any = aws.client(self.name)
        """boto3's client of the service."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.aws!r})"

    def calls(self, operation: str | None = None) -> list[Call]:
        """Return the calls that were answered, as `AWS.calls` does; those of the helpers are among them."""
        return self.aws.calls(self.name, operation)


class KMS(_Service):
    """Keys, and what they encrypt, in the form that ``fleece config`` writes: Base64.

    Args:
        aws: the emulated AWS, started.

    Examples:
        >>> kms = KMS(fleece_aws)
        >>> key = kms.key("app")
        >>> kms.decrypt(kms.encrypt(key, "open sesame"))
        'open sesame'
        >>> [call.status for call in kms.calls("Encrypt")]
        [200]
        >>> kms.disable(key)  # or, for good, kms.schedule_deletion(key)
        >>> kms.encrypt(key, "open sesame")
        Traceback (most recent call last):
        ...
        botocore.errorfactory.DisabledException: ...
    """

    name = "kms"

    def key(self, alias: str | None = None) -> str:
        """Create a symmetric key and return its ARN; see `AWS.kms_key`."""
        return self.aws.kms_key(alias)

    def encrypt(self, key: str, text: str) -> str:
        """Return the text encrypted with a key (its id, ARN or alias), in Base64.

        Raises:
            botocore.exceptions.ClientError: KMS refuses it.
        """
        blob: bytes = self.client.encrypt(KeyId=key, Plaintext=checked_text("text", text).encode())["CiphertextBlob"]
        return base64.b64encode(blob).decode()

    def decrypt(self, text: str) -> str:
        """Return what was encrypted, from Base64.

        Raises:
            botocore.exceptions.ClientError: KMS refuses it.
        """
        plain: bytes = self.client.decrypt(CiphertextBlob=base64.b64decode(text))["Plaintext"]
        return plain.decode()

    def disable(self, key: str) -> None:
        """Switch a key off: what uses it gets ``DisabledException``."""
        self.client.disable_key(KeyId=key)

    def schedule_deletion(self, key: str, days: int = 30) -> None:
        """Have a key deleted in 7 to 30 days: what uses it gets ``KMSInvalidStateException``."""
        self.client.schedule_key_deletion(KeyId=key, PendingWindowInDays=days)


class ParameterStore(_Service):
    """Parameters of SSM, put and read by their names.

    Args:
        aws: the emulated AWS, started.

    Examples:
        >>> ssm = ParameterStore(fleece_aws)
        >>> ssm.put("/users/dev/password", "open sesame")
        >>> ssm.tree("/users/dev")
        {'/users/dev/password': 'open sesame'}
        >>> ssm.value("/users/dev/password")
        'open sesame'
        >>> [call.status for call in ssm.calls("PutParameter")]
        [200]
    """

    name = "ssm"

    def put(self, name: str, value: str, *, type: str = _SECURE, key: str | None = None) -> None:  # noqa: A002 (SSM's)
        """Put a parameter, over one that is there.

        Args:
            name: its name, with its levels: ``/users/dev/password``.
            value: its value.
            type: ``SecureString``, ``String`` or ``StringList``.
            key: the KMS key of a SecureString; ``None`` is the account's own.

        Raises:
            botocore.exceptions.ClientError: SSM refuses it.
        """
        chosen = {} if key is None else {"KeyId": key}
        self.client.put_parameter(Name=name, Value=value, Type=type, Overwrite=True, **chosen)

    def value(self, name: str) -> str:
        """Return the value of a parameter, decrypted.

        Raises:
            botocore.exceptions.ClientError: there is none of that name (``ParameterNotFound``), or SSM refuses it.
        """
        found: str = self.client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        return found

    def tree(self, path: str = "/") -> dict[str, str]:
        """Return the values of all parameters below a path, decrypted, by their names, in the order of these."""
        pages = self.client.get_paginator("get_parameters_by_path").paginate(
            Path=path, Recursive=True, WithDecryption=True
        )
        found = {one["Name"]: one["Value"] for page in pages for one in page["Parameters"]}
        return dict(sorted(found.items()))


class CloudWatch(_Service):
    """Log groups of CloudWatch Logs, and what was written to them.

    Args:
        aws: the emulated AWS, started.

    Examples:
        >>> import json, time
        >>> cloudwatch = CloudWatch(fleece_aws)
        >>> group, stream = cloudwatch.stream("/aws/lambda/users")
        >>> event = {"timestamp": int(time.time() * 1000), "message": '{"event": "Order received", "order_id": 7}'}
        >>> answer = cloudwatch.client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
        >>> cloudwatch.assert_logged("Order received", order_id=7)
        {'event': 'Order received', 'order_id': 7}
        >>> cloudwatch.lines(group) == [json.loads(message) for message in cloudwatch.messages()]
        True
        >>> [call.status for call in cloudwatch.calls("PutLogEvents")]
        [200]
    """

    name = "logs"

    def stream(self, group: str, stream: str = "fleece") -> tuple[str, str]:
        """Create a log stream, and its group unless that is there; return the names of both."""
        groups = self.client.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        if group not in [one["logGroupName"] for one in groups]:
            self.client.create_log_group(logGroupName=group)
        self.client.create_log_stream(logGroupName=group, logStreamName=stream)
        return group, stream

    def messages(self, group: str | None = None) -> list[str]:
        """Return the messages of a log group, or of all, in the order of their times."""
        events = [event for name in self._groups(group) for event in self._events(name)]
        return [event["message"] for event in sorted(events, key=lambda event: event["timestamp"])]

    def lines(self, group: str | None = None) -> list[dict[str, Any]]:
        """Return those of the messages that are JSON objects, parsed."""
        return parse_lines(self.messages(group))

    def assert_logged(
        self,
        event: str | re.Pattern[str] | None = None,
        level: str | None = None,
        *,
        group: str | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Assert that a JSON line is in a log group, or in any, and return it; see `Logs.assert_logged`.

        Raises:
            AssertionError: it says what was logged instead, the nearest line first.
        """
        where = "any log group" if group is None else f"the log group {group}"
        return find_line(self.lines(group), event, level, fields, where=where)

    def _groups(self, group: str | None) -> list[str]:
        if group is not None:
            return [group]
        pages = self.client.get_paginator("describe_log_groups").paginate()
        return [one["logGroupName"] for page in pages for one in page["logGroups"]]

    def _events(self, group: str) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event for page in pages for event in page["events"]]
