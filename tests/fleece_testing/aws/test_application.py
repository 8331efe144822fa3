"""The application around moto's, with a stand-in for moto."""

import json

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest
import werkzeug.test

from fleece_testing.aws.application import Application
from fleece_testing.aws.faults import Faults
from fleece_testing.aws.lag import Lag
from fleece_testing.aws.strictness import Principal

CREDENTIALS = botocore.credentials.Credentials("AKID", "secret")


class OneUser:
    """A state in which there is one principal and nothing else."""

    def principal(self, access_key_id):
        """Return the principal."""
        return Principal("123456789012", "arn:aws:iam::123456789012:user/me", "secret")


@pytest.fixture
def post():
    """Send one call of KMS through an application around the given one; return the answer and what was recorded."""

    def send(moto, operation="ListKeys", body=b"{}"):
        application = Application(
            moto, OneUser(), Faults(), Lag(lambda *place: pytest.fail(f"nothing is late here: {place}"))
        )
        headers = {"X-Amz-Target": f"TrentService.{operation}"}
        signed = botocore.awsrequest.AWSRequest("POST", "http://localhost/", headers, body)
        botocore.auth.SigV4Auth(CREDENTIALS, "kms", "us-east-1").add_auth(signed)
        sent = dict(signed.headers.items())
        return werkzeug.test.Client(application).post("/", headers=sent, data=body), application.calls

    return send


@pytest.mark.parametrize("failure", [KeyError("x"), KeyError(), KeyError("my-queue-1")], ids=repr)
def test_what_moto_fails_on(post, caplog, failure):
    """A failure of moto is answered with its reason and a status that is not retried; its traceback is logged."""

    def moto(environ, start_response):
        raise failure

    answer, calls = post(moto)
    error = json.loads(answer.data)
    assert (answer.status_code, error["__type"]) == (501, "EmulatorFailure")
    assert error["message"] == f"The emulated AWS failed in kms:ListKeys: {failure!r}"
    assert [call.status for call in calls] == [501]
    assert "Traceback" in caplog.text


def test_a_package_that_moto_needs(post):
    """A service of moto whose own dependencies are missing says what to install."""

    def moto(environ, start_response):
        raise ModuleNotFoundError("No module named 'parser'", name="parser")

    answer, _ = post(moto)
    assert (answer.status_code, json.loads(answer.data)["message"]) == (
        501,
        "The emulated AWS needs the package 'parser' for kms:ListKeys: pip install 'moto[kms]'",
    )


@pytest.mark.parametrize(
    ("service", "extra"), [("cognito-idp", "cognitoidp"), ("lambda", "awslambda"), ("bedrock", "all")]
)
def test_the_extra_that_a_package_is_part_of(fleece_aws, monkeypatch, service, extra):
    """What to install is an extra that moto has, also where it has another name than the service."""
    operation = {"cognito-idp": "list_user_pools", "lambda": "list_functions", "bedrock": "list_foundation_models"}

    def fail(self, environ, start_response):
        raise ModuleNotFoundError("No module named 'parser'", name="parser")

    monkeypatch.setattr("moto.moto_server.werkzeug_app.DomainDispatcherApplication.__call__", fail)
    arguments = {"MaxResults": 1} if service == "cognito-idp" else {}
    with pytest.raises(botocore.exceptions.ClientError, match=rf"pip install 'moto\[{extra}\]'"):
        getattr(fleece_aws.client(service), operation[service])(**arguments)


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [("ssm", "describe_parameters", "InvalidSignatureException"), ("sns", "list_topics", "SignatureDoesNotMatch")],
)
def test_a_region_that_there_is_not(fleece_aws, service, operation, code, caplog):
    """A call signed for a region that AWS does not have is refused as AWS refuses it, and is no fault of the server."""
    client = fleece_aws.client(service, region_name="eu-west-9")
    with pytest.raises(botocore.exceptions.ClientError, match="to a valid region, not 'eu-west-9'") as caught:
        getattr(client, operation)()
    assert caught.value.response["Error"]["Code"] == code
    assert caplog.text == ""


def test_what_is_in_a_region_that_there_is_not(fleece_aws, refused):
    """A parameter that names a region that AWS does not have is invalid, in JSON and in the older protocol."""
    secrets, sns = fleece_aws.client("secretsmanager"), fleece_aws.client("sns")
    replicas = [{"Region": "eu-west-9"}]
    assert refused(secrets.create_secret, Name="a", AddReplicaRegions=replicas) == "InvalidParameterException"
    topic = sns.create_topic(Name="topic")["TopicArn"]
    queue = "arn:aws:sqs:eu-west-9:123456789012:queue"
    assert refused(sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=queue) == "InvalidParameter"


@pytest.mark.parametrize("what", ["head_object", "head_bucket"])
def test_what_is_not_there_is_404_to_head(fleece_aws, refused, what):
    """S3 answers HEAD with 404 for what is not there: programs ask so whether to upload."""
    s3 = fleece_aws.client("s3")
    s3.create_bucket(Bucket="bucket")
    arguments = {"head_object": {"Bucket": "bucket", "Key": "none"}, "head_bucket": {"Bucket": "none"}}
    assert refused(getattr(s3, what), **arguments[what]) == "404"


def test_moto_has_the_body_and_the_account(post):
    """Moto gets the request as it was, and the account that it is of."""
    seen = {}

    def moto(environ, start_response):
        seen.update(environ, body=environ["wsgi.input"].read())
        start_response("200 OK", [("Access-Control-Allow-Origin", "*"), ("X-Other", "1")])
        return [b"{}"]

    answer, _ = post(moto, body=b'{"Limit": 1}')
    assert (seen["body"], seen["HTTP_X_MOTO_ACCOUNT_ID"]) == (b'{"Limit": 1}', "123456789012")
    assert ("X-Other" in answer.headers, "Access-Control-Allow-Origin" in answer.headers) == (True, False)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_of_another_form_is_moto_s_business(post, body):
    """A body that is no JSON object has no parameters, and is not looked into."""

    def moto(environ, start_response):
        start_response("400 Bad Request", [])
        return [b"{}"]

    answer, calls = post(moto, body=body)
    assert (answer.status_code, dict(calls[0].parameters)) == (400, {})


def test_each_call_is_recorded_before_its_answer_leaves(post):
    """Whoever has the answer finds the call recorded, with its parameters."""

    def moto(environ, start_response):
        start_response("200 OK", [])
        return [b"{}"]

    _, (call,) = post(moto, body=json.dumps({"Limit": 1}))
    assert (call.operation, call.status, call.parameters) == ("ListKeys", 200, {"Limit": 1})
