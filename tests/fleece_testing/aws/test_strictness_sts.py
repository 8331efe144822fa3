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


def test_a_session_of_a_user(fleece_aws, refused):
    """GetSessionToken gives credentials that work, as the user's own, until they end; a session gets no other one."""
    fleece_aws.role("deploy")
    given = fleece_aws.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    sts = fleece_aws.client("sts", **keys)
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::123456789012:user/fleece"
    assert refused(sts.get_session_token) == "AccessDenied"
    assert refused(fleece_aws.client("sts", **keys | {"aws_session_token": "x"}).get_caller_identity) == (
        "InvalidClientTokenId"
    )
    assert refused(fleece_aws.client("sts").get_session_token, DurationSeconds=129_601) == "ValidationError"
    keys_listed = fleece_aws.client("iam").list_access_keys(UserName="fleece")["AccessKeyMetadata"]
    assert given["AccessKeyId"] not in [one["AccessKeyId"] for one in keys_listed]
    # It is no role's session, so what it assumes is no chain.
    arn = "arn:aws:iam::123456789012:role/long"
    fleece_aws.role("long")
    fleece_aws.client("iam").update_role(RoleName="long", MaxSessionDuration=43_200)
    assert sts.assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=43_200)["Credentials"]


def test_federation_tokens_are_not_emulated(fleece_aws, refused):
    """What moto would give out works nowhere, and is not given out."""
    assert refused(fleece_aws.client("sts").get_federation_token, Name="me") == "NotImplemented"
