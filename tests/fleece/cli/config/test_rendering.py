"""``fleece config render`` as people run it, on emulated AWS."""

import base64
import json
import os
import subprocess
import sys


def test_encrypted_output_joins_to_the_json(imported, fleece_aws, open_text):
    """--encrypt gives ciphertexts, each of text that stands by itself, which joined are the configuration."""
    long = open_text + f"  long: {'é😀' * 2000}\n"
    assert imported("import", stdin=long).exit_code == 0
    pieces = imported("render", "prod", "--encrypt").json
    kms = fleece_aws.client("kms")
    plain = [kms.decrypt(CiphertextBlob=base64.b64decode(piece))["Plaintext"] for piece in pieces]
    assert len(pieces) > 1
    assert max(map(len, plain)) <= 4096
    assert json.loads("".join(part.decode() for part in plain)) == imported("render", "prod", "--json").json


def test_the_python_module_decrypts_itself(imported, fleece_aws, tmp_path):
    """--python gives a module that has the values in CONFIG, with boto3 alone."""
    (tmp_path / "fleece_config.py").write_text(imported("render", "prod", "--python").stdout)
    code = "import json; from fleece_config import CONFIG, ENCRYPTED_CONFIG, load_config; print(json.dumps(CONFIG))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, **fleece_aws.environment(), "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == imported("render", "prod", "--json").json


def test_parameter_store(imported, fleece_aws):
    """The values are written once; then only what differs in value or key; a dry run writes nothing."""
    render = ("render", "prod", "--parameter-store", "/svc")
    planned = imported(*render, "--dry-run")
    assert planned.stdout == "/svc/foo (new)\n/svc/password (new)\n/svc/nested/numbers (new)\n/svc/nested/on (new)\n"
    assert fleece_aws.calls("ssm", "PutParameter") == []
    first = imported(*render)
    assert (first.exit_code, first.stdout) == (0, "")
    assert "Writing /svc/nested/numbers... (3 of 4)\n" in first.stderr
    ssm = fleece_aws.client("ssm")
    names = ["/svc/foo", "/svc/password", "/svc/nested/numbers", "/svc/nested/on"]
    there = {p["Name"]: p for p in ssm.get_parameters(Names=names, WithDecryption=True)["Parameters"]}
    assert [there[name]["Value"] for name in names] == ["bar", "prod-secret", "[1, 2]", "yes"]
    assert {p["Type"] for p in there.values()} == {"SecureString"}
    assert "0 of 4" in imported(*render).stderr
    assert "4 of 4" in imported(*render, "--ssm-kms-key", "p").stderr
    imported.path.write_text(imported.path.read_text().replace("bar", "baz"))
    assert imported(*render, "--ssm-kms-key", "alias/p", "--dry-run").stdout == "/svc/foo (value)\n"


def test_parameters_that_fail_are_told_and_a_second_run_finishes(imported, fleece_aws):
    """One parameter that cannot be written does not stop the others, and the next run writes it."""
    render = ("render", "prod", "--parameter-store", "/svc")
    fleece_aws.fail("ssm", "PutParameter", times=1, code="InvalidKeyId", status=400)
    result = imported(*render)
    assert result.exit_code == 1
    assert "Error: not written: /svc/foo (" in result.stderr
    assert "written: /svc/password, /svc/nested/numbers, /svc/nested/on; run it again" in result.stderr
    assert "prod-secret" not in result.stderr
    assert "1 of 4" in imported(*render).stderr


def test_throttled_writes_are_tried_again(imported, fleece_aws):
    """Throttling is waited out."""
    fleece_aws.fail("ssm", "PutParameter", times=2, code="ThrottlingException", status=400)
    assert imported("render", "prod", "--parameter-store", "/svc").exit_code == 0


def test_another_account_for_the_stage(imported, fleece_aws):
    """-e takes the environment given in place of the stage's own."""
    assert imported("render", "prod", "-e", "development", "--json").json["password"] == "prod-secret"
    assert imported("render", "prod", "-e", "nope").exit_code == 2
