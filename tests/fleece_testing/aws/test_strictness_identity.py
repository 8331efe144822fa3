"""Access keys and session tokens that the emulated AWS did not issue, or that have ended."""

import dataclasses
import functools
import urllib.error
import urllib.request

import botocore
import botocore.config
import botocore.exceptions
import pytest

UNSIGNED = botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})

CALLS = {
    "kms": lambda client: client.list_keys,
    "sts": lambda client: client.get_caller_identity,
    "xray": lambda client: functools.partial(client.batch_get_traces, TraceIds=["1"]),
    "s3": lambda client: client.list_buckets,
}


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("kms", "UnrecognizedClientException"),
        ("sts", "InvalidClientTokenId"),
        ("xray", "UnrecognizedClientException"),
        ("s3", "InvalidAccessKeyId"),
    ],
)
def test_a_key_that_was_not_issued(fleece_aws, refused, service, code):
    """A key that nobody issued is refused, in the words and the protocol of the service."""
    client = fleece_aws.client(service, aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x")
    assert refused(CALLS[service](client)) == code


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("kms", "UnrecognizedClientException"),
        ("sts", "InvalidClientTokenId"),
        ("xray", "UnrecognizedClientException"),
        ("s3", "InvalidToken"),
    ],
)
@pytest.mark.parametrize("token", ["wrong", None])
def test_a_wrong_session_token(fleece_aws, refused, service, code, token):
    """Temporary keys with another token, or without one, are refused."""
    issued = dataclasses.replace(fleece_aws.issue_credentials(), session_token=token)
    assert refused(CALLS[service](fleece_aws.client(service, **issued.client_arguments()))) == code


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("kms", "InvalidSignatureException"),
        ("sts", "SignatureDoesNotMatch"),
        ("xray", "InvalidSignatureException"),
        ("s3", "SignatureDoesNotMatch"),
    ],
)
@pytest.mark.parametrize("issue", ["credentials", "issue_credentials"])
def test_a_wrong_secret_key(fleece_aws, refused, service, code, issue):
    """A request that another secret key has signed is refused, be the keys long-term or temporary."""
    mixed = dataclasses.replace(getattr(fleece_aws, issue)(), secret_access_key="another")
    assert refused(CALLS[service](fleece_aws.client(service, **mixed.client_arguments()))) == code


def test_signatures_of_odd_requests(fleece_aws):
    """Paths, queries and headers that need quoting are signed as they were sent."""
    s3 = fleece_aws.client("s3")
    s3.create_bucket(Bucket="bucket")
    for key in ("a b", "a//b", "ä/%2F", "a/../b", "~*'()+"):
        s3.put_object(Bucket="bucket", Key=key, Body=b"x", Metadata={"some": "two  spaces"})
        assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == b"x"
    assert len(s3.list_objects_v2(Bucket="bucket", Prefix="", Delimiter="/ &=")["Contents"]) == 5
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    with pytest.raises(botocore.exceptions.ClientError, match="ResourceNotFound"):
        fleece_aws.client("lambda").list_tags(Resource=arn)


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("kms", "ExpiredTokenException"),
        ("sts", "ExpiredToken"),
        ("xray", "ExpiredTokenException"),
        ("s3", "ExpiredToken"),
    ],
)
def test_an_expired_session(fleece_aws, refused, service, code):
    """Temporary keys are refused after their end."""
    issued = fleece_aws.issue_credentials(seconds=-1)
    assert refused(CALLS[service](fleece_aws.client(service, **issued.client_arguments()))) == code


def test_a_token_with_long_term_keys(fleece_aws, refused):
    """A session token beside the keys of a user is refused: it is another session's."""
    mixed = dataclasses.replace(fleece_aws.credentials(), session_token="left-over")
    client = fleece_aws.client("ssm", **mixed.client_arguments())
    assert refused(client.describe_parameters) == "UnrecognizedClientException"


def test_keys_of_users_and_roles_made_there_work(fleece_aws, refused):
    """Keys that IAM gave a user work until they are made inactive."""
    iam = fleece_aws.client("iam")
    iam.create_user(UserName="me")
    key = iam.create_access_key(UserName="me")["AccessKey"]
    sts = fleece_aws.client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/me"
    iam.update_access_key(UserName="me", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert refused(sts.get_caller_identity) == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("service", "code"), [("kms", "MissingAuthenticationTokenException"), ("sts", "MissingAuthenticationToken")]
)
def test_no_signature(fleece_aws, refused, service, code):
    """An unsigned call is refused."""
    assert refused(CALLS[service](fleece_aws.client(service, config=UNSIGNED))) == code


def test_a_presigned_url_is_signed(fleece_aws):
    """A URL that a client has signed works without headers, and a public program can be given it."""
    s3 = fleece_aws.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="k", Body=b"content")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "k"})
    with urllib.request.urlopen(url) as answer:  # noqa: S310 (its scheme is http)
        assert answer.read() == b"content"
    assert fleece_aws.calls("s3", "GetObject")[0].parameters["Key"] == "k"


def test_no_web_page_may_read_the_answers(fleece_aws):
    """No CORS header is in an answer, and a request from a web page is refused."""
    s3 = fleece_aws.client("s3")
    s3.create_bucket(Bucket="bucket")
    url = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": "bucket"})
    with urllib.request.urlopen(url) as answer:  # noqa: S310 (its scheme is http)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(urllib.request.Request(url, headers={"Origin": "http://evil.example"}))  # noqa: S310
    refused.value.close()
