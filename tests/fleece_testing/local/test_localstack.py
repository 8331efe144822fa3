"""The local stack on a LocalStack that is running already; a substitute on moto stands in for that here.

The same against the real LocalStack is in ``tests/integration/localstack``.
"""

from __future__ import annotations

import json
import re
import signal
import time

import boto3
import botocore.config
import pytest

from fleece.cli.errors import CommandError
from fleece_testing._http import LoopbackServer
from fleece_testing.aws import _moto
from fleece_testing.local.localstack import LocalStack

RESOURCES = "accounts: {'111111111111': {keys: [alias/one], roles: [worker], buckets: [things]}}"


class Substitute:
    """Answers as LocalStack does: not ready at first, and with the account that the access key id is."""

    def __init__(self):
        self.questions = 0
        self.ready_after = 1
        self._moto = _moto.application()

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/_localstack/init":
            self.questions += 1
            completed = {"BOOT": True, "START": True, "READY": self.questions > self.ready_after, "SHUTDOWN": False}
            body = json.dumps({"completed": completed, "scripts": []}).encode()
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return [body]
        account = re.search(r"Credential=(\d{12})/", environ.get("HTTP_AUTHORIZATION", ""))
        if account:
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = account[1]
        return self._moto(environ, start_response)


@pytest.fixture
def substitute(fleece_aws):  # whose resources are moto's as well, and forgotten before each test
    app = Substitute()
    with LoopbackServer(app, request_handler=_moto.RequestHandler) as server:
        app.port = server.port
        app.url = server.url
        yield app


def client(name, environment):
    return boto3.client(
        name,
        region_name=environment["AWS_REGION"],
        endpoint_url=environment.get(f"AWS_ENDPOINT_URL_{name.upper()}", environment["AWS_ENDPOINT_URL"]),
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=botocore.config.Config(proxies={}),
    )


def arrived(xray, trace_id):
    """Return the ids of the trace's documents, once the daemon has handed them on to the service."""
    for _ in range(600):
        traces = xray.batch_get_traces(TraceIds=[trace_id])["Traces"]
        if traces:
            return {segment["Id"] for segment in traces[0]["Segments"]}
        time.sleep(0.05)
    return set()


def test_localstack_has_the_resources_and_the_embedded_server_has_x_ray(place, substitute, documents, send):
    """LocalStack is waited for and seeded; X-Ray, which it has not, is beside it; at the end it goes on running."""
    (place.folder / "resources.yml").write_text(RESOURCES)
    arguments = ("--backend", "localstack", "--resources", "resources.yml")
    with place.up(*arguments, port=str(substitute.port)) as process:
        environment = process.stack["environment"]
        assert environment["AWS_ENDPOINT_URL"] == substitute.url
        assert client("sts", environment).get_caller_identity()["Account"] == "111111111111"
        key = client("kms", environment).describe_key(KeyId="alias/one")["KeyMetadata"]["Arn"]
        sent = documents()
        send(environment["AWS_XRAY_DAEMON_ADDRESS"], sent)
        traces = json.loads(place.run("traces", "--json").stdout)["traces"]
        assert [one["trace_id"] for one in traces] == [sent[0]["trace_id"]]
        assert arrived(client("xray", environment), sent[0]["trace_id"]) == {one["id"] for one in sent}
        again = place.run("up", *arguments, "--port", str(substitute.port))
        assert f"running already, as process {process.pid}" in again.stderr
        process.terminate()
        assert (process.wait(), substitute.questions > substitute.ready_after) == (0, True)
    assert client("kms", environment).describe_key(KeyId="alias/one")["KeyMetadata"]["Arn"] == key
    assert place.files() == ["resources.yml"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_it_is_ready_leaves_nothing(place, substitute, number):
    """Interrupted while LocalStack is still starting, the command ends with 128 and the number, having left nothing."""
    substitute.ready_after = 1_000_000
    with place.start("up", "--backend", "localstack", "--port", str(substitute.port)) as process:
        while substitute.questions < 2:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        process.send_signal(number)
        stdout, stderr = process.communicate()
    assert (process.returncode, stdout, stderr) == (128 + number, "", "")
    assert place.files() == []


def test_what_is_there_already_is_taken(substitute):
    """Seeding a LocalStack that has been seeded gives the same resources."""
    with LocalStack(substitute.port, region="eu-west-1", account="111111111111") as aws:
        assert [aws.kms_key("one"), aws.role("worker")] == [aws.kms_key("alias/one"), aws.role("worker")]
        assert aws.kms_key() != aws.kms_key("one")


def test_its_credentials_are_of_the_account_that_they_are_for(substitute):
    """Long-term and temporary keys act in their account, on LocalStack; the long-term ones on X-Ray as well."""
    with LocalStack(substitute.port, region="eu-west-1", account="111111111111") as aws:
        for credentials in (aws.credentials("222222222222"), aws.issue_credentials("222222222222")):
            sts = aws.client("sts", **credentials.client_arguments())
            assert sts.get_caller_identity()["Account"] == "222222222222"
        assert aws.client("xray", account="222222222222").get_trace_summaries(StartTime=0, EndTime=1)
        assert [call.account for call in aws.calls("xray")] == ["222222222222"]


def test_one_that_does_not_become_ready_is_told(substitute):
    """After the time that it has, the message says where it is."""
    substitute.ready_after = 1_000_000
    with pytest.raises(CommandError, match=f"{substitute.url} is not ready after 0 s; its own log says why"):
        LocalStack(substitute.port, region="eu-west-1", account="111111111111", patience=0).start()


def test_without_one_the_message_says_what_to_do(here):
    """Where nobody listens, or something else does, the end is 1 and one line."""

    def other(environ, start_response):
        start_response("200 OK", [("Content-Length", "2")])
        return [b"{}"]

    with LoopbackServer(other) as server:
        port = server.port
        found = here("up", "--backend", "localstack", "--port", port)
    line = (
        f"Error: no LocalStack answers on port {port} of this machine: start it, name its port with --port, "
        "or leave --backend localstack away\n"
    )
    assert found == here("up", "--backend", "localstack", "--port", port) == (1, "", line)
