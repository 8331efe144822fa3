"""``fleece config diff`` as people and CI run it, on emulated AWS."""

import pytest

UPLOAD = ("render", "prod", "--parameter-store", "/svc")
DIFF = ("diff", "prod", "--parameter-store", "/svc")
NAMES = ["/svc/foo", "/svc/password", "/svc/nested/numbers", "/svc/nested/on"]


def test_the_difference_is_the_plan_of_an_upload(imported, fleece_aws):
    """What differs is what a dry run says, exit code 1; after the upload it is nothing, exit code 0."""
    found = imported(*DIFF)
    assert (found.exit_code, found.stderr) == (1, "")
    assert found.stdout == "".join(f"{name} (new)\n" for name in NAMES) == imported(*UPLOAD, "--dry-run").stdout
    assert fleece_aws.calls("ssm", "PutParameter") == []
    assert imported(*UPLOAD).exit_code == 0
    same = imported(*DIFF)
    assert (same.exit_code, same.stdout, same.stderr) == (0, "", "")


def test_each_way_to_differ(imported, fleece_aws):
    """Value, key and type are told apart; what only Parameter Store has is a warning, as an upload leaves it."""
    ssm = fleece_aws.client("ssm")
    imported(*UPLOAD, "--ssm-kms-key", "p")
    ssm.delete_parameters(Names=["/svc/foo", "/svc/nested/on"])
    ssm.put_parameter(Name="/svc/foo", Value="bar", Type="String")
    ssm.put_parameter(Name="/svc/password", Value="old-secret", Type="SecureString", Overwrite=True)
    ssm.put_parameter(Name="/svc/nested/old", Value="x", Type="SecureString")
    ssm.put_parameter(Name="/svc2", Value="x", Type="SecureString")
    found = imported(*DIFF, "--ssm-kms-key", "p")
    assert found.exit_code == 1
    assert found.stdout == "/svc/foo (type)\n/svc/password (value and key)\n/svc/nested/on (new)\n"
    assert found.stderr == (
        "Warning: in Parameter Store but not in the configuration: /svc/nested/old; an upload does not delete them\n"
    )


def test_json(imported, fleece_aws):
    """--json writes one document, without values, and has the exit codes of the text."""
    fleece_aws.client("ssm").put_parameter(Name="/svc/password", Value="old-secret", Type="SecureString")
    fleece_aws.client("ssm").put_parameter(Name="/svc/old", Value="x", Type="SecureString")
    found = imported(*DIFF, "--json")
    assert (found.exit_code, found.json) == (
        1,
        {
            "stage": "prod",
            "prefix": "/svc",
            "differences": [{"name": n, "changes": ["value" if n == "/svc/password" else "new"]} for n in NAMES],
            "same": 0,
            "others": ["/svc/old"],
        },
    )
    assert "secret" not in found.stdout + found.stderr
    imported(*UPLOAD)
    same = imported(*DIFF, "--json")
    assert same.exit_code == 0
    assert (same.json["differences"], same.json["same"]) == ([], 4)


@pytest.mark.parametrize(
    ("arguments", "deny", "message"),
    [
        (["diff", "prod"], None, "Missing option '--parameter-store'"),
        (["diff", "prod", "--parameter-store", "svc"], None, "must begin with a slash"),
        (["diff", "nope", "--parameter-store", "/svc", "-e", "nope"], None, "no environment 'nope'"),
        ([*DIFF], "ssm:GetParameters", "the parameters that are there cannot be read"),
        ([*DIFF], "ssm:DescribeParameters", "the parameters below /svc cannot be listed"),
        ([*DIFF], "kms:Decrypt", "config.password.+prod (stage prod)"),
    ],
)
def test_what_cannot_be_compared(imported, fleece_aws, arguments, deny, message):
    """A failure ends with 2, so that CI does not take it for a difference."""
    if deny:
        fleece_aws.deny(deny)
    result = imported(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_another_account(imported, fleece_environments, fleece_aws):
    """-e compares with the account of another environment, and asks nothing of the stage's own."""
    fleece_environments(
        production={"account": "210987654321", "role": "deploy", "provider": "environment"},
        development={"provider": "environment"},
    )
    assert imported(*UPLOAD, "-e", "development").exit_code == 0
    assert imported(*DIFF, "-e", "development").exit_code == 0
    assert {call.account for call in fleece_aws.calls("ssm")} == {"123456789012"}


def test_a_stage_whose_name_is_no_text(imported):
    """An expression matches any name, also one that is no UTF-8."""
    assert imported("diff", "\udcff", *DIFF[2:], "--json").json["stage"] == "\udcff"
