"""``fleece-local up``: what it gives, how it ends, and that nothing is left of it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys

import pytest
import yaml


def ports_of(stack):
    urls = [stack["url"], *(stack["environment"][name] for name in ("AWS_ENDPOINT_URL", "FLEECE_IDENTITY_URL"))]
    return [int(url.rpartition(":")[2]) for url in urls]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def group_is_gone(leader):
    with pytest.raises(ProcessLookupError):
        os.killpg(leader, 0)


def test_the_file_of_variables_leads_other_programs_to_the_stack(running):
    """A shell that reads the file has programs that reach the seeded AWS, whatever profile was set before."""
    program = (
        "import boto3; print(boto3.client('sts').get_caller_identity()['Arn']);"
        "print(boto3.client('kms').describe_key(KeyId='alias/users-service')['KeyMetadata']['KeyState'])"
    )
    done = subprocess.run(
        ["sh", "-c", 'set -a; . ./stack.env; exec "$0" -c "$1"', sys.executable, program],
        cwd=running.folder,
        env=running.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["arn:aws:iam::111111111111:user/fleece", "Enabled"]


def test_the_environments_lead_fleece_to_every_account(running):
    """With the environments.yml that is written, ``fleece run`` gets into each account with nothing exported."""
    path = running.folder / "environments.yml"
    names = [one["name"] for one in yaml.safe_load(path.read_text())["environments"]]
    assert names == ["local", "production"]
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    done = subprocess.run(
        [sys.executable, "-m", "fleece", "run", "-c", path, "-e", names[1], "--", sys.executable, "-c", program],
        env=running.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("222222222222\n", "", 0)


def get(stack, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", int(stack["url"].rpartition(":")[2]))
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_health_address_answers_with_the_id_of_the_stack(running):
    """A script that asks the health address gets the stack's id, and a web page gets nothing."""
    assert running.stack["health"] == f"{running.stack['url']}/health"
    status, body = get(running.stack, "/health")
    assert (status, json.loads(body)) == (200, {"status": "ready", "id": running.stack["id"]})
    assert get(running.stack, "/health", Origin="https://example.com")[0] == 403


@pytest.mark.parametrize(
    ("path", "status"), [("/", 404), ("/documents?after=-1", 400), ("/documents?after=%D9%A1", 400)]
)
def test_wrong_questions_are_answered_with_their_status(running, path, status):
    """What is not there, or makes no sense, has the status that says so."""
    assert get(running.stack, path)[0] == status


def test_what_is_written_is_for_this_user_alone(running):
    """The stack's keys are in files that nobody else can read."""
    written = [path for path in running.folder.rglob("*") if path.is_file()]
    assert {path.name for path in written} == {"environments.yml", "ready.json", "stack.env", "stack.json"}
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_nothing(place, number):
    """It prints the variables, serves, and at the end no file, no port and no process of it is there."""
    with place.up("--env-file", "stack.env") as process:
        ports = ports_of(process.stack)
        assert all(map(listens, ports))
        process.send_signal(number)
        stdout, stderr = process.communicate()
    assert (process.returncode, stderr.splitlines()[-1]) == (0, "Ready; Ctrl-C ends it.")
    assert stdout.startswith("unset AWS_PROFILE ")
    assert f"export AWS_ENDPOINT_URL={process.stack['environment']['AWS_ENDPOINT_URL']}\n" in stdout
    assert place.files() == []
    assert list((place.folder / "cache" / "fleece").iterdir()) == []
    assert not any(map(listens, ports))
    group_is_gone(process.pid)


def test_a_killed_stack_leaves_no_process_and_is_recognised(place):
    """After SIGKILL no process of it is there; the commands know that it has ended, and the next one tidies up."""
    with place.up() as process:
        process.kill()
        process.wait()
    group_is_gone(process.pid)
    stale = place.folder / "cache" / "fleece" / "local" / str(ports_of(process.stack)[1])
    assert (stale / "stack.json").exists()
    assert "no local stack is running; start one with 'fleece-local up'" in place.run("traces").stderr
    for named in ({"env": {"FLEECE_LOCAL_STACK": str(stale / "stack.json")}}, {"env": {}}):
        arguments = ("--stack", "ready.json") if not named["env"] else ()
        done = place.run("traces", *arguments, **named)
        assert f"this local stack has ended, it was process {process.pid}; start one" in done.stderr
        assert done.returncode == 1
    with place.up("--env-file", "stack.env") as process:  # the ready file is its own, so that it is replaced
        assert not stale.exists() or ports_of(process.stack)[1] == int(stale.name)


def test_a_taken_port_is_one_line(place):
    """Where another program listens, the end is 1 and one line, which says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = place.run("up", "--port", str(port))
    expected = f"Error: port {port} is taken by another program; name another with --port, or --port 0 for any free one"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{expected}\n")
    assert place.files() == []


def test_two_stacks_are_told_apart(place):
    """A second stack at the same port is refused by the first one's name; of two, the commands want to know which."""
    with place.up() as first:
        port = str(ports_of(first.stack)[1])
        done = place.run("up", "--port", port)
        assert f"port {port} is that of a local stack which is running already, as process {first.pid}" in done.stderr
        with place.up(name="other.json"):
            done = place.run("traces")
            assert (done.returncode, done.stdout) == (2, "")
            assert "several local stacks are running, name one with --stack: " in done.stderr
            assert place.run("traces", "--stack", "other.json").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env-file", "mine.txt"], "mine.txt: is there, and was not written by fleece-local up"),
        (["--ready-file", "pipe"], "pipe: not a regular file"),
        (["--environments", "no/where.yml"], "no/where.yml: there is no folder 'no'"),
        (["--resources", "none.yml"], "File 'none.yml' does not exist"),
        (["--port", "65536"], "65536 is not in the range"),
    ],
)
def test_wrong_usage_is_one_line(here, arguments, message):
    """Nobody's file is replaced, and nothing is started: the end is 2 and one line."""
    (here.folder / "mine.txt").write_text("precious")
    os.mkfifo(here.folder / "pipe")
    code, stdout, stderr = here("up", *arguments)
    assert (code, stdout, stderr.count("\n")) == (2, "", 1)
    assert message in stderr
    assert (here.folder / "mine.txt").read_text() == "precious"
    assert (here.folder / "pipe").is_fifo()


def test_resources_that_cannot_be_made_are_named(here):
    """A name that AWS does not take is told with its place, and nothing is left."""
    (here.folder / "resources.yml").write_text("accounts: {'111111111111': {buckets: ['No Bucket']}}")
    code, _, stderr = here("up", "--port", "0", "--resources", "resources.yml")
    assert (code, stderr.count("\n")) == (1, 1)
    assert "'No Bucket' of the buckets of account 111111111111: " in stderr
    assert [path.name for path in here.folder.iterdir()] == ["resources.yml"]
