"""KMS: what it refuses and moto lets through."""

import botocore.exceptions
import pytest


@pytest.fixture
def kms(fleece_aws):
    """Give a KMS client."""
    return fleece_aws.client("kms")


def switch_off(kms, key, state):
    """Bring a key into a state in which it may not be used."""
    if state == "disabled":
        kms.disable_key(KeyId=key)
    else:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


@pytest.mark.parametrize(
    ("state", "code"), [("disabled", "DisabledException"), ("pending deletion", "KMSInvalidStateException")]
)
@pytest.mark.parametrize("name", ["arn", "alias/app"])
def test_a_key_that_is_switched_off(fleece_aws, kms, refused, state, code, name):
    """A disabled key and one that is to be deleted neither encrypt nor decrypt, under any of their names."""
    key = fleece_aws.kms_key("app")
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    switch_off(kms, key, state)
    name = key if name == "arn" else name
    assert refused(kms.encrypt, KeyId=name, Plaintext=b"x") == code
    assert refused(kms.generate_data_key, KeyId=name, KeySpec="AES_256") == code
    assert refused(kms.decrypt, CiphertextBlob=blob, KeyId=name) == code
    assert refused(kms.decrypt, CiphertextBlob=blob) == code
    assert refused(kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId=fleece_aws.kms_key()) == code


def test_a_key_that_is_switched_on_again(fleece_aws, kms):
    """A key that was disabled works once it is enabled."""
    key = fleece_aws.kms_key()
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.parametrize("alias", [None, "other"])
def test_the_wrong_key(fleece_aws, kms, refused, alias):
    """Decrypt with the id or alias of another key than the ciphertext's is IncorrectKeyException."""
    blob = kms.encrypt(KeyId=fleece_aws.kms_key(), Plaintext=b"x")["CiphertextBlob"]
    other = fleece_aws.kms_key(alias)
    assert refused(kms.decrypt, CiphertextBlob=blob, KeyId=f"alias/{alias}" if alias else other) == (
        "IncorrectKeyException"
    )
    assert refused(kms.re_encrypt, CiphertextBlob=blob, SourceKeyId=other, DestinationKeyId=other) == (
        "IncorrectKeyException"
    )


def test_the_size_of_a_plaintext(fleece_aws, kms, refused):
    """4096 bytes can be encrypted, one more cannot, nor can none."""
    key = fleece_aws.kms_key()
    assert kms.encrypt(KeyId=key, Plaintext=b"x" * 4096)["KeyId"] == key
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"x" * 4097) == "ValidationException"


def test_a_ciphertext_of_another_account(fleece_aws, kms, refused):
    """What another account's key has encrypted is AccessDeniedException, and so is what another region's has."""
    theirs = fleece_aws.client("kms", account="210987654321")
    key = fleece_aws.kms_key(account="210987654321")
    blob = theirs.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert refused(kms.decrypt, CiphertextBlob=blob) == "AccessDeniedException"
    assert theirs.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    elsewhere = fleece_aws.client("kms", region_name="eu-west-1", account="210987654321")
    assert refused(elsewhere.decrypt, CiphertextBlob=blob) == "AccessDeniedException"


def test_a_key_arn_of_elsewhere(fleece_aws, kms, refused):
    """A key of another account or region is not taken for one of the own because its id is the same."""
    key = fleece_aws.kms_key()
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    for arn, code in [
        (key.replace("123456789012", "210987654321"), "AccessDeniedException"),
        (key.replace("us-east-1", "eu-west-1"), "NotFoundException"),
    ]:
        assert refused(kms.encrypt, KeyId=arn, Plaintext=b"x") == code
        assert refused(kms.decrypt, KeyId=arn, CiphertextBlob=blob) == code
        assert refused(kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId=arn) == code


def test_a_key_for_signatures(kms, refused):
    """A SIGN_VERIFY key does not encrypt, and one for encryption does not sign."""
    signing = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")["KeyMetadata"]["Arn"]
    encrypting = kms.create_key()["KeyMetadata"]["Arn"]
    assert refused(kms.encrypt, KeyId=signing, Plaintext=b"x") == "InvalidKeyUsageException"
    assert refused(kms.sign, KeyId=encrypting, Message=b"x", SigningAlgorithm="ECDSA_SHA_256") == (
        "InvalidKeyUsageException"
    )
    assert kms.sign(KeyId=signing, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    assert kms.encrypt(KeyId=encrypting, Plaintext=b"x")["CiphertextBlob"]


@pytest.mark.parametrize("blob", [b"garbage", b"garbage" * 20, b"\xff" * 200])
def test_what_is_no_ciphertext(fleece_aws, kms, refused, blob):
    """Bytes that no key has made are InvalidCiphertextException, with and without a key, be they few or many."""
    key = fleece_aws.kms_key()
    assert refused(kms.decrypt, CiphertextBlob=blob) == "InvalidCiphertextException"
    assert refused(kms.decrypt, CiphertextBlob=blob, KeyId=key) == "InvalidCiphertextException"
    assert refused(kms.re_encrypt, CiphertextBlob=blob, DestinationKeyId=key) == "InvalidCiphertextException"


def test_an_error_has_its_message(fleece_aws, kms):
    """The message names the key, and the code is a class of the client's exceptions."""
    key = fleece_aws.kms_key()
    kms.disable_key(KeyId=key)
    with pytest.raises(kms.exceptions.DisabledException, match="is disabled") as caught:
        kms.encrypt(KeyId=key, Plaintext=b"x")
    assert key in str(caught.value)
    assert isinstance(caught.value, botocore.exceptions.ClientError)
