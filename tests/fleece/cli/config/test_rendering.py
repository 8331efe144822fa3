"""``fleece config render`` as people run it, on emulated AWS."""

import base64
import importlib.metadata
import json
import re
import subprocess
import sys

import pytest
import yaml
from packaging.requirements import Requirement
from ruamel.yaml import YAML

SECRETS = """\
stages:
  prod: {environment: production, key: p}
  /.*/: {environment: development, key: d}
config:
  one: {+prod: ":encrypt:1", +/.*/: ":encrypt:2"}
  two: {+prod: ":encrypt:3", +/.*/: ":encrypt:4"}
  three: {+prod: plain, +/.*/: ":encrypt:5"}
  words: ["yes", off, 12:30:45, 2026-11-22, 0o17, "1e3"]
"""


@pytest.fixture
def closed(config, fleece_aws):
    """Import `SECRETS` into the folder."""
    assert config("import", stdin=SECRETS).exit_code == 0
    return config


VALUES = {
    "one": "1",
    "two": "3",
    "three": "plain",
    "words": ["yes", "off", "12:30:45", "2026-11-22", 15, "1e3"],
}


def test_yaml_is_the_default(closed):
    """Without an option it is YAML, read back the same by readers of both its versions, in the order of the file."""
    result = closed("render", "prod")
    assert (result.exit_code, result.stderr) == (0, "")
    assert list(VALUES) == re.findall(r"(?m)^\w+", result.stdout)
    assert yaml.safe_load(result.stdout) == YAML(typ="safe", pure=True).load(result.stdout) == VALUES


def test_json(closed):
    """--json writes one JSON document."""
    result = closed("render", "prod", "--json")
    assert (result.exit_code, result.stderr, result.json) == (0, "", VALUES)


@pytest.mark.parametrize(("stage", "secrets"), [("prod", 2), ("dev", 3)])
def test_only_the_stage_s_secrets_are_decrypted(closed, fleece_aws, stage, secrets):
    """KMS is called once for each secret that the stage has, and not for those of others."""
    before = len(fleece_aws.calls("kms", "Decrypt"))
    assert closed("render", stage).exit_code == 0
    assert len(fleece_aws.calls("kms", "Decrypt")) - before == secrets


def test_a_stage_of_which_alone_one_has_the_rights(closed, fleece_aws):
    """Rights on the key of one stage are enough to render it; another is an error that names key and stage."""
    fleece_aws.deny("kms:Decrypt", when=lambda call: call.parameters["KeyId"] == "alias/p")
    assert closed("render", "dev").exit_code == 0
    refused = closed("render", "prod")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "config.one.+prod (stage prod)" in refused.stderr
    assert "AccessDenied" in refused.stderr


def test_another_account_for_the_stage(closed, fleece_aws, fleece_environments):
    """-e takes the account of the environment given in place of the stage's, for secrets and what is written."""
    fleece_aws.role("deploy", "210987654321")
    fleece_environments(
        production={"account": "210987654321", "role": "deploy", "provider": "environment"},
        elsewhere={"provider": "environment"},
    )
    own = closed("render", "prod")
    assert own.exit_code == 1
    assert {call.account for call in fleece_aws.calls("kms", "Decrypt")} == {"210987654321"}
    before = len(fleece_aws.calls("kms", "Decrypt"))
    assert closed("render", "prod", "-e", "elsewhere", "--json").json == VALUES
    assert {call.account for call in fleece_aws.calls("kms", "Decrypt")[before:]} == {"123456789012"}
    assert closed("render", "prod", "-e", "elsewhere", "--encrypt").exit_code == 0
    assert closed("render", "prod", "-e", "elsewhere", "--parameter-store", "/svc").exit_code == 0
    for service, operation in (("kms", "Encrypt"), ("ssm", "PutParameter")):
        assert {call.account for call in fleece_aws.calls(service, operation)} == {"123456789012"}
    assert closed("render", "prod", "-e", "nope").exit_code == 2


def test_encrypted_output_joins_to_the_json(closed, fleece_aws):
    """--encrypt gives a JSON list of ciphertexts, each of text that stands by itself, which joined are the values."""
    closed.path.write_text(f"{closed.path.read_text()}  long: {'é😀' * 2000}\n")
    pieces = closed("render", "prod", "--json", "--encrypt").json  # the one is a form of the other
    kms = fleece_aws.client("kms")
    answers = [kms.decrypt(CiphertextBlob=base64.b64decode(piece)) for piece in pieces]
    plain = [answer["Plaintext"] for answer in answers]
    assert len(pieces) > 1
    assert max(map(len, plain)) <= 4096
    assert json.loads("".join(part.decode("ascii") for part in plain)) == {**VALUES, "long": "é😀" * 2000}
    assert {answer["KeyId"] for answer in answers} == {kms.describe_key(KeyId="alias/p")["KeyMetadata"]["Arn"]}


def of_boto3(folder):
    """Fill a folder with boto3 and what it needs, and nothing else."""
    folder.mkdir()
    waiting, known = ["boto3"], set()
    while waiting:
        distribution = importlib.metadata.distribution(waiting.pop())
        for name in {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}:
            (folder / name).symlink_to(distribution.locate_file(name))
        requirements = [Requirement(text) for text in distribution.requires or ()]
        needed = {one.name for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})}
        waiting += needed - known
        known |= needed
    return folder


IN_LAMBDA = """\
import json, sys
sys.path += sys.argv[1:]
import boto3
configs, client = [], boto3.client
boto3.client = lambda name, **options: configs.append(options["config"]) or client(name, **options)
from fleece_config import CONFIG, ENCRYPTED_CONFIG, load_config
print(json.dumps({
    "config": CONFIG,
    "again": load_config(),
    "pieces": len(ENCRYPTED_CONFIG),
    "timeouts": [configs[0].connect_timeout, configs[0].read_timeout],
    "attempts": configs[0].retries["total_max_attempts"],
    "modules": sorted(sys.modules),
}))
"""


def test_the_python_module_needs_boto3_alone(closed, fleece_aws, tmp_path):
    """--python gives a module that has the values in CONFIG, where there is nothing but Python and boto3."""
    text = closed("render", "prod", "--python").stdout
    assert "plain" not in text.replace("Plaintext", "")
    source = tmp_path / "src"
    source.mkdir()
    (source / "fleece_config.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", IN_LAMBDA, of_boto3(tmp_path / "boto3"), source],
        env=fleece_aws.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["config"] == told["again"] == VALUES
    assert told["pieces"] == 1
    assert 0 < min(told["timeouts"]) <= max(told["timeouts"]) <= 10
    assert 1 < told["attempts"] < 10
    assert not {"fleece", "yaml", "click", "requests"} & set(told["modules"])


def test_errors_have_no_values(closed, fleece_aws, monkeypatch):
    """Whatever fails while values are rendered, neither the error nor the traceback for debugging has one."""
    monkeypatch.setenv("FLEECE_DEBUG", "1")
    closed.path.write_text(f"{closed.path.read_text()}  bad: .inf\n  other: hunter2\n")
    for form in ("--json", "--encrypt", "--python"):
        result = closed("render", "prod", form)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "Error: config.bad is .inf, and JSON has no such number; put it in quotes" in result.stderr
        assert "hunter2" not in result.stderr
        assert "plain" not in result.stderr
