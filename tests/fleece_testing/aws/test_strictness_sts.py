"""STS AssumeRole: what it refuses and moto lets through."""

import pytest

ARN = "arn:aws:iam::123456789012:role/deploy"


@pytest.fixture
def assume(fleece_aws):
    """Assume the role ``deploy`` as the user of the environment, or what the keywords say."""
    fleece_aws.role("deploy")
    sts = fleece_aws.client("sts")
    return lambda **changes: sts.assume_role(**{"RoleArn": ARN, "RoleSessionName": "me", **changes})


@pytest.mark.parametrize("arn", [ARN + "2", ARN.replace("123456789012", "210987654321"), "not-an-arn-but-long-enough"])
def test_a_role_that_is_not_there(assume, refused, arn):
    """A role of that name and account must exist; the answer does not tell whether it does."""
    assert refused(assume, RoleArn=arn) == "AccessDenied"


@pytest.mark.parametrize("name", ["with space", "x:y", "x/y", "ü2", "x\n", "n" * 65])
def test_a_bad_session_name(assume, refused, name):
    """A session's name is 2 to 64 letters, digits and some signs."""
    assert refused(assume, RoleSessionName=name) == "ValidationError"


@pytest.mark.parametrize("name", ["ab", "me@example.com", "a+b=c,d.e-f_g", "n" * 64])
def test_a_good_session_name(assume, name):
    """What the API's pattern allows is allowed."""
    assert assume(RoleSessionName=name)["AssumedRoleUser"]["Arn"].endswith(name)


def test_role_chaining_ends_after_an_hour(fleece_aws, refused):
    """A role's session may assume another role, for an hour at most, whatever that role allows."""
    iam = fleece_aws.client("iam")
    arn = fleece_aws.role("deploy")
    iam.update_role(RoleName="deploy", MaxSessionDuration=7200)
    session = fleece_aws.client("sts", **fleece_aws.issue_credentials().client_arguments())
    user = fleece_aws.client("sts")
    assert refused(session.assume_role, RoleArn=arn, RoleSessionName="me", DurationSeconds=3601) == "ValidationError"
    assert session.assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=3600)["Credentials"]
    assert user.assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=7200)["Credentials"]


@pytest.mark.parametrize("seconds", [899, 3601, 43201])
def test_a_duration_beyond_the_role_s(assume, fleece_aws, once, refused, seconds):
    """A session is 15 minutes to what the role allows, an hour if it says nothing."""
    sts = fleece_aws.client("sts", config=once)
    code = refused(sts.assume_role, RoleArn=ARN, RoleSessionName="me", DurationSeconds=seconds)
    assert code == "ValidationError"


def test_an_assumed_role_s_keys_end(fleece_aws, assume, refused):
    """The credentials of an assumed role need their token."""
    given = assume()["Credentials"]
    bare = fleece_aws.client(
        "sts", aws_access_key_id=given["AccessKeyId"], aws_secret_access_key=given["SecretAccessKey"]
    )
    assert refused(bare.get_caller_identity) == "InvalidClientTokenId"
