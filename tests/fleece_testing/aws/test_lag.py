"""`AWS.stale`: reads that come too early."""

import threading

import pytest


@pytest.fixture
def ssm(fleece_aws):
    """Give an SSM client."""
    return fleece_aws.client("ssm")


def put(ssm, value, name="/a"):
    ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def value(ssm, name="/a"):
    """Return the value of a parameter; ``None`` when there is none."""
    found = ssm.get_parameters(Names=[name])["Parameters"]
    return found[0]["Value"] if found else None


def test_the_reads_after_a_write_are_late(fleece_aws, ssm):
    """As many reads as asked for see what was there before the write, whichever they are; then all is there."""
    put(ssm, "before")
    fleece_aws.stale(2)
    put(ssm, "after")
    put(ssm, "x", name="/b")
    assert [value(ssm), value(ssm, "/b"), value(ssm), value(ssm, "/b")] == ["before", None, "after", "x"]


def test_each_write_makes_reads_late_again(fleece_aws, ssm):
    """Written, read, written again: the late read is one write behind."""
    fleece_aws.stale(1)
    seen = []
    for number in "123":
        put(ssm, number)
        seen += [value(ssm), value(ssm)]
    assert seen == [None, "1", "1", "2", "2", "3"]


def test_what_was_refused_is_no_write(fleece_aws, ssm, refused):
    """A write that is refused makes no read late."""
    fleece_aws.stale(1)
    put(ssm, "x")
    value(ssm)
    assert refused(ssm.put_parameter, Name="/a b", Value="x", Type="String") == "ValidationException"
    assert refused(ssm.put_parameter, Name="/a", Value="x", Type="String") == "ParameterAlreadyExists"
    assert value(ssm) == "x"


def test_using_a_key_is_a_read(fleece_aws, refused):
    """A key that was disabled just now still encrypts, and an alias that was made just now is not there yet."""
    kms, key = fleece_aws.client("kms"), fleece_aws.kms_key()
    fleece_aws.stale(1, "kms")
    kms.disable_key(KeyId=key)
    assert kms.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == key
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x") == "DisabledException"
    kms.enable_key(KeyId=key)
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    assert refused(kms.encrypt, KeyId="alias/app", Plaintext=b"x") == "NotFoundException"
    assert kms.encrypt(KeyId="alias/app", Plaintext=b"x")["KeyId"] == key


def test_the_other_services(fleece_aws, refused):
    """Roles, secrets and log groups are late in the same way."""
    fleece_aws.stale()
    iam, secrets, logs = (fleece_aws.client(name) for name in ("iam", "secretsmanager", "logs"))
    iam.create_role(RoleName="r", AssumeRolePolicyDocument="{}")
    secrets.create_secret(Name="s", SecretString="x")
    logs.create_log_group(logGroupName="g")
    assert refused(iam.get_role, RoleName="r") == "NoSuchEntity"
    assert refused(secrets.get_secret_value, SecretId="s") == "ResourceNotFoundException"
    assert logs.describe_log_groups()["logGroups"] == []
    assert iam.get_role(RoleName="r")["Role"]["RoleName"] == "r"
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "x"
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["g"]


def test_other_services_accounts_and_regions_are_on_time(fleece_aws, ssm):
    """Only the service that was asked for is late, and where nothing was written, nothing is."""
    fleece_aws.stale(9, "ssm")
    elsewhere = fleece_aws.client("ssm", region_name="eu-west-1")
    put(elsewhere, "x")
    put(fleece_aws.client("ssm", account="210987654321"), "x")
    kms = fleece_aws.client("kms")
    kms.create_key()
    assert len(kms.list_keys()["Keys"]) == 1
    put(ssm, "x")
    assert value(elsewhere) is None
    fleece_aws.stale(0)
    assert [value(ssm), value(elsewhere)] == ["x", "x"]


def test_what_a_test_furnishes_is_there_at_once(fleece_aws):
    """Keys and roles of the helpers are not late."""
    fleece_aws.stale(9)
    fleece_aws.client("kms").create_key()
    assert fleece_aws.client("kms").describe_key(KeyId=fleece_aws.kms_key("app"))["KeyMetadata"]
    assert fleece_aws.client("sts").assume_role(RoleArn=fleece_aws.role("r"), RoleSessionName="me")["Credentials"]


def test_no_write_is_lost_among_late_reads(fleece_aws, ssm):
    """Many threads that write while others read too early lose nothing."""
    fleece_aws.stale(3)

    def work(number):
        put(ssm, "x", name=f"/{number}")
        value(ssm, f"/{number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fleece_aws.stale(0)
    assert [value(ssm, f"/{number}") for number in range(20)] == ["x"] * 20


def test_clear_ends_it(fleece_aws, ssm):
    """After a clear every read is on time."""
    fleece_aws.stale(9)
    put(ssm, "x")
    fleece_aws.clear()
    put(ssm, "y")
    assert value(ssm) == "y"


def test_a_service_that_is_never_late(fleece_aws):
    """Asking for what AWS does not do is an error that names what there is."""
    with pytest.raises(ValueError) as failure:
        fleece_aws.stale(1, "s3")
    assert str(failure.value) == "Reads of 's3' are never late; those of iam, kms, logs, secretsmanager, ssm can be"
