"""``fleece-local up --backend localstack`` beside the real one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from fleece_testing._environment import scrubbed
from fleece_testing._runtime_lifeline import Lifeline

COMMAND = [sys.executable, "-m", "fleece_testing.local"]
SEEDED = re.compile(r"^seeded +(\S+)$", re.MULTILINE)


@pytest.fixture
def up(tmp_path, address):
    """Run the command with more arguments, beside LocalStack, for as long as a ``with`` block lasts."""
    ready = tmp_path / "ready.json"

    @contextlib.contextmanager
    def started(*arguments):
        port = str(urlsplit(address).port)
        lifeline = Lifeline()
        with subprocess.Popen(
            [*COMMAND, "up", "--backend", "localstack", "--port", port, "--ready-file", ready, *arguments],
            cwd=tmp_path,
            env={**scrubbed(os.environ), "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=[lifeline.end_of_child],
        ) as process:
            lifeline.tie(process.pid)
            try:
                while not ready.exists():
                    assert process.poll() is None, process.stderr.read()
                    time.sleep(0.02)
                process.environment = json.loads(ready.read_text())["environment"]
                yield process
            finally:
                lifeline.close()

    return started


def answer(command, environment):
    """Run awscli with the variables that the stack has given; return what it prints."""
    variables = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment}
    done = subprocess.run(
        ["aws", *command, "--output", "json"], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_awscli_finds_localstack_and_the_embedded_x_ray(up, address, definition):
    """The variables lead awscli to LocalStack, and for X-Ray, which that lacks, to the server beside it."""
    with up("--resources", definition / "resources.yml") as process:
        assert process.environment["AWS_ENDPOINT_URL"] == address
        assert answer(["sts", "get-caller-identity"], process.environment)["Account"] == "111111111111"
        times = ["--start-time", "2026-01-01T00:00:00Z", "--end-time", "2026-01-01T01:00:00Z"]
        assert answer(["xray", "get-trace-summaries", *times], process.environment)["TraceSummaries"] == []


def test_what_the_hook_has_seeded_is_taken_and_stays(up, aws, definition):
    """What the hook has made is found, and made no second time; it is there when the stack has gone."""
    key = aws.client("kms", account="111111111111").describe_key(KeyId="alias/users-service")["KeyMetadata"]["Arn"]
    with up("--resources", definition / "resources.yml") as process:
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert process.returncode == 0
    seeded = SEEDED.findall(told)
    assert key in seeded
    assert {"arn:aws:s3:::packages-of-development", "arn:aws:iam::222222222222:role/LambdaDeployRole"} <= set(seeded)
    assert len(seeded) == 8
    assert aws.client("kms", account="111111111111").describe_key(KeyId=key)["KeyMetadata"]["Enabled"]


def test_fleece_is_led_there_through_rackspace(up, fleece, definition):
    """With the stack's variables and the repository's ``environments.yml``, fleece run is the role of the account."""
    fleece.environments((definition / "environments.yml").read_text())
    with up("--resources", definition / "resources.yml") as process:
        names = ("FLEECE_IDENTITY_URL", "FLEECE_FAWS_URL", "RS_USERNAME", "RS_API_KEY")
        variables = {name: process.environment[name] for name in names}
        command = ("aws", "sts", "get-caller-identity", "--output", "json")
        found = fleece("run", "-e", "production", "--", *command, env=variables).json
    assert found["Arn"] == "arn:aws:sts::222222222222:assumed-role/LambdaDeployRole/fleece_assumed_role"


def test_its_environments_have_an_account_each(up, fleece, definition):
    """The ``environments.yml`` that the stack writes has fixed keys, which are the accounts there."""
    path = fleece.folder / "written.yml"
    with up("--resources", definition / "resources.yml", "--environments", path):
        for environment, number in (("local", "111111111111"), ("production", "222222222222")):
            command = ("run", "-c", path, "-e", environment, "--", "aws", "sts", "get-caller-identity")
            assert fleece(*command).json["Account"] == number


def test_a_new_resource_is_made(up, aws, tmp_path):
    """What LocalStack does not have yet is made there."""
    (tmp_path / "more.yml").write_text(
        "accounts: {'700000000001': {keys: [more], roles: [More], buckets: [more-things]}}"
    )
    with up("--resources", tmp_path / "more.yml"):
        pass
    assert aws.client("kms", account="700000000001").describe_key(KeyId="alias/more")["KeyMetadata"]["Enabled"]
    buckets = aws.client("s3", account="700000000001").list_buckets()["Buckets"]
    assert [one["Name"] for one in buckets] == ["more-things"]
