"""What the local stack is seeded from."""

from __future__ import annotations

import pytest

from fleece_testing.local.resources import Account, ResourcesError, read_resources, seed


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_resources_are_read_and_made(fleece_aws, tmp_path, region):
    """Keys, roles and buckets of resources.yml are there in their own accounts after seeding."""
    path = tmp_path / "resources.yml"
    path.write_text("accounts: {'333333333333': {keys: [alias/one], roles: [worker], buckets: [things]}}\n")
    accounts = read_resources(path)
    assert accounts == (Account("333333333333", keys=("alias/one",), roles=("worker",), buckets=("things",)),)

    fleece_aws.region = region
    try:
        arns = list(seed(fleece_aws, accounts))
        kms = fleece_aws.client("kms", account="333333333333")
        assert kms.describe_key(KeyId="alias/one")["KeyMetadata"]["Arn"] == arns[0]
        buckets = fleece_aws.client("s3", account="333333333333").list_buckets()["Buckets"]
    finally:
        fleece_aws.region = "us-east-1"
    assert arns[1:] == ["arn:aws:iam::333333333333:role/worker", "arn:aws:s3:::things"]
    assert [bucket["Name"] for bucket in buckets] == ["things"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a mapping 'accounts'"),
        ("accounts: [1]", "expected a mapping 'accounts'"),
        ("accounts: {111111111111: {}}", "string of 12 digits, in quotes: 111111111111"),
        ("accounts: {'12': {}}", "string of 12 digits, in quotes: '12'"),
        ("accounts: {'111111111111': {tables: []}}", "takes 'keys', 'roles' and 'buckets', lists of names"),
        ("accounts: {'111111111111': {keys: alias/one}}", "'keys' of account 111111111111 is not a list"),
        ("accounts: {", r":1:12: not valid YAML: "),
        ("accounts: {}", "expected a mapping 'accounts'"),
        ("accounts: \xff", "not valid YAML in UTF-8"),
        ("accounts: {'111111111111': {roles: [a, a]}}", "'roles' of account 111111111111 has a name twice"),
        ("accounts: {'111111111111': {environment: 1}}", "'environment' of account 111111111111 is not a name"),
        (
            "accounts: {'111111111111': {environment: a}, '222222222222': {environment: a}}",
            "two accounts have the same",
        ),
    ],
)
def test_wrong_resources_are_named(tmp_path, text, message):
    """Each mistake is one error that names the file and the place."""
    path = tmp_path / "resources.yml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ResourcesError, match=message) as caught:
        read_resources(path)
    assert str(path) in str(caught.value)


def test_missing_resources_are_named(tmp_path):
    """A file that is not there is an error with its name."""
    with pytest.raises(ResourcesError, match=r"nowhere\.yml: No such file"):
        read_resources(tmp_path / "nowhere.yml")


def test_accounts_have_names_for_an_environments_file(tmp_path):
    """Each account is called what it says; the first is "local" otherwise, and the others have their number."""
    path = tmp_path / "resources.yml"
    path.write_text("accounts: {'111111111111': {}, '222222222222': {}, '333333333333': {environment: production}}\n")
    names = [account.environment for account in read_resources(path)]
    assert names == ["local", "local-222222222222", "production"]
