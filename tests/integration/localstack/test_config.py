"""``fleece config`` on LocalStack's KMS and Parameter Store."""

from __future__ import annotations

import base64
import collections
import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings, strategies as st

from fleece.cli.config import closed, document
from fleece.cli.config.keys import KMS
from fleece.cli.config.source import Source
from fleece_testing.strategies import ENVIRONMENTS, KEYS, open_configurations

OPEN = """\
stages:
  prod: {environment: production, key: KEY_OF_PROD}
  /.*/: {environment: development, key: dev}
config:
  level: 7   # the same for all
  password:
    +prod: :encrypt:prod-secret
    +/.*/: :encrypt:dev-secret
  nested: {inner: {+prod: "", +/.*/: ":encrypt:inner-secret"}, list: [1, two]}
"""

law = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def kms_of(aws):
    """Return a KMS client for each environment of `open_configurations`, whose keys are there, that counts calls."""
    clients = {}
    for environment, number in zip(ENVIRONMENTS, ("500000000001", "500000000002"), strict=True):
        for key in KEYS:
            aws.kms_key(key, account=number)
        clients[environment] = aws.client("kms", account=number)
    calls = collections.Counter()
    for client in clients.values():
        client.meta.events.register("before-call.kms", lambda model, **_: calls.update([model.name]))
    yield clients, calls
    for client in clients.values():
        client.close()


def parse(text):
    return document.parse(Source("config.yml", text))


class TestLaws:
    """What holds for any configuration, with real ciphertexts."""

    @law
    @given(open_configurations())
    def test_a_round_trip_changes_no_byte_and_encrypts_nothing(self, kms_of, configuration):
        """Export gives back what was imported; importing that again is the same file, with no call of Encrypt."""
        clients, calls = kms_of
        keys = KMS(lambda environment, _key: clients[environment])
        there = parse(closed.import_(parse(configuration.text), None, keys).text)
        opened = closed.export(there, keys)
        assert yaml.safe_load(opened.text) == yaml.safe_load(configuration.text)
        calls.clear()
        assert closed.import_(parse(opened.text), there, keys).text == there.source.text
        assert calls["Encrypt"] == 0

    @law
    @given(open_configurations(has_secret=True), st.data())
    def test_one_edit_is_one_call_of_encrypt(self, kms_of, configuration, data):
        """A secret that is changed is the only one to be encrypted."""
        clients, calls = kms_of
        keys = KMS(lambda environment, _key: clients[environment])
        there = parse(closed.import_(parse(configuration.text), None, keys).text)
        pieces = configuration.text.split(":encrypt:")
        at = data.draw(st.integers(1, len(pieces) - 1))
        pieces[at] = f"x{pieces[at]}"
        calls.clear()
        closed.import_(parse(":encrypt:".join(pieces)), there, keys)
        assert calls["Encrypt"] == 1


@pytest.fixture
def fleece(fleece):
    """Run the command in this process, which takes a fraction of the time of a child."""
    fleece.in_process = True
    return fleece


@pytest.fixture
def config(fleece, account, other_account, aws):
    """Have a configuration closed, whose stages are in two accounts that credentials come to through Rackspace."""
    aws.kms_key("prod", account=account)
    aws.kms_key("dev", account=other_account)
    fleece.environments(production={"account": account}, development={"account": other_account})
    fleece.path = fleece.folder / "config.yml"
    fleece.open = OPEN.replace("KEY_OF_PROD", "alias/prod")
    assert fleece("config", "import", stdin=fleece.open).exit_code == 0
    return fleece


def test_import_export_and_render(config):
    """As a program: each stage has its own values, and no secret is in the file, which stays as it is."""
    config.in_process = False
    before = config.path.read_bytes()
    assert b"secret" not in before
    opened = config("config", "export")
    assert (opened.exit_code, opened.stdout, opened.stderr) == (0, config.open, "")
    assert config("config", "import", stdin=opened.stdout).exit_code == 0
    assert config.path.read_bytes() == before
    prod = {"level": 7, "password": "prod-secret", "nested": {"inner": "", "list": [1, "two"]}}
    assert config("config", "render", "prod", "--json").json == prod
    assert config("config", "render", "any", "--json").json["nested"]["inner"] == "inner-secret"


def test_the_aws_command_line_opens_what_is_rendered(config):
    """What --encrypt writes is for anything that has AWS's tools: decrypted and joined, the pieces are the JSON."""
    long = "é" * 1000
    assert config("config", "import", stdin=config.open.replace("7  ", long)).exit_code == 0
    pieces = config("config", "render", "prod", "--encrypt").json
    config.in_process = False
    command = "run -e production -- aws kms decrypt --ciphertext-blob fileb://piece --query Plaintext --output text"
    opened = b""
    for piece in pieces:
        (config.folder / "piece").write_bytes(base64.b64decode(piece))
        opened += base64.b64decode(config(*command.split()).stdout)
    assert len(pieces) > 1
    prod = {"level": long, "password": "prod-secret", "nested": {"inner": "", "list": [1, "two"]}}
    assert json.loads(opened) == prod


def test_the_repositorys_own_configuration(fleece, rackspace, definition):
    """The example's configuration goes through the seeded keys, by way of the role in its ``environments.yml``."""
    for number in ("111111111111", "222222222222"):
        rackspace.account(number)
    fleece.environments((definition / "environments.yml").read_text())
    text = (definition / "config.open.yml").read_text()
    assert fleece("config", "import", stdin=text).exit_code == 0
    assert fleece("config", "export").stdout == text
    assert fleece("config", "render", "prod", "--json").json["bucket"] == "users-of-production"


class TestKeys:
    """Keys that cannot be used, or not by this stage."""

    @pytest.fixture
    def disabled(self, config, aws, account):
        """Switch the key of prod off."""
        kms = aws.client("kms", account=account)
        kms.disable_key(KeyId=kms.describe_key(KeyId="alias/prod")["KeyMetadata"]["KeyId"])
        return config

    def test_a_disabled_key_is_told_by_the_secret(self, disabled):
        """Neither export nor render of its stage works, and the message has secret, stage and reason."""
        for command in (("export",), ("render", "prod")):
            result = disabled("config", *command)
            assert (result.exit_code, result.stdout) == (1, "")
            assert "config.password.+prod (stage prod)" in result.stderr
            assert "DisabledException" in result.stderr

    def test_a_disabled_key_encrypts_nothing(self, disabled):
        """A new secret of its stage is refused, and the file stays as it was."""
        before = disabled.path.read_bytes()
        result = disabled("config", "import", stdin=disabled.open.replace("prod-secret", "other"))
        assert (result.exit_code, result.stdout) == (1, "")
        assert "config.password.+prod (stage prod)" in result.stderr
        assert "DisabledException" in result.stderr
        assert disabled.path.read_bytes() == before

    def test_other_stages_do_not_need_a_disabled_key(self, disabled):
        """The other stage is exported, edited and imported; what is prod's stays closed."""
        opened = disabled("config", "export", "--stage", "any").stdout
        assert "dev-secret" in opened
        assert disabled("config", "import", stdin=opened.replace("dev-secret", "changed")).exit_code == 0
        assert disabled("config", "render", "any", "--json").json["password"] == "changed"

    def test_a_key_of_another_account_by_its_arn(self, fleece, account, other_account, aws):
        """Where that account lets us use it, the round trip is as with an own key, and the ciphertext is that key's."""
        arn = aws.kms_key("shared", account=other_account)
        aws.kms_key("dev", account=account)
        fleece.environments(production={"account": account}, development={"account": account})
        text = OPEN.replace("KEY_OF_PROD", arn)
        assert fleece("config", "import", stdin=text).exit_code == 0
        before = (fleece.folder / "config.yml").read_bytes()
        assert fleece("config", "import", stdin=fleece("config", "export").stdout).exit_code == 0
        assert (fleece.folder / "config.yml").read_bytes() == before
        assert fleece("config", "render", "prod", "--json").json["password"] == "prod-secret"

    def test_a_key_of_another_account_by_its_alias(self, config, other_account):
        """An alias is looked for in the stage's own account: that it is another account's does not help."""
        before = config.path.read_bytes()
        result = config("config", "import", stdin=config.open.replace("alias/prod", "alias/dev"))
        assert result.exit_code == 1
        assert "config.password.+prod (stage prod)" in result.stderr
        assert "NotFoundException" in result.stderr
        assert config.path.read_bytes() == before

    def test_a_ciphertext_of_another_key(self, config, aws, account):
        """A secret that another key has encrypted is refused with the names of both, and opened with --any-key."""
        was = aws.kms_key("prod", account=account)
        aws.kms_key("new", account=account)
        config.path.write_text(config.path.read_text().replace("key: alias/prod", "key: new"))
        refused = config("config", "render", "prod")
        assert refused.exit_code == 1
        assert was in refused.stderr
        assert "'new'" in refused.stderr
        assert config("config", "render", "prod", "--any-key", "--json").json["password"] == "prod-secret"


class TestParameterStore:
    """What ``render --parameter-store`` writes."""

    @pytest.fixture
    def render(self, config):
        return lambda *arguments: config("config", "render", "prod", "--parameter-store", "/shop/prod", *arguments)

    @pytest.fixture
    def stored(self, aws, account):
        """Return what is in Parameter Store: value, type, key and version of each."""

        def read():
            ssm = aws.client("ssm", account=account)
            values = ssm.get_parameters_by_path(Path="/shop", Recursive=True, WithDecryption=True)["Parameters"]
            keys = {one["Name"]: one.get("KeyId") for one in ssm.describe_parameters()["Parameters"]}
            return {one["Name"]: (one["Value"], one["Type"], keys[one["Name"]], one["Version"]) for one in values}

        return read

    @pytest.fixture
    def config(self, config):
        """Fill the one value that cannot be a parameter."""
        config.open = config.open.replace('+prod: ""', "+prod: :encrypt:inner")
        assert config("config", "import", stdin=config.open).exit_code == 0
        return config

    def test_a_second_run_writes_nothing(self, render, stored):
        """The first writes each value, encrypted; the second finds all as it should be."""
        first = render()
        assert first.exit_code == 0
        assert first.stderr.count("Writing /shop/prod/") == 4
        common = ("SecureString", "alias/aws/ssm", 1)
        expected = {
            "/shop/prod/level": ("7", *common),
            "/shop/prod/password": ("prod-secret", *common),
            "/shop/prod/nested/inner": ("inner", *common),
            "/shop/prod/nested/list": ('[1, "two"]', *common),
        }
        before = stored()
        assert before == expected
        second = render()
        assert second.exit_code == 0
        assert "Writing" not in second.stderr
        assert stored() == before

    def test_only_what_differs_is_written(self, config, render, stored):
        """A changed value is a new version of that parameter, and of no other."""
        assert render().exit_code == 0
        assert config("config", "import", stdin=config.open.replace("level: 7", "level: 8")).exit_code == 0
        assert render().stderr.count("Writing") == 1
        versions = {name: one[3] for name, one in stored().items()}
        assert versions.pop("/shop/prod/level") == 2
        assert set(versions.values()) == {1}

    def test_a_key_for_the_parameters(self, render, stored, aws, account):
        """With --ssm-kms-key, an alias is resolved, and a run with another key writes all again."""
        arn = aws.kms_key("parameters", account=account)
        assert render("--ssm-kms-key", "parameters").exit_code == 0
        assert {one[2].rpartition("/")[2] for one in stored().values()} == {arn.rpartition("/")[2]}
        assert "Writing" not in render("--ssm-kms-key", "alias/parameters").stderr
        assert render().stderr.count("Writing") == 4

    @pytest.mark.parametrize("value", ["'{{x}}'", "''", f"'{'x' * 9000}'"], ids=["braces", "empty", "too long"])
    def test_what_parameter_store_refuses_is_not_sent(self, config, render, stored, value):
        """What AWS would refuse, and LocalStack mostly takes, is found before anything is written."""
        assert config("config", "import", stdin=config.open.replace("7   ", value)).exit_code == 0
        result = render()
        assert result.exit_code == 1
        assert "level" in result.stderr
        assert stored() == {}
