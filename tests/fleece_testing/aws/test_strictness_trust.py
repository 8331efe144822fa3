"""STS AssumeRole: the role's trust policy, at which moto does not look."""

import json

import pytest

ACCOUNT, OTHER = "123456789012", "210987654321"
USER = f"arn:aws:iam::{ACCOUNT}:user/fleece"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/federated"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/federated/fleece"


def allow(principal, **others):
    """Return a statement that lets a principal assume the role."""
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **others}


def deny(principal, **others):
    """Return a statement that keeps a principal from assuming the role."""
    return allow(principal, **others) | {"Effect": "Deny"}


ANYONE = allow({"AWS": "*"})
ALL = {"user", "session", "stranger"}


@pytest.fixture
def who_may_assume(fleece_aws):
    """Return who can assume a role with these statements: the account's user, a session in it, another's user."""
    callers = {
        "user": fleece_aws.client("sts"),
        "session": fleece_aws.client("sts", **fleece_aws.issue_credentials().client_arguments()),
        "stranger": fleece_aws.client("sts", account=OTHER),
    }

    def ask(*statements):
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        role = fleece_aws.client("iam").create_role(RoleName="deploy", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        return {name for name, sts in callers.items() if may(sts, role)}

    return ask


def may(sts, role):
    """Whether the role can be assumed; no other refusal is an answer to that."""
    caller = sts.get_caller_identity()["Arn"]
    refusal = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}"
    try:
        sts.assume_role(RoleArn=role, RoleSessionName="me")
    except sts.exceptions.ClientError as error:
        if error.response["Error"] != {"Type": "Sender", "Code": "AccessDenied", "Message": refusal}:
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("statements", "trusted"),
    [
        ([ANYONE], ALL),
        ([allow("*")], ALL),
        ([allow({"AWS": ACCOUNT})], {"user", "session"}),
        ([allow({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], {"user", "session"}),
        ([allow({"AWS": f"arn:aws:iam::{OTHER}:root"})], {"stranger"}),
        ([allow({"AWS": [USER, f"arn:aws:iam::{OTHER}:root"]})], {"user", "stranger"}),
        ([allow({"AWS": USER.replace("fleece", "somebody")})], set()),
        ([allow({"AWS": ROLE})], {"session"}),
        ([allow({"AWS": ROLE.replace("role/", "role/of/a/path/")})], {"session"}),
        ([allow({"AWS": SESSION})], {"session"}),
        ([allow({"AWS": SESSION + "2"})], set()),
        ([allow({"Service": "lambda.amazonaws.com"})], set()),
        ([allow({"Service": ["lambda.amazonaws.com"], "AWS": USER})], {"user"}),
        ([allow({"Federated": "cognito-identity.amazonaws.com"}, Action="sts:AssumeRoleWithWebIdentity")], set()),
        ([allow({"AWS": "*"}, Action=["sts:TagSession", "sts:Assume*"])], ALL),
        ([allow({"AWS": "*"}, Action="STS:assumerole")], ALL),
        ([allow({"AWS": "*"}, Action="sts:TagSession")], set()),
        ([allow({"AWS": USER}), allow({"AWS": ROLE})], {"user", "session"}),
        ([ANYONE, deny({"AWS": USER})], {"session", "stranger"}),
        ([ANYONE, deny({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})], {"stranger"}),
        ([ANYONE, deny({"AWS": "*"}, Action="sts:TagSession")], ALL),
    ],
)
def test_whom_a_role_trusts(who_may_assume, statements, trusted):
    """A role can be assumed by whom its trust policy allows it, and denies it not."""
    assert who_may_assume(*statements) == trusted


@pytest.mark.parametrize(
    ("statements", "trusted"),
    [
        ([allow({"AWS": USER}, Condition={"StringEquals": {"sts:ExternalId": "x"}})], {"user"}),
        ([ANYONE, deny({"AWS": USER}, Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})], ALL),
    ],
)
def test_what_is_not_judged_does_not_refuse(who_may_assume, statements, trusted):
    """Conditions are not looked at: where one decides, the caller has the benefit of the doubt."""
    assert who_may_assume(*statements) == trusted


def test_a_policy_that_is_changed(fleece_aws, refused):
    """The policy that counts is the one that the role has now."""
    role, sts = fleece_aws.role("deploy"), fleece_aws.client("sts")
    assert sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow({"Service": "lambda.amazonaws.com"})]})
    fleece_aws.client("iam").update_assume_role_policy(RoleName="deploy", PolicyDocument=document)
    assert refused(sts.assume_role, RoleArn=role, RoleSessionName="me") == "AccessDenied"


@pytest.mark.parametrize(
    "document",
    [
        "nope",
        "[]",
        "{}",
        '{"Statement": "x"}',
        '{"Statement": ["x"]}',
        '{"Statement": [{"Effect": "Allow", "Action": "*"}]}',
        '{"Statement": [{"Effect": "Allow", "Action": [3], "Principal": "*"}]}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Principal": 3}}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Principal": {"AWS": {}}}}',
    ],
)
def test_what_is_no_policy_trusts_nobody(fleece_aws, refused, document):
    """A role that moto made with a document that AWS would refuse cannot be assumed."""
    role = fleece_aws.client("iam").create_role(RoleName="deploy", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    assert refused(fleece_aws.client("sts").assume_role, RoleArn=role, RoleSessionName="me") == "AccessDenied"


def test_one_statement_need_not_be_a_list(fleece_aws):
    """A policy of one statement may say it without a list."""
    document = json.dumps({"Version": "2012-10-17", "Statement": ANYONE})
    role = fleece_aws.client("iam").create_role(RoleName="deploy", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    assert fleece_aws.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
