"""SSM PutParameter: what it refuses and moto lets through."""

import pytest


@pytest.fixture
def ssm(fleece_aws):
    """Give an SSM client."""
    return fleece_aws.client("ssm")


@pytest.fixture
def put(ssm):
    """Put a String parameter, or what the keywords say."""
    return lambda **changes: ssm.put_parameter(**{"Name": "/a", "Value": "x", "Type": "String", **changes})


@pytest.mark.parametrize(
    ("tier", "most"), [(None, 4096), ("Standard", 4096), ("Advanced", 8192), ("Intelligent-Tiering", 8192)]
)
def test_the_size_of_a_value(put, refused, tier, most):
    """A value of 4 KB fits the standard tier and one of 8 KB the advanced; a byte more does not."""
    tier = {} if tier is None else {"Tier": tier}
    assert put(Value="x" * most, **tier)["Version"] == 1
    assert refused(put, Name="/b", Value="x" * (most + 1), **tier) == "ValidationException"
    assert refused(put, Name="/b", Value="ä" * (most // 2) + "x", **tier) == "ValidationException"


def test_an_advanced_parameter_stays_advanced(put, refused):
    """The size of an update without a tier goes by the tier that the parameter has, which cannot go down."""
    put(Tier="Advanced")
    assert put(Value="x" * 8192, Overwrite=True)["Version"] == 2
    assert refused(put, Tier="Standard", Overwrite=True) == "ValidationException"


@pytest.mark.parametrize(
    "name",
    [
        "/with space",
        "/ümlaut",
        "/a//b",
        "//a",
        "/a/",
        "a/b",
        "/a:1",
        "/a\n",
        "/" + "/".join("abcdefghijklmnop"),
        "/" + "n" * 967,
        "n" * 967,
    ],
)
def test_a_bad_name(put, refused, name):
    """Names with other characters, empty or too many levels, or too long are refused."""
    assert refused(put, Name=name) == "ValidationException"


@pytest.mark.parametrize("name", ["plain", "/a.b-c_D/9", "/" + "/".join("abcdefghijklmno"), "/" + "n" * 966, "n" * 966])
def test_a_good_name(put, name):
    """15 levels and 1,011 characters are allowed, those before it in its ARN included, and a name without a slash."""
    assert put(Name=name)["Version"] == 1


@pytest.mark.parametrize("value", ["{{ssm:x}}", "a{{b"])
def test_a_value_that_refers_to_another(put, refused, value):
    """A value with two opening braces is refused."""
    assert refused(put, Value=value) == "ValidationException"


def test_the_type_does_not_change(put, ssm, refused):
    """A String cannot become a SecureString, nor the other way; an update may leave the type out."""
    put()
    put(Name="/s", Type="SecureString")
    assert refused(put, Type="SecureString", Overwrite=True) == "HierarchyTypeMismatchException"
    assert refused(put, Name="/s", Type="String", Overwrite=True) == "HierarchyTypeMismatchException"
    assert ssm.put_parameter(Name="/s", Value="y", Overwrite=True)["Version"] == 2


def test_an_existing_parameter_without_overwrite(put, refused):
    """That it is already there is said first, whatever else is wrong."""
    put()
    assert refused(put, Type="SecureString", KeyId="alias/none") == "ParameterAlreadyExists"


def test_the_key_must_be_usable(fleece_aws, put, refused):
    """A SecureString's key must be there, enabled, symmetric and of the own account."""
    kms = fleece_aws.client("kms")
    disabled = fleece_aws.kms_key("off")
    kms.disable_key(KeyId=disabled)
    signing = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["Arn"]
    foreign = fleece_aws.kms_key(account="210987654321")
    for key in ("alias/none", "00000000-0000-0000-0000-000000000000", disabled, "alias/off", signing, foreign):
        assert refused(put, Type="SecureString", KeyId=key) == "InvalidKeyId"
        assert refused(put, Name="/s", Type="SecureString", KeyId=key, Overwrite=True) == "InvalidKeyId"


def test_a_usable_key_in_each_of_its_names(fleece_aws, put):
    """Id, ARN, alias and alias ARN are taken, and the key of the service itself."""
    arn = fleece_aws.kms_key("app")
    alias_arn = arn.rpartition(":")[0] + ":alias/app"
    for number, key in enumerate([arn, arn.rpartition("/")[2], "alias/app", alias_arn, "alias/aws/ssm"]):
        assert put(Name=f"/s{number}", Type="SecureString", KeyId=key)["Version"] == 1


def test_an_update_without_a_key_goes_back_to_the_service_s(fleece_aws, put, ssm):
    """A key is not kept from one version to the next: without one, a SecureString has the service's own."""
    fleece_aws.kms_key("app")

    def key():
        (described,) = ssm.describe_parameters()["Parameters"]
        return described["KeyId"]

    put(Name="/s", Type="SecureString", KeyId="alias/app")
    before = key()
    ssm.put_parameter(Name="/s", Value="y", Overwrite=True)
    assert (before, key()) == ("alias/app", "alias/aws/ssm")


def test_a_string_has_no_key(put, ssm):
    """A String gets no key when it is put or updated."""
    put()
    put(Overwrite=True)
    (described,) = ssm.describe_parameters()["Parameters"]
    assert "KeyId" not in described


@pytest.mark.parametrize("name", ["/aws/reference/secretsmanager/x", "/aws/x", "/ssm/x", "awsx", "ssm"])
def test_a_reserved_name(put, refused, name):
    """Names of AWS's own parameters cannot be put."""
    assert refused(put, Name=name) in ("ValidationException", "AccessDeniedException")


@pytest.mark.parametrize("end", ["disable_key", "schedule_key_deletion"])
def test_a_value_whose_key_cannot_be_used(fleece_aws, put, ssm, refused, end):
    """What was encrypted with a key that is disabled or goes away is not decrypted, nor what is asked for with it."""
    kms, key = fleece_aws.client("kms"), fleece_aws.kms_key("app")
    put()
    put(Name="/s", Type="SecureString", KeyId="alias/app")
    put(Name="/d", Type="SecureString")
    getattr(kms, end)(KeyId=key)
    assert refused(ssm.get_parameter, Name="/s", WithDecryption=True) == "InvalidKeyId"
    assert refused(ssm.get_parameters, Names=["/a", "/d", "/s"], WithDecryption=True) == "InvalidKeyId"
    assert ssm.get_parameter(Name="/s")["Parameter"]["Value"] != "x"
    decrypted = ssm.get_parameters(Names=["/a", "/d"], WithDecryption=True)["Parameters"]
    assert [parameter["Value"] for parameter in decrypted] == ["x", "x"]


@pytest.mark.parametrize(("member", "value"), [("Type", "secure"), ("Type", "securestring"), ("Tier", "standard")])
def test_a_type_or_tier_that_there_is_not(put, refused, member, value):
    """A type and a tier are among those that there are, in their very letters."""
    assert refused(put, **{"Name": "/a", member: value}) == "ValidationException"
