"""``fleece run`` on LocalStack, with awscli and boto3 as people have them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

IDENTITY = "import boto3, json; print(json.dumps(boto3.client('sts').get_caller_identity()))"


@pytest.fixture
def delivered(fleece, rackspace, definition):
    """Use the repository's own ``environments.yml``, with the accounts that the hook has seeded."""
    for number in ("111111111111", "222222222222"):
        rackspace.account(number)
    fleece.environments((definition / "environments.yml").read_text())
    return fleece


@pytest.mark.parametrize(
    ("environment", "bucket"), [("local", "packages-of-development"), ("production", "packages-of-production")]
)
def test_awscli_lists_the_buckets_of_the_account(delivered, environment, bucket):
    """``aws s3 ls`` shows what the hook has made in the environment's account, and nothing of another one."""
    result = delivered("run", "-e", environment, "--", "aws", "s3", "ls")
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split()[-1] for line in result.stdout.splitlines()] == [bucket]


def test_the_exit_code_is_awsclis(delivered):
    """What awscli says and ends with is what fleece ends with."""
    result = delivered("run", "-e", "local", "--", "aws", "s3", "ls", "s3://packages-of-development/nothing")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")


def test_the_hook_has_made_keys_and_roles(delivered, aws):
    """Each account has its own key of the seeded name, and the roles."""
    arns = set()
    for environment, number in (("local", "111111111111"), ("production", "222222222222")):
        command = ("aws", "kms", "describe-key", "--key-id", "alias/users-service", "--output", "json")
        arns.add(delivered("run", "-e", environment, "--", *command).json["KeyMetadata"]["Arn"])
        roles = {role["RoleName"] for role in aws.client("iam", account=number).list_roles()["Roles"]}
        assert {"LambdaDeployRole", "users-service"} <= roles
    assert {arn.split(":")[4] for arn in arns} == {"111111111111", "222222222222"}


class TestIdentity:
    """Whose credentials a command gets."""

    def test_of_an_account(self, fleece, account):
        """Without a role, they are temporary ones of the account, as Rackspace gives them out."""
        fleece.environments(plain={"account": account})
        found = fleece("run", "-e", "plain", "--", sys.executable, "-c", IDENTITY).json
        assert found["Arn"] == f"arn:aws:sts::{account}:assumed-role/federated/fleece"

    def test_of_a_role(self, fleece, account, aws, rackspace):
        """Through Identity, FAWS and AssumeRole, boto3 is the role of that account, by the session's name."""
        aws.role("Deploy", account)
        fleece.environments(deploy={"account": account, "role": "Deploy", "role_session_name": "me"})
        found = fleece("run", "-e", "deploy", "--", sys.executable, "-c", IDENTITY).json
        assert (found["Account"], found["Arn"]) == (account, f"arn:aws:sts::{account}:assumed-role/Deploy/me")
        assert [one.status for one in rackspace.requests if account in one.path] == [200]

    def test_of_a_role_elsewhere(self, fleece, account, other_account, aws):
        """A role that is given by its ARN may be another account's."""
        arn = aws.role("Visitor", other_account)
        fleece.environments(visit={"account": account, "role": arn})
        found = fleece("run", "-e", "visit", "--", sys.executable, "-c", IDENTITY).json
        assert found["Arn"] == f"arn:aws:sts::{other_account}:assumed-role/Visitor/fleece_assumed_role"

    @pytest.mark.parametrize("number", ["000000000000", "012345678901", "987654321098"])
    def test_of_fixed_keys(self, fleece, number):
        """With fixed keys, the account there is an access key id of 12 digits."""
        keys = {"account": number, "provider": "static", "access_key_id": number}
        fleece.environments(static=keys)
        result = fleece("run", "-e", "static", "--", "aws", "sts", "get-caller-identity", "--output", "json")
        assert result.json["Account"] == number

    def test_of_other_fixed_keys(self, fleece):
        """Of any other access key id, it is LocalStack's first account."""
        fleece.environments(static={"account": "000000000000", "provider": "static"})
        assert fleece("run", "-e", "static", "--", sys.executable, "-c", IDENTITY).json["Account"] == "000000000000"

    def test_from_the_cache(self, fleece, account, aws, rackspace):
        """Credentials that are reused work as well, and nobody is asked for others."""
        aws.role("Deploy", account)
        fleece.environments(deploy={"account": account, "role": "Deploy"})
        first, second = (fleece("run", "-e", "deploy", "--", sys.executable, "-c", IDENTITY).json for _ in range(2))
        assert first["UserId"] == second["UserId"]
        assert len([one for one in rackspace.requests if account in one.path]) == 1

    def test_of_an_unknown_account(self, fleece):
        """An account that Rackspace does not know is told before anything runs."""
        fleece.environments(unknown={"account": "400000000000"})
        result = fleece("run", "-e", "unknown", "--", "aws", "s3", "ls")
        assert (result.exit_code, result.stdout) == (125, "")
        assert "400000000000" in result.stderr


class TestProfile:
    """A profile of ``~/.aws/config`` whose ``credential_process`` is fleece."""

    @pytest.fixture
    def profile(self, fleece, account, aws, address):
        aws.role("Deploy", account)
        path = fleece.environments(deploy={"account": account, "role": "Deploy"})
        process = f'"{sys.executable}" -m fleece run --credential-process -e deploy -c "{path}"'
        settings = {"credential_process": process, "region": "eu-west-1", "endpoint_url": address}
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (fleece.folder / "config").write_text(f"[profile fleece]\n{lines}")
        fleece.variables = {"AWS_CONFIG_FILE": str(fleece.folder / "config"), "AWS_PROFILE": "fleece"}
        return fleece

    @pytest.mark.parametrize(
        "command",
        [["aws", "sts", "get-caller-identity", "--output", "json"], [sys.executable, "-c", IDENTITY]],
        ids=["awscli", "boto3"],
    )
    def test_programs_get_their_credentials_from_it(self, profile, account, command):
        """Both awscli and boto3 ask fleece by themselves, and are the role."""
        variables = profile.environment(profile.variables)
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert json.loads(done.stdout)["Arn"].startswith(f"arn:aws:sts::{account}:assumed-role/Deploy/")

    def test_what_would_be_asked_is_an_error_of_awsclis(self, profile):
        """Without the API key, awscli tells what fleece says of it, and prints nothing else."""
        variables = profile.environment({**profile.variables, "RS_API_KEY": None})
        command = ["aws", "sts", "get-caller-identity"]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (255, "")
        assert "Error: no credentials: the Rackspace API key of fleece is missing; give --apikey-file" in done.stderr


def test_an_exported_environment_is_a_shells(fleece, account):
    """What ``--export env`` prints leads a program there, in a shell that knew nothing of it."""
    fleece.environments(plain={"account": account})
    exported = fleece("run", "-e", "plain", "--export", "env").stdout
    script = f"{exported}\naws sts get-caller-identity --output json"
    variables = {"PATH": os.environ["PATH"], "HOME": str(fleece.folder)}
    done = subprocess.run(["sh", "-c", script], env=variables, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["Account"] == account
