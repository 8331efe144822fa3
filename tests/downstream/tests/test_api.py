"""The service in this process: as an API, with its logs, its traces, and AWS failing under it."""

import botocore.exceptions
import handler
import pytest
from hypothesis import HealthCheck, given, settings

from fleece_testing import strategies

ORDER = {"id": "7", "item": "tea"}


def test_an_order_is_kept(api):
    """What was posted can be read again."""
    assert api.post("/orders", json=ORDER).status == 201
    assert api.get("/orders/7").json() == ORDER


def test_there_is_no_such_order(api, fleece_logs):
    """An unknown order is a 404, and a line in the log."""
    assert api.get("/orders/8").status == 404
    fleece_logs.assert_logged("No such order", "warning", order_id="8")


def test_calls_are_traced(api, fleece_xray):
    """The call of S3 is below the function that makes it."""
    api.post("/orders", json=ORDER)
    fleece_xray.assert_subsegment("main", parent=fleece_xray.parent_id)
    fleece_xray.assert_subsegment("accept", parent="main", annotations={"order_id": "7"})
    fleece_xray.assert_subsegment("S3", parent="accept", namespace="aws")


def test_a_secret_is_asked_for_once(api, cloud):
    """One order costs one call of Parameter Store."""
    api.post("/orders", json=ORDER)
    assert [call.parameters["Name"] for call in cloud.calls("ssm", "GetParameter")] == ["/orders/receipt-key"]


def test_a_hiccup_of_s3_is_survived(api, cloud):
    """boto3 repeats a call that failed."""
    cloud.fail("s3", "PutObject", 1, code="InternalError")
    assert api.post("/orders", json=ORDER).status == 201


def test_a_denied_secret_is_an_error(api, cloud):
    """Without the right to decrypt, no order is taken."""
    cloud.deny("ssm:GetParameter")
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        api.post("/orders", json=ORDER)


def test_events_and_context_by_hand(cloud, fleece_events, fleece_context):
    """The function can be called with an event and a context of one's own."""
    event = fleece_events.request("POST", "/orders", body=ORDER, kind="function_url")
    assert handler.main(event, fleece_context(function_name="orders"))["statusCode"] == 201


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=strategies.secret_texts())
def test_any_text_is_kept(api, text):
    """Whatever the item is called, it comes back."""
    api.post("/orders", json={"id": "7", "item": text})
    assert api.get("/orders/7").json()["item"] == text
