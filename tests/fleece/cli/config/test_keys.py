"""KMS: one client for each environment, the right key, and failures that name the value."""

import pytest

from fleece.cli.config.keys import KMS, Item, KeyServiceError, Undecryptable, key_id
from fleece.cli.config.tree import Stage
from fleece_testing.command_line import write_environments

DEV = Stage("dev", "development", "d")


@pytest.fixture
def kms(fleece_aws):
    """A KMS service on the emulator, with the environments that clients were made for."""
    fleece_aws.kms_key("d")
    made = []

    def client_for(environment, key):
        made.append(environment)
        return fleece_aws.client("kms")

    service = KMS(client_for)
    service.made = made
    return service


def items(*contents, stage=DEV):
    return [Item(f"config.v{i}", stage, content) for i, content in enumerate(contents)]


def encrypt_and_decrypt(service, contents):
    return service.decrypt(items(*service.encrypt(items(*contents))))


def test_many_values_keep_their_order(kms, fleece_aws):
    """Values that are encrypted and decrypted side by side come back in order, over one client."""
    contents = [f"secret {i}".encode() for i in range(60)]
    assert encrypt_and_decrypt(kms, contents) == contents
    assert kms.made == ["development"]
    assert len(fleece_aws.calls("kms", "Encrypt")) == len(contents)


def test_one_client_for_each_environment(kms, fleece_aws):
    """Stages of two environments have a client each."""
    kms.encrypt(items(b"a", b"b") + items(b"c", stage=Stage("prod", "production", "alias/d")))
    assert kms.made == ["development", "production"]


def test_one_client_for_each_region_of_an_environment(config, fleece_aws):
    """Keys of two regions, in one environment that names none, are each asked in their own."""
    from fleece.cli.config.clients import Clients
    from fleece.cli.credentials import Login, Resolver

    path = write_environments(config.path.parent, fleece_aws.url, {"development": {"provider": "environment"}})
    clients = Clients(path, Resolver(Login(), ask=None, store=None))
    service = KMS(clients.kms)
    arns = [f"arn:aws:kms:{region}:123456789012:alias/d" for region in ("eu-west-1", "us-east-1", "eu-west-1")]
    regions = [service._client(Stage("dev", "development", arn)).meta.region_name for arn in arns]
    assert regions == ["eu-west-1", "us-east-1", "eu-west-1"]
    assert clients.kms("development", arns[0]) is clients.kms("development", arns[2])


def test_a_ciphertext_is_decrypted_once(kms, fleece_aws):
    """What has been decrypted is known from then on: `edit` opens the file and closes it again."""
    ciphertexts = kms.encrypt(items(b"a", b"b"))
    assert kms.decrypt(items(*ciphertexts)) == kms.decrypt(items(*ciphertexts)) == [b"a", b"b"]
    assert len(fleece_aws.calls("kms", "Decrypt")) == 2


def test_nothing_to_do_makes_no_client(kms):
    """Without values no client is made, so no credentials are needed."""
    assert kms.encrypt([]) == kms.decrypt([]) == []
    assert kms.made == []


def test_the_key_of_another_stage(kms, fleece_aws):
    """A ciphertext of another key is told apart, with the names of both keys."""
    other = fleece_aws.kms_key("other")
    ciphertexts = kms.encrypt(items(b"a", stage=Stage("x", "development", "alias/other")))
    (answer,) = kms.decrypt(items(*ciphertexts))
    assert isinstance(answer, Undecryptable)
    assert other in answer.reason
    assert "'d'" in answer.reason
    assert "--any-key" in answer.reason


def test_any_key(kms, fleece_aws):
    """Asked to, it decrypts what another key has encrypted."""
    fleece_aws.kms_key("other")
    ciphertexts = kms.encrypt(items(b"a", stage=Stage("x", "development", "other")))
    lax = KMS(lambda _environment, _key: fleece_aws.client("kms"), any_key=True)
    assert lax.decrypt(items(*ciphertexts)) == [b"a"]


def test_the_first_refusal_is_named_and_stops_the_rest(kms, fleece_aws):
    """When KMS refuses one of many, the error names it, and not all of the others are tried."""
    fleece_aws.fail("kms", "Encrypt", times=1000, code="AccessDeniedException", status=400)
    with pytest.raises(KeyServiceError, match=r"^config\.v0: cannot be encrypted with the key 'd': AccessDenied"):
        kms.encrypt(items(*[b"x"] * 200))
    assert len(fleece_aws.calls("kms", "Encrypt")) < 200


def test_garbage_is_no_ciphertext(kms):
    """What was never a ciphertext is reported as a value that cannot be decrypted."""
    (answer,) = kms.decrypt(items(b"garbage" * 10))
    assert isinstance(answer, Undecryptable)


def test_an_unreachable_service_is_no_undecryptable_value(fleece_aws):
    """When KMS cannot be reached, nobody knows whether the value can be decrypted, and that is what is said."""
    from botocore.config import Config

    once = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    gone = KMS(lambda *_: fleece_aws.client("kms", endpoint_url="http://127.0.0.1:1", config=once))
    with pytest.raises(KeyServiceError, match=r"config\.v0: cannot be decrypted with the key 'd' now"):
        gone.decrypt(items(b"x"))


@pytest.mark.parametrize("code", ["ThrottlingException", "KMSInternalException"])
def test_a_service_that_has_enough_of_us_says_nothing_of_the_value(fleece_aws, code):
    """What is throttled for longer than we try is no value that cannot be decrypted, or `import` would encrypt it."""
    from botocore.config import Config

    fleece_aws.fail("kms", "Decrypt", times=99, code=code, status=400)
    once = KMS(lambda *_: fleece_aws.client("kms", config=Config(retries={"total_max_attempts": 1})))
    with pytest.raises(KeyServiceError, match=rf"config\.v0: cannot be decrypted with the key 'd' now: {code}"):
        once.decrypt(items(b"x"))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("prod-key-here", "alias/prod-key-here"),
        ("alias/prod", "alias/prod"),
        ("arn:aws:kms:eu-west-1:123456789012:alias/x", "arn:aws:kms:eu-west-1:123456789012:alias/x"),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", "1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("mrk-1234abcd12ab34cd56ef1234567890ab", "mrk-1234abcd12ab34cd56ef1234567890ab"),
    ],
)
def test_forms_of_a_key(key, expected):
    """A key is an id, an ARN, or an alias with or without its prefix."""
    assert key_id(key) == expected
