"""The emulated AWS as an object: its address, its credentials, its clients and its helpers."""

import os
import subprocess
import sys

import boto3
import pytest

from fleece_testing.aws import AWS


@pytest.fixture
def aws(fleece_aws):
    """Give the emulated AWS a short name."""
    return fleece_aws


class TestAWS:
    """The server, started for real, and boto3 on it."""

    def test_environment_leads_a_child_process_to_it(self, aws):
        """A child with the environment and plain boto3 is an IAM user of the account."""
        code = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
        child = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **aws.environment()},
            capture_output=True,
            text=True,
            check=True,
        )
        assert child.stdout == "arn:aws:iam::123456789012:user/fleece\n"

    def test_a_session_token_from_elsewhere(self, aws):
        """A session token that is in the environment already is not sent with the keys of the IAM user."""
        before = {"AWS_SESSION_TOKEN": "of-another-account"}
        child = subprocess.run(
            [sys.executable, "-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"],
            env={**os.environ, **before, **aws.environment()},
            capture_output=True,
            text=True,
            check=True,
        )
        assert child.stdout == "123456789012\n"

    def test_clear_forgets_resources_and_keeps_the_credentials(self, aws):
        """After a clear the same client finds an empty account."""
        environment = aws.environment()
        client = aws.client("ssm")
        client.put_parameter(Name="/a", Value="1", Type="String")
        aws.clear()
        assert client.describe_parameters()["Parameters"] == []
        assert aws.environment() == environment

    def test_client_ignores_the_environment(self, aws, monkeypatch):
        """A stale profile and foreign keys in the environment do not reach a client."""
        monkeypatch.setenv("AWS_PROFILE", "not-there")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFOREIGN")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"

    def test_client_of_another_account(self, aws):
        """A client can be of any account, and each account has its own resources."""
        other = aws.client("sts", account="210987654321")
        assert other.get_caller_identity()["Arn"] == "arn:aws:iam::210987654321:user/fleece"
        aws.client("ssm").put_parameter(Name="/a", Value="1", Type="String")
        assert aws.client("ssm", account="210987654321").describe_parameters()["Parameters"] == []

    def test_issued_credentials_act_in_their_account(self, aws):
        """Temporary credentials are a role session of the account that they were issued for."""
        issued = aws.issue_credentials("210987654321", seconds=900)
        identity = aws.client("sts", **issued.client_arguments()).get_caller_identity()
        assert identity["Arn"] == "arn:aws:sts::210987654321:assumed-role/federated/fleece"

    def test_credentials_keep_their_secrets_out_of_repr(self, aws):
        """Neither the secret key nor the session token is in the representation."""
        issued = aws.issue_credentials()
        assert issued.access_key_id in repr(issued)
        assert issued.secret_access_key not in repr(issued)
        assert issued.session_token not in repr(issued)

    def test_kms_key_of_a_region_that_there_is_not(self, aws):
        """A misspelt region is told where it is given."""
        with pytest.raises(ValueError, match=r"^KMS has no region 'eu-west-9'$"):
            aws.kms_key("app", region="eu-west-9")

    def test_kms_key_encrypts_by_arn_and_alias(self, aws):
        """A key made by the helper works under its ARN and under its alias."""
        arn = aws.kms_key("app")
        kms = aws.client("kms")
        sealed = kms.encrypt(KeyId="alias/app", Plaintext=b"x")
        assert sealed["KeyId"] == arn
        assert kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], KeyId=arn)["Plaintext"] == b"x"

    def test_role_can_be_assumed(self, aws):
        """A role made by the helper can be assumed, and its session acts in the role's account."""
        arn = aws.role("deploy", account="210987654321")
        given = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
        session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        sts = session.client("sts", endpoint_url=aws.url, region_name=aws.region)
        assert sts.get_caller_identity()["Arn"] == "arn:aws:sts::210987654321:assumed-role/deploy/me"

    def test_importing_it_does_not_import_moto(self):
        """The package can be imported for its names without the second that moto takes."""
        code = "import fleece_testing.aws, sys; sys.exit('moto' in sys.modules)"
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

    def test_starting_it_does_not_import_ec2(self):
        """Moto's EC2, which takes longer to import than all the rest, waits for a call that needs it, as SSM's do."""
        code = (
            "import sys\n"
            "from fleece_testing import AWS\n"
            "with AWS() as aws:\n"
            "    aws.kms_key('app'), aws.role('deploy')\n"
            "    print('moto.ec2' in sys.modules)\n"
            "    aws.client('ssm').put_parameter(Name='/a', Value='x', Type='String')\n"
            "    print('moto.ec2' in sys.modules)\n"
        )
        child = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        assert child.stdout.split() == ["False", "True"]

    def test_a_missing_extra_is_named(self):
        """Without moto the import fails at once, and says what to install."""
        code = "import sys; sys.modules['moto'] = None; import fleece_testing.aws"
        child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert child.stderr.splitlines()[-1] == (
            "ModuleNotFoundError: fleece_testing.aws needs the package 'moto': pip install 'fleece[testing]'"
        )

    def test_url_needs_a_started_server(self):
        """Before the start there is no address, and the message says what to do."""
        with pytest.raises(RuntimeError, match=r"call start\(\)"):
            AWS().environment()


def test_a_second_server_in_the_process(fleece_aws):
    """Another one can be started beside it, with keys of its own for the same account."""
    with AWS() as other:
        assert other.client("sts").get_caller_identity()["Account"] == "123456789012"
        assert fleece_aws.client("sts").get_caller_identity()["Account"] == "123456789012"
        assert other.credentials() != fleece_aws.credentials()
