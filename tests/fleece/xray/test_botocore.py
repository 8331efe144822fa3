"""AWS calls as subsegments, by real boto3 clients on the emulated AWS."""

import functools
import os
import subprocess
import sys

import boto3
import botocore.client
import botocore.config
import botocore.endpoint
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from botocore.stub import Stubber

from fleece import xray

HEADER = "X-Amzn-Trace-Id"


@pytest.fixture(autouse=True)
def patched(unpatched, fleece_aws, fleece_xray):
    """Trace botocore for the length of a test."""
    xray.monkey_patch_botocore_for_xray()


@pytest.fixture
def sent():
    """Collect the requests that a client sends, as they leave."""

    def collect(client):
        requests = []
        client.meta.events.register("before-send", lambda request, **_: requests.append(request))
        return requests

    return collect


def test_a_call_is_a_subsegment_of_its_service(fleece_aws, fleece_xray):
    """Named by the service, with operation, region and request id, and the status of the answer."""
    with xray.subsegment("handler"):
        answer = fleece_aws.client("sts").get_caller_identity()
    assert answer["Account"] == fleece_aws.account
    [trace] = fleece_xray.traces()
    [call] = trace.roots[0].children
    document = call.document
    assert (document["name"], document["namespace"]) == ("STS", "aws")
    assert document["aws"] == {
        "operation": "GetCallerIdentity",
        "region": fleece_aws.region,
        "request_id": answer["ResponseMetadata"]["RequestId"],
    }
    assert document["http"]["response"]["status"] == 200
    assert not {"error", "fault", "throttle", "cause", "metadata"} & set(document)


def test_the_in_progress_document_says_what_is_called(fleece_aws, fleece_xray):
    """So that a function that times out shows what it waited for."""
    fleece_aws.client("sts").get_caller_identity()
    started = fleece_xray.documents[0]
    assert started["in_progress"] is True
    assert started["aws"] == {"operation": "GetCallerIdentity", "region": fleece_aws.region}


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "field"),
    [
        ("dynamodb", "describe_table", {"TableName": "users"}, {"table_name": "users"}),
        ("sqs", "get_queue_attributes", {"QueueUrl": "https://sqs/1/q"}, {"queue_url": "https://sqs/1/q"}),
    ],
)
def test_tables_and_queues_are_named(fleece_aws, fleece_xray, service, operation, arguments, field):
    """Other parameters are not recorded."""
    client = fleece_aws.client(service)
    with Stubber(client) as stubber:
        stubber.add_response(operation, {}, arguments)
        getattr(client, operation)(**arguments)
    [document] = fleece_xray.subsegments
    assert document["aws"].items() >= field.items()
    assert "metadata" not in document


def test_an_error_of_the_service_is_raised_unchanged_and_recorded(fleece_aws, fleece_xray):
    """A 4xx is an error, not a fault; the exception is the service's."""
    with pytest.raises(ClientError) as caught:
        fleece_aws.client("ssm").get_parameter(Name="/missing")
    assert caught.value.response["Error"]["Code"] == "ParameterNotFound"
    [document] = fleece_xray.subsegments
    assert (document["error"], "fault" in document, "throttle" in document) == (True, False, False)
    assert document["http"]["response"]["status"] == 400
    [exception] = document["cause"]["exceptions"]
    assert (exception["type"], exception["remote"]) == ("ParameterNotFound", True)


@pytest.mark.parametrize(
    ("code", "status", "flags"),
    [
        ("ThrottlingException", 400, {"error", "throttle"}),
        ("TooManyRequests", 429, {"error", "throttle"}),
        ("AccessDenied", 403, {"error"}),
        ("InternalError", 500, {"fault"}),
        ("ServiceUnavailable", 503, {"fault"}),
    ],
)
def test_statuses_make_errors_throttles_and_faults(fleece_aws, fleece_xray, code, status, flags):
    """Services slow callers down with 429, or with 400 and a code that says so."""
    client = fleece_aws.client("sts")
    with Stubber(client) as stubber:
        stubber.add_client_error("get_caller_identity", code, http_status_code=status)
        with pytest.raises(ClientError):
            client.get_caller_identity()
    [document] = fleece_xray.subsegments
    assert {"error", "throttle", "fault"} & set(document) == flags


def test_a_client_error_without_metadata_is_raised_unchanged(fleece_aws, fleece_xray):
    """As some libraries make them by hand: a fault."""
    client = fleece_aws.client("sts")
    error = ClientError({}, "GetCallerIdentity")

    def fail(**_):
        raise error

    client.meta.events.register("before-call", fail)
    with pytest.raises(ClientError) as caught:
        client.get_caller_identity()
    assert caught.value is error
    assert fleece_xray.subsegments[0]["fault"] is True


@pytest.mark.parametrize("metadata", [{"HTTPStatusCode": "400"}, {"HTTPHeaders": {"content-length": "many"}}, {}])
def test_strange_metadata_does_no_harm(fleece_aws, fleece_xray, metadata):
    """The error is the same."""
    client = fleece_aws.client("sts")
    error = ClientError({"ResponseMetadata": metadata, "Error": {"Code": "X"}}, "GetCallerIdentity")

    def fail(**_):
        raise error

    client.meta.events.register("before-call", fail)
    with pytest.raises(ClientError) as caught:
        client.get_caller_identity()
    assert caught.value is error
    assert fleece_xray.subsegments[0]["fault"] is True


def test_what_is_no_client_fails_as_without_the_patch(fleece_xray):
    """No subsegment, and botocore's own exception."""
    with pytest.raises(AttributeError):
        botocore.client.BaseClient._make_api_call(object(), "GetCallerIdentity", {})
    assert fleece_xray.documents == []


def test_mistakes_and_lost_connections_are_faults(fleece_aws, fleece_xray):
    """They are raised as botocore raises them."""
    with pytest.raises(ParamValidationError):
        fleece_aws.client("ssm").get_parameter(Wrong=1)
    config = botocore.config.Config(retries={"total_max_attempts": 1})
    with pytest.raises(EndpointConnectionError):
        boto3.client("sts", endpoint_url="http://127.0.0.1:1", config=config).get_caller_identity()
    assert [document["fault"] for document in fleece_xray.subsegments] == [True, True]
    assert fleece_xray.subsegments[0]["cause"]["exceptions"][0]["remote"] is False


def test_retries_are_part_of_the_call(fleece_aws, fleece_xray):
    """One call, one subsegment, however often it was tried."""
    fleece_aws.fail("ssm", "GetParameters", times=2, code="InternalServerError")
    fleece_aws.client("ssm").get_parameters(Names=["/a"])
    assert len(fleece_aws.calls("ssm", "GetParameters")) == 3
    assert len(fleece_xray.subsegments) == 1


def test_clients_that_exist_already_and_resources_are_traced(fleece_aws, fleece_xray):
    """What is patched is below all of them; fleece.boto3's too."""
    from fleece import boto3 as fleece_boto3

    xray.unpatch_xray()
    client, resource = fleece_boto3.client("s3", timeout=5), fleece_boto3.resource("s3")
    xray.monkey_patch_botocore_for_xray()
    client.create_bucket(Bucket="bucket")
    resource.Object("bucket", "key").put(Body=b"body")
    assert [document["aws"]["operation"] for document in fleece_xray.subsegments] == ["CreateBucket", "PutObject"]


@pytest.mark.parametrize("on_lambda", [False, True])
def test_the_trace_is_sent_downstream(fleece_aws, fleece_xray, sent, monkeypatch, on_lambda):
    """With the subsegment as the parent, also where botocore itself sends the environment's header."""
    if on_lambda:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "users")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"{fleece_xray.trace_header};Lineage=1:abcdef12:0|x")
    client = fleece_aws.client("sts")
    requests = sent(client)
    client.get_caller_identity()
    [document] = fleece_xray.subsegments
    root, parent = fleece_xray.trace_id, document["id"]
    assert _text(requests[0]) == f"Root={root};Parent={parent};Sampled=1;Lineage=1:abcdef12:0|x"


@pytest.mark.parametrize("on_lambda", [False, True])
def test_an_unsampled_trace_is_sent_downstream_as_such(fleece_aws, fleece_xray, sent, trace, monkeypatch, on_lambda):
    """No subsegment, but the next service does not start a trace of its own."""
    if on_lambda:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "users")
    header = f"{fleece_xray.trace_header[:-1]}0"
    trace(header)
    client = fleece_aws.client("sts")
    requests = sent(client)
    client.get_caller_identity()
    assert _text(requests[0]) == header
    assert fleece_xray.documents == []


def test_without_a_trace_no_header_is_sent(fleece_aws, sent, trace):
    """There is nothing to pass on."""
    trace(None)
    client = fleece_aws.client("sts")
    requests = sent(client)
    client.get_caller_identity()
    assert HEADER not in requests[0].headers


@pytest.mark.parametrize("name", [HEADER, HEADER.lower()])
def test_a_header_that_the_caller_set_is_kept(fleece_aws, sent, name):
    """It is the caller's decision what is passed on."""
    client = fleece_aws.client("sts")
    client.meta.events.register("before-call", lambda params, **_: params["headers"].update({name: "Root=mine"}))
    requests = sent(client)
    client.get_caller_identity()
    assert _text(requests[0]) == "Root=mine"


def _text(request):
    value = request.headers[HEADER]
    return value.decode() if isinstance(value, bytes) else value


def test_patching_twice_is_patching_once_and_can_be_undone(fleece_aws, fleece_xray):
    """One subsegment for each call; none after `unpatch_xray`, which leaves the originals."""
    xray.unpatch_xray()
    originals = botocore.client.BaseClient._make_api_call, botocore.endpoint.Endpoint.make_request
    xray.unpatch_xray()
    for _ in range(3):
        xray.monkey_patch_botocore_for_xray()
    client = fleece_aws.client("sts")
    client.get_caller_identity()
    assert len(fleece_xray.subsegments) == 1
    xray.unpatch_xray()
    assert (botocore.client.BaseClient._make_api_call, botocore.endpoint.Endpoint.make_request) == originals
    client.get_caller_identity()
    assert len(fleece_xray.subsegments) == 1


def test_another_librarys_patch_on_top_is_left_there(fleece_aws, fleece_xray, monkeypatch):
    """It is neither patched again nor thrown away."""
    ours = botocore.client.BaseClient._make_api_call
    calls = []

    @functools.wraps(ours)
    def theirs(*args, **kwargs):
        calls.append(args[1])
        return ours(*args, **kwargs)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", theirs)
    xray.monkey_patch_botocore_for_xray()
    fleece_aws.client("sts").get_caller_identity()
    xray.unpatch_xray()
    assert botocore.client.BaseClient._make_api_call is theirs
    assert calls == ["GetCallerIdentity"]
    assert len(fleece_xray.subsegments) == 1


def test_unpatching_imports_nothing():
    """Where botocore was never loaded, there is nothing to take back."""
    code = (
        "import sys; from fleece import xray; xray.unpatch_xray();"
        "assert not {'botocore', 'requests'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))
