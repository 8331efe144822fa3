"""The command as people run it, on emulated AWS."""

import base64
import json
import os
import re
import signal
import stat
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

OTHER = "210987654321"
OPEN = """\
# open
stages:
  prod: {environment: production, key: p}
  /.*/: {environment: development, key: alias/d}
config:
  foo: bar            # the same for all
  password:
    +prod: :encrypt:prod-secret
    +/.*/: :encrypt:dev-secret
  nested: {numbers: [1, 2], on: yes}
"""


def test_in_a_pipe(config):
    """As child processes, as people run it: what is exported, edited and imported is what is rendered."""
    assert config.cli("config", "import", stdin=OPEN).exit_code == 0
    opened = config.cli("config", "export")
    assert (opened.exit_code, opened.stdout, opened.stderr) == (0, OPEN, "")
    edited = config.cli("config", "import", stdin=opened.stdout.replace("prod-secret", "péw"))
    assert (edited.exit_code, edited.stdout, edited.stderr) == (0, "", "")
    assert "password: péw\n" in config.cli("config", "render", "prod", env={"LC_ALL": "C"}).stdout


def test_import_export_render(imported, fleece_aws):
    """A configuration goes in, comes out as it was, and is rendered for a stage; again, it costs no encryption."""
    before = imported.path.read_bytes()
    assert b"secret" not in before
    assert imported("export").stdout == OPEN
    again = imported("import", stdin=imported("export").stdout)
    assert (again.exit_code, imported.path.read_bytes()) == (0, before)
    assert imported("import", stdin=imported("export", "--json").stdout).exit_code == 0
    assert imported.path.read_bytes() == before
    assert len(fleece_aws.calls("kms", "Encrypt")) == 2
    rendered = imported("render", "prod")
    assert rendered.stdout == "foo: bar\npassword: prod-secret\nnested:\n  numbers:\n  - 1\n  - 2\n  'on': 'yes'\n"
    assert imported("render", "--json", "anything").json["password"] == "dev-secret"


def test_an_unchanged_import_does_not_touch_the_file(imported):
    """A file that would stay the same is not written."""
    os.utime(imported.path, (1, 1))
    assert imported("import", stdin=imported("export").stdout).exit_code == 0
    assert imported.path.stat().st_mtime == 1


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        ("", "Error: <stdin> is empty"),
        ("stages: {}\n", "Error: <stdin>: 'config' is missing"),
        (OPEN.replace("+prod: :encrypt", "+prod: :encrypt:a # :encrypt"), "Error: <stdin>:8: ':encrypt:' is outside"),
        (OPEN.replace("bar ", ":encrypt:hunter2 "), "Error: <stdin>:6: config.foo: a secret must be a stage's"),
        (
            OPEN.replace(":encrypt:prod", ":encrypt: hunter2"),
            "Error: <stdin>:8: this is not YAML: mapping values are not allowed here; a text that has a colon",
        ),
        ('{"config": {":encrypt:hunter2": 1, ":encrypt:hunter2": 2}}', "Error: <stdin>: a key has ':encrypt:' in it"),
        (OPEN.replace("  foo: ", "  foo: {+: 1} # "), "Error: <stdin>:6: config.foo.+: the name of the stage is empty"),
        (OPEN.replace("  prod: {", "  '': {"), "Error: <stdin>:3: stages.: the name of the stage is empty"),
        (
            OPEN.replace("key: p", "key: absent"),
            "Error: <stdin>:8: config.password.+prod (stage prod): cannot be encrypted with the key 'absent': NotFound",
        ),
        (OPEN.replace("environment: production", "environment: nope"), "no environment 'nope'"),
        (
            '{"stages": {"prod": {"environment": "production", "key": "p"}}, "config": {"a": ":encrypt:hunter2"}}',
            "Error: <stdin>: config.a: a secret must be a stage's",
        ),
    ],
    ids=[
        "empty",
        "incomplete",
        "comment",
        "in clear",
        "space",
        "key",
        "stage in +",
        "stage",
        "no such key",
        "no such environment",
        "JSON",
    ],
)
def test_bad_input_changes_nothing(imported, stdin, message):
    """Whatever is wrong, the error is one line without secrets, and the file is the one from before."""
    before = imported.path.read_bytes()
    result = imported("import", stdin=stdin)
    assert result.exit_code in {1, 2}
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.stderr
    assert imported.path.read_bytes() == before
    assert sorted(path.name for path in imported.path.parent.glob("*.yml")) == ["config.yml", "environments.yml"]


def test_what_is_there_and_cannot_be_read_is_not_replaced(config):
    """An import over a file that is no configuration is refused: the message says which file it is, and what to do."""
    config.path.write_text("a: [")
    result = config("import", stdin=OPEN)
    assert (result.exit_code, config.path.read_text()) == (1, "a: [")
    assert result.stderr.startswith("Error: config.yml:1: this is not YAML: ")
    assert result.stderr.endswith("(in the file that is to be replaced: mend it, or remove it first)\n")


def test_kms_that_fails_in_the_middle_leaves_the_old_file(imported, fleece_aws):
    """When a later one of many values cannot be encrypted, nothing is written and nothing is left over."""
    before = imported.path.read_bytes()
    many = OPEN + "".join(f"  v{i}: {{+prod: ':encrypt:{i}'}}\n" for i in range(30))
    served = []
    fleece_aws.fail(
        "kms",
        "Encrypt",
        times=1000,
        code="AccessDeniedException",
        status=400,
        when=lambda _request: served.append(1) or len(served) > 20,
    )
    result = imported("import", stdin=many)
    assert result.exit_code == 1
    assert "cannot be encrypted" in result.stderr
    assert imported.path.read_bytes() == before
    assert not list(imported.path.parent.glob(".config.yml*"))


@pytest.mark.parametrize(
    ("key", "operation", "told"),
    [
        ("disabled", "Encrypt", "DisabledException"),
        ("arn:aws:kms:us-east-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab", "Encrypt", "Exception"),
        ("missing", "Encrypt", "NotFoundException"),
    ],
)
def test_keys_that_cannot_be_used(imported, fleece_aws, key, operation, told):
    """A key that is disabled, in another account or missing: the message names line, key and stage; nothing changes."""
    arn = fleece_aws.kms_key("disabled")
    fleece_aws.client("kms").disable_key(KeyId=arn)
    before = imported.path.read_bytes()
    result = imported("import", stdin=OPEN.replace("key: p", f"key: {key}"))
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: <stdin>:8: config.password.+prod (stage prod): cannot be encrypted with")
    assert key in result.stderr
    assert told in result.stderr
    assert imported.path.read_bytes() == before


def test_a_key_that_was_disabled_since(imported, fleece_aws):
    """What can no longer be decrypted is named with its line, key and stage."""
    kms = fleece_aws.client("kms")
    kms.disable_key(KeyId=kms.describe_key(KeyId="alias/p")["KeyMetadata"]["KeyId"])
    for arguments in (["export"], ["render", "prod"]):
        result = imported(*arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith(
            "Error: config.yml:8: config.password.+prod (stage prod): cannot be decrypted: "
        )
        assert "(the stage's key is 'p')" in result.stderr


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(failing=st.integers(0, 29), code=st.sampled_from(["ThrottlingException", "AccessDeniedException"]))
def test_kms_that_fails_at_any_call(imported, fleece_aws, failing, code):
    """Throttling at any call is waited out; a refusal at any call changes nothing and names the value."""
    before = imported.path.read_bytes()
    many = OPEN + "".join(f"  v{i}: {{+prod: ':encrypt:{i}'}}\n" for i in range(30))
    plaintext = base64.b64encode(str(failing).encode()).decode()
    fleece_aws.fail(
        "kms", "Encrypt", times=1, code=code, status=400, when=lambda call: plaintext in str(call.parameters)
    )
    result = imported("import", stdin=many)
    if code == "ThrottlingException":
        assert result.exit_code == 0, result
        imported.path.write_bytes(before)
    else:
        assert result.exit_code == 1
        assert f"config.v{failing}.+prod (stage prod): cannot be encrypted with the key 'p'" in result.stderr
        assert imported.path.read_bytes() == before


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(failing=st.integers(0, 19), code=st.sampled_from(["ThrottlingException", "AccessDeniedException"]))
def test_kms_that_fails_at_any_call_of_render(imported, fleece_aws, failing, code):
    """Throttling at any call is waited out; a refusal at any call writes no value, and names the one refused."""
    many = OPEN + "".join(f"  v{i}: {{+prod: ':encrypt:secret-{i}'}}\n" for i in range(20))
    assert imported("import", stdin=many).exit_code == 0
    ciphertext = re.search(rf"v{failing}: .*:decrypt:([^']+)", imported.path.read_text())[1]
    fleece_aws.fail(
        "kms", "Decrypt", times=1, code=code, status=400, when=lambda call: ciphertext in str(call.parameters)
    )
    result = imported("render", "prod")
    if code == "ThrottlingException":
        assert (result.exit_code, f"v{failing}: secret-{failing}\n" in result.stdout) == (0, True)
    else:
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"config.v{failing}.+prod (stage prod): cannot be decrypted: {code}" in result.stderr
        assert "(the stage's key is 'p')" in result.stderr


def test_long_work_shows_how_far_it_is(imported, monkeypatch):
    """Where KMS takes its time, stderr counts the values: on a terminal in a bar, here in plain lines."""
    monkeypatch.setattr("fleece.cli._progress.PATIENCE", -1)
    assert imported("import", "--reencrypt", stdin=OPEN).stderr == "Encrypting: 1 of 2\nEncrypting: 2 of 2\n"
    assert imported("export").stderr == "Decrypting: 1 of 2\nDecrypting: 2 of 2\n"


def test_the_mode_of_the_file_is_kept(imported):
    """Replacing the file keeps its mode."""
    imported.path.chmod(0o640)
    assert imported("import", stdin=OPEN.replace("bar", "baz")).exit_code == 0
    assert stat.S_IMODE(imported.path.stat().st_mode) == 0o640


def test_another_key_needs_any_key(imported):
    """A ciphertext of another key than the stage's is an error that names both, unless --any-key is given."""
    imported.path.write_text(imported.path.read_text().replace("key: p", "key: d"))
    refused = imported("render", "prod")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: config.yml:8: config.password.+prod (stage prod): cannot be decrypted")
    assert "arn:aws:kms:" in refused.stderr
    assert imported("render", "prod", "--any-key", "--json").json["password"] == "prod-secret"


def test_reencrypt(imported, fleece_aws):
    """--reencrypt --stage encrypts the secrets of that stage anew, and no others."""
    before = imported.path.read_text().splitlines()
    assert imported("import", "--reencrypt", "--stage", "prod", stdin=OPEN).exit_code == 0
    after = imported.path.read_text().splitlines()
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert [line.strip()[:6] for line in changed] == ["+prod:"]


def test_an_empty_name_is_not_every_stage(imported):
    """What is meant by --stage "$STAGE" without such a variable is an error, and not to encrypt all anew."""
    result = imported("import", "--reencrypt", "--stage", "", stdin=OPEN)
    assert (result.exit_code, result.stderr) == (2, "Error: <stdin>: the name of the stage is empty\n")


def test_one_stage_without_the_rights_of_the_other(imported, fleece_aws):
    """With rights on one key only, its stage is exported and imported; the rest stays closed and survives."""
    before = imported.path.read_bytes()
    fleece_aws.deny("kms:Decrypt", when=lambda call: "alias/p" in json.dumps(call.parameters, default=str))
    opened = imported("export", "--stage", "any").stdout
    assert ":encrypt:dev-secret" in opened
    assert "+prod: :decrypt:" in opened
    assert imported("import", stdin=opened).exit_code == 0
    assert imported.path.read_bytes() == before
    everything = imported("export")
    assert everything.exit_code == 1
    assert "config.password.+prod (stage prod)" in everything.stderr


@pytest.fixture
def two_accounts(imported, fleece_aws, fleece_environments, open_text):
    """A configuration whose stages are in two accounts, each with keys and a user of its own."""
    fleece_aws.kms_key("p", account=OTHER)
    static = {}
    for name, account in {"production": OTHER, "development": fleece_aws.account}.items():
        iam = fleece_aws.client("iam", account=account)
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        given = {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}
        static[name] = {"account": account, "provider": "static", **given}
    fleece_environments(**static)
    assert imported("import", "--reencrypt", stdin=open_text).exit_code == 0
    imported.static = static
    return imported


@pytest.mark.parametrize("lacking", ["rights", "credentials"])
def test_credentials_for_one_stage_only(two_accounts, fleece_aws, fleece_environments, lacking):
    """Who has credentials for one stage works with that; the message about another names its place, stage and key."""
    before = two_accounts.path.read_bytes()
    if lacking == "rights":
        fleece_aws.deny("kms:*", when=lambda call: "alias/p" in str(call.parameters))
    else:
        fleece_environments(**two_accounts.static | {"production": {"provider": "profile", "profile": "nowhere"}})
    opened = two_accounts("export", "--stage", "any").stdout
    assert two_accounts("import", stdin=opened).exit_code == 0
    assert two_accounts.path.read_bytes() == before
    assert two_accounts("import", stdin=opened.replace("dev-secret", "another")).exit_code == 0
    assert two_accounts("render", "any", "--json").json["password"] == "another"
    before = two_accounts.path.read_bytes()
    refused = [
        two_accounts("export"),
        two_accounts("import", stdin=re.sub("prod: :decrypt:.*", "prod: :encrypt:x", opened)),
    ]
    for result in refused:
        assert result.exit_code in {1, 2}
        assert "config.password.+prod (stage prod): " in result.stderr
        assert "key" in result.stderr
        assert "'p'" in result.stderr
    assert two_accounts.path.read_bytes() == before


def test_lint_with_credentials_for_one_stage_only(two_accounts, fleece_aws, fleece_environments):
    """What can be told without the others is told, then what is lacking, and it ends as one that cannot tell all."""
    fleece_aws.deny("kms:Decrypt", when=lambda call: "alias/p" not in str(call.parameters))
    fleece_environments(**two_accounts.static | {"production": {"provider": "profile", "profile": "nowhere"}})
    with two_accounts.path.open("a") as file:
        file.write("  token: hunter2\n")
    result = two_accounts("lint")
    assert result.exit_code == 2
    first, *others, last = result.stdout.splitlines()
    assert "config.password.+/.*/ (stage /.*/): cannot be decrypted: AccessDenied" in first
    assert not any("stage prod" in line for line in [first, *others, last])
    assert last.endswith("[looks-secret]")
    (told,) = result.stderr.splitlines()
    assert told.startswith("Error: config.yml:8: config.password.+prod (stage prod): the key 'p' cannot be used: ")
    assert "there is no AWS profile 'nowhere'" in told
    as_json = two_accounts("lint", "--json", "--ignore", "cannot-decrypt")
    assert as_json.exit_code == 2
    assert [finding["rule"] for finding in as_json.json["findings"]] == ["looks-secret"]
    assert two_accounts("lint", "--no-decrypt").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("render", "prod", "--python", "--encrypt"), "Give only one of"),
        (("render", "prod", "--json", "--python"), "Give only one of"),
        (("render", "prod", "--json", "--parameter-store", "/p"), "Give only one of"),
        (("render", "prod", "--ssm-kms-key", "p"), "go with --parameter-store"),
        (("render", "prod", "--dry-run"), "go with --parameter-store"),
        (("import", "--stage", "prod"), "--stage goes with --reencrypt"),
        (("import", "open.yml"), "'open.yml': the configuration is read from stdin, as in: fleece config import <"),
        (("export", "--stage", "a" * 65), "65 characters"),
        (("-c", "absent.yml", "export"), "absent.yml: no such file"),
        (("-e", "absent.yml", "export"), "absent.yml: no such file; name one with --environments"),
        (("render", ""), "the name of the stage is empty"),
        (("render", "prod", "-e", ""), "no environment ''"),
    ],
)
def test_wrong_usage(imported, arguments, message):
    """Options that make no sense together, and what is not there, exit with 2."""
    result = imported(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_unknown_stage(config):
    """A stage that no definition matches exits with 2 and lists those that there are."""
    config.path.write_text("stages: {prod: {environment: production, key: p}}\nconfig: {}\n")
    result = config("render", "dev")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: config.yml: there is no stage 'dev'; the stages are prod\n",
    )


def test_a_stage_without_a_value(config):
    """A value that has nothing for the stage fails, with its line and key."""
    config.path.write_text("stages: {/.*/: {environment: production, key: p}}\nconfig: {a: {+prod: 1}}\n")
    result = config("render", "dev")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: config.yml:2: config.a has no value for the stage 'dev'; give it one\n",
    )


@pytest.mark.parametrize("options", [(), ("--parameter-store", "/p")])
def test_what_is_still_open_is_not_rendered(config, options):
    """A secret that nobody has encrypted yet is an error that says how to, though it could be shown as it is."""
    config.path.write_text(OPEN)
    result = config("render", "prod", *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: config.yml:8: config.password.+prod (stage prod): is not encrypted; "
        "run: fleece config -c config.yml import < config.yml\n"
    )


def test_json_that_loses_comments_warns(imported):
    """JSON with another key than the file that is there is written as new YAML, with a warning."""
    data = imported("export", "--json").json
    data["config"]["new"] = 1
    result = imported("import", stdin=json.dumps(data))
    assert result.exit_code == 0
    assert "Warning: the JSON differs from config.yml in more than values: the comments there are lost" in result.stderr
    assert imported("export", "--json").json == data


def test_main_of_1_2_1(config):
    """``fleece.cli.config.main`` takes the arguments, as in 1.2.1."""
    code = "from fleece.cli.config import main; main(['render', 'prod', '--json'])"
    config.path.write_text("stages: {prod: {environment: production, key: p}}\nconfig: {a: 1}\n")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=config.path.parent, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"a": 1}


def test_a_killed_import_leaves_a_whole_file(imported, fleece_aws):
    """Killed while it waits for KMS, an import leaves the old file."""
    before = imported.path.read_bytes()
    fleece_aws.delay("kms", "Encrypt", seconds=30)
    process = subprocess.Popen(
        [sys.executable, "-m", "fleece", "config", "import"],
        stdin=subprocess.PIPE,
        cwd=imported.path.parent,
        env=imported.cli.environment(),
    )
    process.stdin.write(OPEN.replace("-secret", "-other").encode())
    process.stdin.close()
    while not any(call.operation == "Decrypt" for call in fleece_aws.calls("kms")):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert imported.path.read_bytes() == before
