"""Events of services that send one thing at a time.

Sources: AWS's pages "Events in Amazon EventBridge", "Using Lambda with CloudWatch Logs" and "Customizing user pool
workflows with Lambda triggers".
"""

from __future__ import annotations

import base64
import gzip
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from fleece_testing._arguments import checked_list, checked_mapping, checked_texts
from fleece_testing.events._payloads import ACCOUNT, REGION
from fleece_testing.events._records import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleece_testing.events._request import Event

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


def eventbridge(
    detail_type: str = "Scheduled Event",
    detail: Mapping[str, Any] | None = None,
    *,
    source: str = "aws.events",
    resources: tuple[str, ...] = (),
) -> Event:
    """Build an EventBridge event; by default that of a schedule.

    Args:
        detail_type: what kind of event it is.
        detail: its content.
        source: who sent it.
        resources: the ARNs it is about.

    Examples:
        >>> eventbridge("OrderPlaced", {"id": 1}, source="shop")["detail"]
        {'id': 1}
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": REGION,
        "resources": checked_list("resources", resources),
        "detail": checked_mapping("detail", detail),
    }


def cloudwatch_logs(
    *messages: Any, log_group: str = "/aws/lambda/test_function", log_stream: str = "stream", filter_name: str = "all"
) -> Event:
    """Build the event of a subscription to a log group: the lines, gzipped and base64-encoded.

    Args:
        messages: the lines; anything but a string becomes JSON.
        log_group: where they were logged.
        log_stream: and in which stream.
        filter_name: the name of the subscription.

    Examples:
        >>> list(cloudwatch_logs("a line")["awslogs"])
        ['data']
    """
    now = int(time.time() * 1000)
    content = {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": log_group,
        "logStream": log_stream,
        "subscriptionFilters": [filter_name],
        "logEvents": [
            {"id": f"{number:056d}", "timestamp": now, "message": text(message)}
            for number, message in enumerate(messages)
        ],
    }
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(content).encode())).decode()}}


def cognito(
    trigger: str = "PreSignUp_SignUp",
    *,
    user: str = "user",
    attributes: Mapping[str, str] | None = None,
    request: Mapping[str, Any] | None = None,
    response: Mapping[str, Any] | None = None,
    user_pool: str = f"{REGION}_example",
) -> Event:
    """Build the event of a Cognito user pool's trigger.

    Args:
        trigger: the trigger and where it came from, such as ``PostConfirmation_ConfirmSignUp``.
        user: the user's name.
        attributes: the user's attributes.
        request: what this trigger's request has besides.
        response: what this trigger's response starts from.
        user_pool: the pool's id.

    Examples:
        >>> cognito(user="me")["userName"]
        'me'
    """
    return {
        "version": "1",
        "triggerSource": trigger,
        "region": REGION,
        "userPoolId": user_pool,
        "userName": user,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "client"},
        "request": {"userAttributes": checked_texts("attributes", attributes), **checked_mapping("request", request)},
        "response": checked_mapping("response", response),
    }
