"""``fleece config lint``: each rule, what it leaves alone, and the exit codes for CI."""

import subprocess
import sys

import pytest
from hypothesis import given, settings, strategies as st

from fleece.cli import stages as stage_names
from fleece.cli.config import closed, document
from fleece.cli.config.examples import examples
from fleece.cli.config.lint import lint
from fleece.cli.config.suspicion import suspicion


def rules(findings):
    return [(finding.rule, finding.severity) for finding in findings]


@pytest.mark.parametrize(
    ("stages", "found"),
    [
        ("{/dev-.*/: &s {environment: e, key: k}, /.*/: *s}", [("overlapping-stages", "warning")]),
        ("{/a.*/: &s {environment: e, key: k}, /.*b/: *s}", [("overlapping-stages", "warning")]),
        ("{'/dev-[0-9]+/': &s {environment: e, key: k}, '/prod-[^x]{2}/': *s, /(qa|it)?/: *s}", []),
        ("{'/(?i)[^a]\\d\\s\\b/': &s {environment: e, key: k}, prod: *s}", []),
    ],
)
def test_overlapping_stages(read, stages, found):
    """Two expressions that match the same name are told; those that exclude each other are not."""
    assert rules(lint(read("a: 1", stages=f"stages: {stages}\n")).findings) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: {+prod: 1}", [("missing-value", "warning")]),
        ("a: {+dev: 1}", [("missing-value", "error"), ("missing-value", "warning")]),
        ("a: {+/.*/: 1}", []),
        ("a: {+prod: '', +/.*/: ~}", []),
        ("a: {+prod: 1, +/x.*/: 1, +/.*/: 1}", [("unknown-expression", "warning")]),
    ],
)
def test_values_by_stage(read, text, found):
    """A value that a stage lacks, and an expression that is no stage's, are told."""
    assert rules(lint(read(text)).findings) == found


def test_a_name_that_means_another_stage(read):
    """An expression lacks no value for a name that means a stage before it, which is told once, for that stage."""
    there = read("a: {+pro: 1}", stages="stages: {prod: &s {environment: e, key: k}, /prod?/: *s}\n")
    assert [(one.severity, one.message) for one in lint(there).findings] == [
        ("error", "config.a has no value for the stage 'prod'")
    ]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("config", "db_password"), "hunter2", "a secret by its name"),
        (("config", "dbPassword"), "hunter2", "a secret by its name"),
        (("config", "API-KEY"), "0123abc", "a secret by its name"),
        (("config", "token", "+prod"), "0123abc", "a secret by its name"),
        (("config", "users", 0, "password1"), "x1", "a secret by its name"),
        (("config", "a"), "x AKIAIOSFODNN7EXAMPLE", "an AWS access key"),
        (("config", "a"), "-----BEGIN RSA PRIVATE KEY-----\nMII", "a private key"),
        (("config", "url"), "postgres://me:pw@host/db", "an address with a password"),
        (("config", "a"), "ghp_" + "a1" * 18, "a GitHub token"),
        (("config", "db"), "Server=x;Uid=me;Pwd=hunter2;", "settings with a password"),
        (("config", "db"), "jdbc:mysql://host/db?user=me&password=hunter2", "settings with a password"),
        (("config", "aws", "secretKey"), "hunter2", "a secret by its name"),
        (("config", "passwords", 1), "hunter2", "a secret by its name"),
        (("config", "url"), "postgres://${USER}:${PASSWORD}@host/db", None),
        (("config", "db"), "Uid=me;Pwd=${PASSWORD};", None),
        (("config", "db"), "Uid=me;Pwd=;", None),
        (("config", "password"), "", None),
        (("config", "password"), 12, None),
        (("config", "password"), "${DB_PASSWORD}", None),
        (("config", "password_length"), "twelve", None),
        (("config", "secret_name"), "service/db", None),
        (("config", "token"), "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x", None),
        (("config", "private_key"), "/etc/keys/service.pem", None),
        (("config", "compass"), "north", None),
        (("config", "url"), "https://host:8080/path", None),
        (("config", "username"), "admin", None),
    ],
)
def test_plaintext_that_looks_secret(path, value, expected):
    """Passwords, tokens and keys are known by their names or forms; references, paths and other names are not."""
    assert suspicion(path, value) == expected


def test_secrets(read, keys):
    """An open secret, one in clear, a copied ciphertext and one that nobody can decrypt are told, with their lines."""
    there = document.parse(closed.import_(read("a: {+prod: ':encrypt:x', +/.*/: 1}"), None, keys))
    ciphertext = next(iter(there.secrets())).ciphertext
    text = f"""\
a: {{+prod: ':decrypt:{ciphertext}', +/.*/: 1}}
b: {{+prod: ':decrypt:{ciphertext}', +/.*/: ':decrypt:MHxvdGhlcnx4'}}
c: {{+/.*/: ':encrypt:hunter2'}}
password: hunter3
"""
    findings = lint(read(text), keys).findings
    assert [(finding.line, finding.rule, finding.severity) for finding in findings] == [
        (6, "cannot-decrypt", "error"),
        (6, "repeated-ciphertext", "warning"),
        (7, "not-encrypted", "error"),
        (8, "looks-secret", "warning"),
    ]
    assert "config.b.+/.*/ (stage /.*/): cannot be decrypted: AccessDenied" in findings[0].message
    assert findings[1].message == "config.b.+prod (stage prod): has the ciphertext of config.a.+prod (stage prod)"
    assert not any("hunter" in finding.message for finding in findings)
    assert "cannot-decrypt" not in {finding.rule for finding in lint(read(text)).findings}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["a", "-", "(b|c)", "[0-9]", r"\d", "x*", "(y+)?", ".", "[^a]", "{2}", "$", "(?=a)"])))
def test_examples_match(parts):
    """What is given as an example of an expression is matched by it."""
    stage = f"/{''.join(parts)}/"
    try:
        pattern = stage_names.compiled(stage)
    except stage_names.StageError:
        return
    assert all(pattern.fullmatch(name) for name in examples(stage))


@pytest.mark.parametrize("stage", ["/.*/", "/dev-.*/", r"/(dev|test)-\d+/", "/[^a-z]x?/", "/(?:qa|it)[0-9]{2,}/"])
def test_there_are_examples(stage):
    """Expressions that people write have examples."""
    assert examples(stage)


def git(folder, *arguments):
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    return done.stdout


@pytest.fixture
def committed(imported):
    """The closed configuration, committed to a new repository."""
    folder = imported.path.parent
    git(folder, "init", "-q")
    git(folder, "add", "config.yml")
    git(folder, "commit", "-q", "-m", "closed")
    return imported


def test_the_file_of_head_is_found_below_the_top_of_its_repository(committed):
    """The file may be in any folder of the repository, and another of its name in another."""
    folder = committed.path.parent / "service"
    folder.mkdir()
    path = folder / "config.yml"
    path.write_text(committed.path.read_text().replace("password:", "passphrase:"))
    git(folder, "add", "config.yml")
    git(folder, "commit", "-q", "-m", "another")
    assert committed("-c", "service/config.yml", "lint", "--no-decrypt").stdout == ""
    path.write_text(committed.path.read_text())
    assert "[moved-ciphertext]" in committed("-c", "service/config.yml", "lint", "--no-decrypt").stdout


def test_a_single_edit_is_one_line_of_diff(committed):
    """Changing one secret is one line in git's diff."""
    opened = committed("export").stdout
    assert committed("import", stdin=opened.replace("prod-secret", "another")).exit_code == 0
    assert git(committed.path.parent, "diff", "--numstat").split() == ["1", "1", "config.yml"]
    assert committed("import", stdin=opened.replace("prod-secret", "another")).exit_code == 0
    assert git(committed.path.parent, "diff", "--numstat").split() == ["1", "1", "config.yml"]


def test_ciphertexts_that_moved_since_head(committed):
    """A ciphertext that was another value's in git's HEAD is told."""
    text = committed.path.read_text()
    committed.path.write_text(text.replace("password:", "passphrase:"))
    result = committed("lint", "--no-decrypt")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"config.yml:{line}: warning: config.passphrase.+{stage} (stage {stage}): has the ciphertext that "
        f"config.password.+{stage} (stage {stage}) has in git [moved-ciphertext]"
        for line, stage in ((8, "prod"), (9, "/.*/"))
    ]
    assert committed("lint", "--no-decrypt", "--strict").exit_code == 1


def test_a_rule_can_be_ignored(committed):
    """``--ignore`` leaves out what that rule finds, and no other; a name that is none is refused."""
    committed.path.write_text(committed.path.read_text().replace("password:", "passphrase:") + "  token: hunter2\n")
    strict = ("lint", "--no-decrypt", "--strict")
    assert {one["rule"] for one in committed(*strict, "--json").json["findings"]} == {
        "moved-ciphertext",
        "looks-secret",
    }
    rest = committed(*strict, "--json", "--ignore", "moved-ciphertext")
    assert (rest.exit_code, [one["rule"] for one in rest.json["findings"]]) == (1, ["looks-secret"])
    assert committed(*strict, "--ignore", "moved-ciphertext", "--ignore", "looks-secret").exit_code == 0
    unknown = committed("lint", "--ignore", "moved")
    assert unknown.exit_code == 2
    assert "'moved' is not one of 'cannot-decrypt', 'looks-secret'" in unknown.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_whose_name_is_no_text(config):
    """Names of files are bytes: what is none of UTF-8 is escaped, as it is in messages."""
    (config.path.parent / "\udcff.yml").write_text("stages: {}\nconfig: {password: hunter2}\n")
    arguments = ("-c", "\udcff.yml", "lint", "--no-decrypt")
    assert config(*arguments).stdout.startswith("\\udcff.yml:2: warning: config.password: looks like a secret")
    assert config(*arguments, "--json").json["file"] == "\udcff.yml"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("users: [{pw: SECRET}]", []),
        ("users: [{pw: ''}, {pw: SECRET}]", []),
        ("users: [{pwd: SECRET}]", [("moved-ciphertext", "warning")]),
        ("others: [{pw: SECRET}]", [("moved-ciphertext", "warning")]),
    ],
)
def test_items_move_in_their_list(read, keys, text, found):
    """A ciphertext has moved when another key has it now, and not when an item was added before it."""
    head = document.parse(closed.import_(read("users: [{pw: {+prod: ':encrypt:x', +/.*/: ''}}]"), None, keys))
    (secret,) = head.secrets()
    now = read(text.replace("SECRET", f"{{+prod: '{secret.value}', +/.*/: ''}}"))
    assert rules(lint(now, head=head).findings) == found


def test_exit_codes_and_json(committed, fleece_aws):
    """Nothing found ends with 0, errors with 1, a file that cannot be read or KMS with 2; --json is one document."""
    clean = committed("lint", "--json")
    assert (clean.exit_code, clean.json) == (0, {"file": "config.yml", "findings": []})
    fleece_aws.deny("kms:Decrypt", when=lambda call: "alias/p" in str(call.parameters))
    refused = committed("lint", "--json")
    assert refused.exit_code == 1
    (finding,) = refused.json["findings"]
    message = finding.pop("message")
    assert finding == {"line": 8, "rule": "cannot-decrypt", "severity": "error"}
    assert message.startswith("config.password.+prod (stage prod): cannot be decrypted: AccessDenied")
    assert committed("lint", "--no-decrypt").exit_code == 0
    fleece_aws.fail("kms", "Decrypt", times=100, code="KMSInternalException", status=500)
    assert committed("lint").exit_code == 2
    committed.path.write_text("stages: [")
    broken = committed("lint")
    assert (broken.exit_code, broken.stdout) == (2, "")
    assert "config.yml:1" in broken.stderr
