"""What LocalStack and fleece_testing's emulated AWS both say; where they differ, and which of them is AWS, is below.

LocalStack takes any name, value, tier, type and key for a parameter, lets everyone use every key by its ARN, and has
every role that anybody asks for. AWS does none of this, nor does the emulated AWS: `test_config.py` shows that fleece
finds by itself what LocalStack would have taken.
"""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "600000000001"


@pytest.fixture(params=["LocalStack", "emulated"])
def either(request):
    """Have the one, then the other."""
    return request.getfixturevalue("aws" if request.param == "LocalStack" else "fleece_aws")


@pytest.fixture
def kms(either):
    client = either.client("kms", account=ACCOUNT)
    yield client
    client.close()


@pytest.fixture
def key(either):
    return either.kms_key(account=ACCOUNT)


@pytest.fixture
def ssm(either):
    client = either.client("ssm", account=ACCOUNT)
    yield client
    client.close()


def refused(call, **arguments):
    """Return the code of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def encrypted(kms, key):
    return kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]


class TestKMS:
    """KMS, as ``fleece config`` relies on it."""

    def test_a_ciphertext_is_decrypted_with_no_key_named_or_the_right_one(self, kms, key):
        """The ciphertext knows its key, whose ARN is in the answer."""
        blob = encrypted(kms, key)
        for named in ({}, {"KeyId": key}, {"KeyId": key.rpartition("/")[2]}):
            answer = kms.decrypt(CiphertextBlob=blob, **named)
            assert (answer["Plaintext"], answer["KeyId"]) == (b"x", key)

    def test_another_key_is_named(self, kms, key, either):
        """The key that is named must be the ciphertext's."""
        other = either.kms_key(account=ACCOUNT)
        assert refused(kms.decrypt, CiphertextBlob=encrypted(kms, key), KeyId=other) == "IncorrectKeyException"

    @pytest.mark.parametrize("name", ["alias/none", "12345678-1234-1234-1234-123456789012"])
    def test_a_missing_key(self, kms, key, name):
        """A key that is not there is not found, for either operation."""
        assert refused(kms.encrypt, KeyId=name, Plaintext=b"x") == "NotFoundException"
        assert refused(kms.decrypt, KeyId=name, CiphertextBlob=encrypted(kms, key)) == "NotFoundException"

    def test_a_disabled_key(self, kms, key):
        """A key that is switched off neither encrypts nor decrypts, whether it is named or not."""
        blob = encrypted(kms, key)
        kms.disable_key(KeyId=key)
        assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == "DisabledException"
        for named in ({}, {"KeyId": key}):
            assert refused(kms.decrypt, CiphertextBlob=blob, **named) == "DisabledException"
        kms.enable_key(KeyId=key)
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"

    def test_a_key_that_will_be_deleted(self, kms, key):
        """Nor does one that waits for its deletion."""
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == "KMSInvalidStateException"

    def test_a_key_for_signatures(self, kms):
        """A key of another usage does not encrypt."""
        key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["KeyId"]
        assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == "InvalidKeyUsageException"

    def test_the_longest_plaintext(self, kms, key):
        """4096 bytes are encrypted, and one more is not."""
        blob = kms.encrypt(KeyId=key, Plaintext=b"x" * 4096)["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x" * 4096
        assert refused(kms.encrypt, KeyId=key, Plaintext=b"x" * 4097) == "ValidationException"

    def test_no_ciphertext(self, kms, key):
        """What is no ciphertext, or has been changed, is invalid."""
        blob = encrypted(kms, key)
        for damaged in (b"nothing", blob[:-1] + bytes([blob[-1] ^ 1])):
            assert refused(kms.decrypt, CiphertextBlob=damaged) == "InvalidCiphertextException"


class TestParameterStore:
    """Parameter Store, as ``render --parameter-store`` relies on it."""

    def put(self, ssm, name, value="x", **arguments):
        return ssm.put_parameter(**{"Name": name, "Value": value, "Type": "SecureString", **arguments})

    def test_a_parameter_is_written_over_on_demand_alone(self, ssm):
        """Without Overwrite a name that is taken is an error; with it, there is a new version."""
        self.put(ssm, "/contract/over", Overwrite=True)
        with pytest.raises(ssm.exceptions.ParameterAlreadyExists):
            self.put(ssm, "/contract/over")
        before = ssm.get_parameter(Name="/contract/over")["Parameter"]["Version"]
        assert self.put(ssm, "/contract/over", "y", Overwrite=True)["Version"] == before + 1
        assert ssm.get_parameter(Name="/contract/over", WithDecryption=True)["Parameter"]["Value"] == "y"

    def test_a_secure_string_is_closed_unless_it_is_to_be_decrypted(self, ssm):
        """Without WithDecryption the value does not come in clear."""
        self.put(ssm, "/contract/closed", "in-clear", Overwrite=True)
        assert ssm.get_parameter(Name="/contract/closed")["Parameter"]["Value"] != "in-clear"

    def test_ten_names_at_once(self, ssm):
        """Ten names are read in one call, and eleven are too many; those that are not there are listed."""
        self.put(ssm, "/contract/0", Overwrite=True)
        names = [f"/contract/{number}" for number in range(11)]
        answer = ssm.get_parameters(Names=names[:10])
        assert [one["Name"] for one in answer["Parameters"]] == names[:1]
        assert sorted(answer["InvalidParameters"]) == names[1:10]
        assert refused(ssm.get_parameters, Names=names) == "ValidationException"

    def test_the_key_and_type_are_described(self, ssm, key):
        """DescribeParameters tells the key, AWS's own where none was named, and the type."""
        self.put(ssm, "/contract/own", KeyId=key, Overwrite=True)
        self.put(ssm, "/contract/default", Overwrite=True)
        where = {"Key": "Name", "Option": "Equals", "Values": ["/contract/own", "/contract/default"]}
        found = {one["Name"]: one for one in ssm.describe_parameters(ParameterFilters=[where])["Parameters"]}
        assert {one["Type"] for one in found.values()} == {"SecureString"}
        assert found["/contract/own"]["KeyId"].rpartition("/")[2] == key.rpartition("/")[2]
        assert found["/contract/default"]["KeyId"] == "alias/aws/ssm"

    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            ("/aws/x", "x", "AccessDeniedException"),
            ("/ssm/x", "x", "ValidationException"),
            ("/contract/empty", "", "ValidationException"),
        ],
    )
    def test_what_is_refused(self, ssm, name, value, code):
        """Reserved names and empty values are."""
        assert refused(self.put, ssm=ssm, name=name, value=value) == code


class TestSTS:
    """AssumeRole, as ``fleece run`` relies on it."""

    def test_a_role_is_its_session(self, either):
        """The credentials of a role are temporary, and of its account and session."""
        arn = either.role("Contract", ACCOUNT)
        sts = either.client("sts", account=ACCOUNT)
        given = sts.assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=3600)["Credentials"]
        session = either.client(
            "sts",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
        assert session.get_caller_identity()["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/Contract/me"
        sts.close()
        session.close()

    def test_a_session_with_a_space(self, either):
        """A session's name has no spaces."""
        arn = either.role("Contract", ACCOUNT)
        sts = either.client("sts", account=ACCOUNT)
        assert refused(sts.assume_role, RoleArn=arn, RoleSessionName="a b") == "ValidationError"
        sts.close()
