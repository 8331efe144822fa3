"""The command as people run it, on emulated AWS."""

import base64
import io
import json
import os
import signal
import stat
import subprocess
import sys

import pytest

from fleece.cli.config import closed, document
from fleece.cli.config.keys import KMS
from fleece.cli.config.source import Source
from fleece.cli.main import exit_code_of
from fleece_testing.command_line import Result

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


class Run:
    """Runs ``fleece config`` in this process, which takes a tenth of the time of a child."""

    def __init__(self, cli, monkeypatch, capsys):
        self.cli = cli
        self.path = cli.folder / "config.yml"
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments, stdin=""):
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        self._capsys.readouterr()
        code = exit_code_of(["config", *arguments])
        return Result(arguments, *self._capsys.readouterr(), code)


@pytest.fixture
def config(fleece_cli, fleece_environments, fleece_aws, monkeypatch, capsys):
    """Run ``fleece config`` in a folder with two environments on the emulator, whose keys are there."""
    fleece_environments(production={"provider": "environment"}, development={"provider": "environment"})
    fleece_aws.kms_key("p")
    fleece_aws.kms_key("d")
    monkeypatch.chdir(fleece_cli.folder)
    monkeypatch.delenv("AWS_ENDPOINT_URL")  # the command takes endpoints from environments.yml alone
    return Run(fleece_cli, monkeypatch, capsys)


@pytest.fixture
def imported(config, fleece_aws):
    """Close `OPEN` into the folder, without the command, whose clients take a while to make."""
    keys = KMS(lambda _environment, _key: fleece_aws.client("kms"))
    config.path.write_bytes(closed.import_(document.parse(Source("open.yml", OPEN)), None, keys).encode())
    return config


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
    assert imported("render", "--json", "anything").json()["password"] == "dev-secret"


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
        (OPEN.replace("key: p", "key: absent"), "config.password.+prod (stage prod) cannot be encrypted"),
        (OPEN.replace("environment: production", "environment: nope"), "no environment 'nope'"),
    ],
    ids=["empty", "incomplete", "comment", "in clear", "no such key", "no such environment"],
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
    assert imported("render", "prod", "--any-key", "--json").json()["password"] == "prod-secret"


def test_reencrypt(imported, fleece_aws):
    """--reencrypt --stage encrypts the secrets of that stage anew, and no others."""
    before = imported.path.read_text().splitlines()
    assert imported("import", "--reencrypt", "--stage", "prod", stdin=OPEN).exit_code == 0
    after = imported.path.read_text().splitlines()
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert [line.strip()[:6] for line in changed] == ["+prod:"]


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


def test_encrypted_output_joins_to_the_json(imported, fleece_aws):
    """--encrypt gives ciphertexts, each of text that stands by itself, which joined are the configuration."""
    long = OPEN + f"  long: {'é😀' * 2000}\n"
    assert imported("import", stdin=long).exit_code == 0
    pieces = imported("render", "prod", "--encrypt").json()
    kms = fleece_aws.client("kms")
    plain = [kms.decrypt(CiphertextBlob=base64.b64decode(piece))["Plaintext"] for piece in pieces]
    assert len(pieces) > 1
    assert max(map(len, plain)) <= 4096
    assert json.loads("".join(part.decode() for part in plain)) == imported("render", "prod", "--json").json()


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
    assert json.loads(done.stdout) == imported("render", "prod", "--json").json()


def test_parameter_store(imported, fleece_aws):
    """The values are written once; then only what differs in value or key; a dry run writes nothing."""
    render = ("render", "prod", "--parameter-store", "/svc")
    planned = imported(*render, "--dry-run")
    assert planned.stdout == "/svc/foo (new)\n/svc/password (new)\n/svc/nested/numbers (new)\n/svc/nested/on (new)\n"
    assert fleece_aws.calls("ssm", "PutParameter") == []
    first = imported(*render)
    assert (first.exit_code, first.stdout) == (0, "")
    assert "Writing /svc/nested/numbers...\n" in first.stderr
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
    assert imported("render", "prod", "-e", "development", "--json").json()["password"] == "prod-secret"
    assert imported("render", "prod", "-e", "nope").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("render", "prod", "--python", "--encrypt"), "Give one of"),
        (("render", "prod", "--dry-run"), "go with --parameter-store"),
        (("import", "--stage", "prod"), "--stage goes with --reencrypt"),
        (("export", "--stage", "a" * 65), "65 characters"),
        (("-c", "absent.yml", "export"), "absent.yml: no such file"),
        (("-e", "absent.yml", "export"), "absent.yml: no such file; name one with --environments"),
        (("render", ""), "the name of the stage is empty"),
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
    """A value that has nothing for the stage fails, with its key."""
    config.path.write_text("stages: {/.*/: {environment: production, key: p}}\nconfig: {a: {+prod: 1}}\n")
    result = config("render", "dev")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: config.yml: config.a has no value for the stage 'dev'; give it one\n",
    )


def test_json_that_loses_comments_warns(imported):
    """JSON with another key than the file that is there is written as new YAML, with a warning."""
    data = imported("export", "--json").json()
    data["config"]["new"] = 1
    result = imported("import", stdin=json.dumps(data))
    assert result.exit_code == 0
    assert "Warning: the JSON differs from config.yml in more than values: the comments there are lost" in result.stderr
    assert imported("export", "--json").json() == data


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
