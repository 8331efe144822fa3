"""``fleece config render --parameter-store`` as people run it, on emulated AWS."""

import os
import signal
import subprocess
import sys

import pytest

UPLOAD = ("render", "prod", "--parameter-store", "/svc")
PLAIN = "stages: {prod: {environment: production, key: p}}\nconfig:\n"


@pytest.fixture
def plain(config):
    """Write a configuration without secrets: the text below ``config:``, of one line for each value."""

    def write(*lines):
        config.path.write_text(PLAIN + "".join(f"  {line}\n" for line in lines))
        return config

    return write


def puts(fleece_aws, status=200):
    return [call for call in fleece_aws.calls("ssm", "PutParameter") if call.status == status]


def test_first_upload_second_upload_and_a_change(imported, fleece_aws):
    """All is written once, as SecureStrings; a second run writes nothing; one changed value writes one."""
    first = imported(*UPLOAD)
    assert (first.exit_code, first.stdout) == (0, "")
    assert first.stderr == (
        "Writing /svc/foo... (1 of 4)\nWriting /svc/password... (2 of 4)\n"
        "Writing /svc/nested/numbers... (3 of 4)\nWriting /svc/nested/on... (4 of 4)\n4 of 4 parameters written\n"
    )
    names = ["/svc/foo", "/svc/password", "/svc/nested/numbers", "/svc/nested/on"]
    there = fleece_aws.client("ssm").get_parameters(Names=names, WithDecryption=True)["Parameters"]
    assert {one["Name"]: one["Value"] for one in there} == dict(
        zip(names, ["bar", "prod-secret", "[1, 2]", "yes"], strict=True)
    )
    assert {one["Type"] for one in there} == {"SecureString"}
    second = imported(*UPLOAD)
    assert (second.exit_code, second.stderr) == (0, "0 of 4 parameters written; the others were as they should be\n")
    assert len(puts(fleece_aws)) == 4
    imported.path.write_text(imported.path.read_text().replace("bar", "baz"))
    third = imported(*UPLOAD)
    assert third.stderr.startswith("Writing /svc/foo... (1 of 1)\n1 of 4 parameters written")
    assert len(puts(fleece_aws)) == 5


def test_a_dry_run_writes_nothing_and_shows_no_value(imported, fleece_aws, monkeypatch):
    """The plan has names and reasons, no values, whatever debugging shows; and nothing is written."""
    monkeypatch.setenv("FLEECE_DEBUG", "1")
    planned = imported(*UPLOAD, "--dry-run")
    assert planned.stdout == "/svc/foo (new)\n/svc/password (new)\n/svc/nested/numbers (new)\n/svc/nested/on (new)\n"
    assert (planned.exit_code, planned.stderr) == (0, "")
    assert puts(fleece_aws) == []
    imported(*UPLOAD, "--ssm-kms-key", "p")
    imported.path.write_text(imported.path.read_text().replace("bar", "baz"))
    changed = imported(*UPLOAD, "--dry-run")
    assert changed.stdout.startswith("/svc/foo (value and key)\n/svc/password (key)\n")
    assert imported(*UPLOAD, "--dry-run", "--ssm-kms-key", "alias/p").stdout == "/svc/foo (value)\n"


def test_a_key_for_the_parameters(imported, fleece_aws):
    """--ssm-kms-key is looked up once, and every parameter has that key."""
    assert imported(*UPLOAD, "--ssm-kms-key", "p").exit_code == 0
    keys = {call.parameters["KeyId"] for call in puts(fleece_aws)}
    assert len(keys) == 1
    assert keys.pop().startswith("arn:aws:kms:us-east-1:123456789012:key/")
    assert len(fleece_aws.calls("kms", "DescribeKey")) == 1


def test_a_failure_in_the_middle(imported, fleece_aws, monkeypatch):
    """It is told which were written and which not; the exit code is 1, and the next run writes what is missing."""
    monkeypatch.setenv("FLEECE_DEBUG", "1")
    fleece_aws.fail(
        "ssm",
        "PutParameter",
        code="ValidationException",
        status=400,
        message="Value 'prod-secret' at 'value' failed",
        when=lambda call: call.parameters["Name"] == "/svc/password",
    )
    result = imported(*UPLOAD)
    assert result.exit_code == 1
    assert (
        "Error: not written: /svc/password (ValidationException); "
        "written: /svc/foo, /svc/nested/numbers, /svc/nested/on; run it again for the rest\n"
    ) in result.stderr
    assert "Traceback" in result.stderr
    assert "prod-secret" not in result.stderr
    assert imported(*UPLOAD).stderr.startswith("Writing /svc/password... (1 of 1)\n1 of 4")


@pytest.mark.parametrize(
    ("lines", "arguments", "code", "message"),
    [
        (["a: 1"], ["--parameter-store", "svc"], 2, "the prefix 'svc' must begin with a slash"),
        (["a: ''"], [], 1, "config.a cannot be the parameter /svc/a: Parameter Store takes no empty values"),
        (["a: 1", f"{'n' * 963}: 1"], [], 1, "the name has more than 967 characters"),
        (["a: 1", "there: 1"], [], 1, "/svc/there is a String, and a type cannot change: delete what is there"),
        (["a: 1"], ["--ssm-kms-key", "absent"], 1, "the key 'absent' cannot be used for parameters: NotFound"),
        (["a: 1"], ["--ssm-kms-key", "off"], 1, "the key 'off' cannot be used for parameters: it is Disabled"),
    ],
    ids=["prefix", "empty", "long", "String", "no key", "disabled key"],
)
def test_what_aws_would_refuse_is_refused_before_the_first_write(plain, fleece_aws, lines, arguments, code, message):
    """Whatever is wrong is found before anything is written, and told in a line."""
    fleece_aws.client("ssm").put_parameter(Name="/svc/there", Value="x", Type="String")
    fleece_aws.client("kms").disable_key(KeyId=fleece_aws.kms_key("off"))
    result = plain(*lines)(*UPLOAD, *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert len(puts(fleece_aws)) == 1


def test_a_bad_prefix_costs_no_call(imported, fleece_aws):
    """A prefix that cannot be used is found before anything is decrypted."""
    assert imported("render", "prod", "--parameter-store", "svc").exit_code == 2
    assert fleece_aws.calls("kms", "Decrypt") == []


def test_tiers_go_up_and_never_down(plain, fleece_aws):
    """A value over 4 KB takes the advanced tier, and stays there when it is short again."""

    def tier():
        (described,) = fleece_aws.client("ssm").describe_parameters()["Parameters"]
        return described["Tier"]

    assert plain("a: x")(*UPLOAD).exit_code == 0
    assert tier() == "Standard"
    assert plain(f"a: {'é' * 2500}")(*UPLOAD).exit_code == 0
    assert tier() == "Advanced"
    assert plain("a: y")(*UPLOAD).exit_code == 0
    assert tier() == "Advanced"
    assert len(puts(fleece_aws)) == 3


def test_null_is_a_word(plain):
    """A null is written as the text 'null', with a warning."""
    assert plain("a: ~")(*UPLOAD).stderr.startswith(
        "Warning: config.a is null, and is written as the text 'null'\nWriting /svc/a..."
    )


def test_sixty_parameters_at_three_a_second(plain, fleece_aws):
    """A first upload under the limit of AWS finishes, tells how far it is, and paces itself: few calls are refused."""
    fleece_aws.throttle("ssm", "PutParameter", per_second=3)
    first = plain(*(f"v{number}: {number}" for number in range(60)))(*UPLOAD)
    assert first.exit_code == 0
    assert [line for line in first.stderr.splitlines() if line.startswith("Writing")] == [
        f"Writing /svc/v{number}... ({number + 1} of 60)" for number in range(60)
    ]
    assert len(puts(fleece_aws)) == 60
    # As many as 35 when each is only tried again.
    assert len(puts(fleece_aws, status=400)) < 25


@pytest.mark.parametrize(
    ("number", "code", "last"), [(signal.SIGINT, 130, "Error: interrupted\n"), (signal.SIGTERM, 143, "")]
)
def test_a_signal_in_the_middle(imported, fleece_aws, number, code, last):
    """Interrupted or told to end, it says what was written, what perhaps, and what not."""
    fleece_aws.delay(
        "ssm", "PutParameter", seconds=30, when=lambda call: call.parameters["Name"] == "/svc/nested/numbers"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "fleece", "config", *UPLOAD],
        cwd=imported.path.parent,
        env=imported.cli.environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        told = ""
        while "numbers" not in told:
            told = process.stderr.readline()
            assert told
        while len(puts(fleece_aws)) < 2:
            assert process.poll() is None
        os.kill(process.pid, number)
        told = process.stderr.read()
        assert process.wait() == code
    assert told == (
        "Error: not written: /svc/nested/numbers (interrupted, perhaps written); /svc/nested/on (not tried); "
        "written: /svc/foo, /svc/password; run it again for the rest\n" + last
    )
