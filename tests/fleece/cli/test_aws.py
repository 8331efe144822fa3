"""Clients for an environment: the region, and whose word counts."""

import re
import subprocess
import sys

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from fleece.cli import aws
from fleece.cli.credentials import AwsCredentials
from fleece.cli.environments import Environment
from fleece.cli.errors import UsageError

ARN = "arn:aws:kms:eu-north-1:123456789012:key/1"
BOTH = {"AWS_REGION": "us-west-1", "AWS_DEFAULT_REGION": "us-west-2"}


@pytest.mark.parametrize(
    ("region", "key", "environ", "expected"),
    [
        ("eu-west-1", ARN, BOTH, "eu-west-1"),
        (None, ARN, BOTH, "eu-north-1"),
        (None, "alias/mine", BOTH, "us-west-1"),
        (None, "arn:aws:kms", BOTH, "us-west-1"),
        (None, "arn:aws:kms::123456789012:key/1", BOTH, "us-west-1"),
        (None, None, {"AWS_REGION": "", "AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        (None, None, {}, None),
    ],
)
def test_region(region, key, environ, expected):
    """The environment's region comes first, then the key's, then the shell's two variables."""
    assert aws.region_of(Environment("dev", "123456789012", region=region), key, environ) == expected


def test_the_reason_of_a_failure_is_one_line_without_the_request():
    """What AWS repeats of a request whose signature is wrong, session token included, is not told."""
    message = "The signature does not match.\n\nThe Canonical String should have been\nx-amz-security-token:SECRET"
    error = ClientError({"Error": {"Code": "SignatureDoesNotMatch", "Message": message}}, "Decrypt")
    assert aws.reason(error) == "SignatureDoesNotMatch: The signature does not match."
    assert aws.reason(ClientError({"Error": {"Code": "Strange"}}, "Decrypt")) == "Strange: no reason given"
    assert aws.reason(EndpointConnectionError(endpoint_url="https://kms")).startswith("Could not connect")


def test_no_region():
    """Where a region is needed and there is none, the message lists where it can be set."""
    told = "set 'region' in environments.yml, use the key's ARN, or set AWS_REGION or AWS_DEFAULT_REGION"
    with pytest.raises(UsageError, match=re.escape(told)):
        aws.needed_region(Environment("dev", "123456789012"), None, {})
    assert aws.needed_region(Environment("dev", "123456789012"), ARN, {}) == "eu-north-1"


def test_the_region_of_a_key_that_is_none():
    """An ARN with something else where the region stands is told as what it is, if its region is the one to use."""
    key = "arn:aws:kms:no where:123456789012:key/1"
    with pytest.raises(UsageError, match="the region 'no where' in the key's ARN must be the name of an AWS region"):
        aws.needed_region(Environment("dev", "123456789012"), key, {})
    assert aws.needed_region(Environment("dev", "123456789012", region="eu-west-1"), key, {}) == "eu-west-1"


def test_a_client_goes_where_the_environment_says(fleece_aws, monkeypatch, tmp_path):
    """Region, endpoint and credentials are the environment's; profiles, endpoints and proxies of the shell are not."""
    fleece_aws.kms_key()  # moto makes its KMS at the first call, with a boto3 session that minds AWS_PROFILE
    config = tmp_path / "config"
    config.write_text("[default]\nendpoint_url = http://127.0.0.1:1\nregion = us-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    issued = fleece_aws.issue_credentials()
    credentials = AwsCredentials(issued.access_key_id, issued.secret_access_key, issued.session_token)
    client = aws.client("kms", Environment("dev", "1", endpoint_url=fleece_aws.url), credentials, "eu-west-1")
    try:
        assert ":eu-west-1:123456789012:" in client.create_key()["KeyMetadata"]["Arn"]
        assert client.meta.config.read_timeout == 30
    finally:
        client.close()


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [("eu-west-1", "https://kms.eu-west-1.amazonaws.com"), ("cn-north-1", "https://kms.cn-north-1.amazonaws.com.cn")],
)
def test_a_client_without_an_endpoint_goes_to_aws(monkeypatch, region, endpoint):
    """Without ``endpoint_url``, a client is AWS's own, whatever the shell has set."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    client = aws.client("kms", Environment("dev", "123456789012"), AwsCredentials("AKIA", "secret"), region)
    assert client.meta.endpoint_url == endpoint
    client.close()


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "cn-north-1"])
def test_roles_are_of_the_regions_partition(region):
    """The ARN of a role has the partition of the region; one given as an ARN stays as it is."""
    from fleece.cli.credentials.roles import role_arn

    client = aws.client("sts", Environment("dev", "123456789012"), AwsCredentials("AKIA", "secret"), region)
    partition = {"us": "aws", "us-gov": "aws-us-gov", "cn": "aws-cn"}[region.rsplit("-", 2)[0]]
    assert role_arn("Deploy", "123456789012", client.meta.partition) == f"arn:{partition}:iam::123456789012:role/Deploy"
    assert role_arn("arn:aws:iam::1:role/x", "2", client.meta.partition) == "arn:aws:iam::1:role/x"
    client.close()


def test_a_client_needs_no_boto3():
    """A client is botocore's: importing boto3 would take as long as twenty calls."""
    code = """
import sys
from fleece.cli import aws
from fleece.cli.credentials import AwsCredentials
from fleece.cli.environments import Environment
aws.client("kms", Environment("dev", "123456789012"), AwsCredentials("id", "key", None), "eu-west-1").close()
sys.exit("boto3" in sys.modules or "s3transfer" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("service", ["kms", "ssm", "sts"])
def test_a_client_looks_for_one_service(service):
    """Whether botocore knows a service is not found out in the folders of all four hundred, twice for each client."""
    code = f"""
import sys
from fleece.cli import aws
from fleece.cli.credentials import AwsCredentials
from fleece.cli.environments import Environment
listed = []
sys.addaudithook(lambda event, arguments: event == "os.listdir" and listed.append(arguments))
aws.client({service!r}, Environment("dev", "123456789012"), AwsCredentials("id", "key", None), "eu-west-1").close()
print(len(listed))
"""
    listed = int(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)
    assert listed < 100  # modules are looked for in folders, too


def test_calls_are_fleeces(fleece_aws):
    """AWS's logs tell who called."""
    credentials = fleece_aws.issue_credentials()
    environment = Environment("dev", fleece_aws.account, endpoint_url=fleece_aws.url)
    given = AwsCredentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    sent = []
    client = aws.client("kms", environment, given, "eu-west-1")
    client.meta.events.register("before-send.kms", lambda request, **_: sent.append(request.headers["User-Agent"]))
    client.list_keys()
    client.close()
    assert [agent.decode().split("/")[0] for agent in sent] == ["fleece"]
