"""``fleece run --credential-process`` in ``~/.aws/config``, as AWS's own tools call it."""

import sys

import boto3
import botocore.exceptions
import pytest


@pytest.fixture
def profile(fleece_cli, monkeypatch):
    """Return a function that writes an AWS profile ``mine`` whose credentials come from fleece."""

    def write(environment, *options):
        config = fleece_cli.folder / "aws-config"
        arguments = ["-c", f"{fleece_cli.folder}/environments.yml", "-e", environment, "--no-cache", *options]
        command = " ".join([sys.executable, "-m", "fleece", "run", "--credential-process", *arguments])
        config.write_text(f"[profile mine]\ncredential_process = {command}\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)

    return write


def test_boto3_gets_credentials(profile, fleece_environments, fleece_aws):
    """A profile whose ``credential_process`` is fleece gives boto3 credentials that work, and renews them in time."""
    fleece_environments(dev={})
    profile("dev")
    session = boto3.Session(profile_name="mine")
    client = session.client("sts", region_name="us-east-1")
    assert client.get_caller_identity()["Account"] == fleece_aws.account
    client.close()
    assert session.get_credentials().refresh_needed(refresh_in=7200)  # it knows that they end within the hour


def test_the_document(fleece_cli, fleece_environments):
    """On stdout is what AWS's SDKs ask for, version 1, and nothing else."""
    fleece_environments(dev={})
    result = fleece_cli("run", "-e", "dev", "--credential-process")
    assert set(result.json) == {"Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert result.json["Version"] == 1
    assert result.stderr == ""


def test_what_would_be_asked_is_an_error(profile, fleece_environments, monkeypatch):
    """Where a key would be asked for, boto3 has fleece's message for its caller."""
    fleece_environments(dev={})
    profile("dev")
    monkeypatch.delenv("RS_API_KEY")
    with pytest.raises(botocore.exceptions.CredentialRetrievalError) as caught:
        boto3.Session(profile_name="mine").get_credentials().get_frozen_credentials()
    assert "Error: no credentials: the Rackspace API key of fleece is missing; give --apikey-file" in str(caught.value)


@pytest.mark.parametrize("known", [{}, {"RS_USERNAME": "me"}, {"RS_USERNAME": "me", "RS_API_KEY": "my-key"}])
def test_nothing_is_asked_on_a_terminal_either(fleece_cli, fleece_rackspace, fleece_environments, known):
    """Neither name nor key nor passcode is asked for, though there is a terminal: nobody there has called fleece."""
    fleece_rackspace.user("me", "my-key", mfa="123456")
    fleece_environments(dev={})
    variables = {"RS_USERNAME": None, "RS_API_KEY": None, **known}
    with fleece_cli.terminal("run", "-e", "dev", "--credential-process", env=variables, pipes=["stdout"]) as terminal:
        result = terminal.wait()
    assert (result.exit_code, result.stdout) == (2, "")
    missing = ["Rackspace user name", "Rackspace API key of me", "passcode of me"][len(known)]
    assert result.stderr.startswith(f"Error: no credentials: the {missing} is missing; ")


def test_a_profile_on_top_of_another(fleece_cli, profile, fleece_environments, fleece_aws):
    """A profile that calls fleece for an environment of Rackspace can be another environment's provider."""
    fleece_environments(dev={}, top={"provider": "profile", "profile": "mine"})
    profile("dev")
    result = fleece_cli("run", "-e", "top", "--credential-process")
    assert result.exit_code == 0
    assert {"AccessKeyId", "Expiration"} <= result.json.keys()


def test_a_profile_that_leads_back(fleece_cli, profile, fleece_environments):
    """A profile whose ``credential_process`` asks fleece for that profile is stopped with a message."""
    fleece_environments(loop={"provider": "profile", "profile": "mine"})
    profile("loop")
    result = fleece_cli("run", "-e", "loop", "--", "true")
    assert result.exit_code == 125
    assert "Traceback" not in result.stderr
    assert "the profile 'mine' runs fleece, which would ask the profile 'mine' again" in result.stderr


def test_boto3_is_not_sent_round(profile, fleece_environments):
    """The same holds when boto3 begins: it has the message, and no process calls another without end."""
    fleece_environments(loop={"provider": "profile", "profile": "mine"})
    profile("loop")
    with pytest.raises(botocore.exceptions.CredentialRetrievalError, match="the profile 'mine' runs fleece"):
        boto3.Session(profile_name="mine").get_credentials().get_frozen_credentials()
