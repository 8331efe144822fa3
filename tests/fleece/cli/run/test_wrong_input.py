"""Everything that ``fleece run`` can be asked and cannot do: the message and the exit code of each."""

import os
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fleece_testing.command_line import write_environments

ACCOUNT = "123456789012"
NO_USER = "no credentials: the Rackspace user name is missing"
ONE_OF = "Give one of COMMAND, --export and --credential-process."
HELP = " See 'fleece run --help'."
DASHES = "put -- before the command, as in: fleece run -e dev -- aws s3 ls"
ENVIRONMENT = {"provider": "static"}
WITHOUT_LOGIN = {"RS_USERNAME": None, "RS_API_KEY": None}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write files that nothing can be done with."""
    folder = tmp_path_factory.mktemp("wrong")
    write_environments(folder, "http://127.0.0.1:1", {"local": ENVIRONMENT})
    (folder / "lost.yml").write_text("environments: []\nstages:\n  prod: {environment: nope}\n")
    (folder / "loop.yml").write_text(
        "environments: [{name: a, account: '123456789012'}]\nstages: {/(a+)+b/: {environment: a}}"
    )
    (folder / "unquoted.yml").write_text("environments:\n- {name: dev, account: 012345670123}\n")
    (folder / "huge.yml").write_bytes(b"# filler\n" * 200_000)
    (folder / "binary.yml").write_bytes(b"\x7fELF\xff\xfe\x00")
    (folder / "aliases.yml").write_text("environments: &a [*a]\n")
    (folder / "empty.yml").write_text("")
    (folder / "empty-key").write_text("\n")
    (folder / "two-keys").write_text("one\ntwo\n")
    (folder / "long-key").write_text("k" * 1025)
    (folder / "nul-key").write_bytes(b"key\0")
    (folder / "binary-key").write_bytes(b"\xff\xfe")
    (folder / "folder").mkdir()
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        # which account
        (["x"], f"Give one of --account, --environment and --stage.{HELP}"),
        (["-a", ACCOUNT, "-e", "local", "x"], f"--account cannot be used with --environment.{HELP}"),
        (["-a", ACCOUNT, "-s", "prod", "x"], f"--account cannot be used with --stage.{HELP}"),
        (["-e", "local", "-s", "prod", "x"], f"--environment cannot be used with --stage.{HELP}"),
        (
            ["-e", "local", "-r", "Deploy", "x"],
            f"--environment cannot be used with --role: the environment's own 'role' is assumed.{HELP}",
        ),
        (["-e", "nope", "x"], "environments.yml: no environment 'nope'; it has 'local'"),
        (["-e", "locla", "x"], "environments.yml: no environment 'locla'; did you mean 'local'?"),
        (["-e", "", "x"], "environments.yml: no environment ''; it has 'local'"),
        (["-s", "nope", "x"], "environments.yml: no stage 'nope'; it has none"),
        (["-s", "", "x"], "environments.yml: the name of the stage is empty"),
        (
            ["-s", "x" * 65, "x"],
            f"the stage '{'x' * 20}'... has 65 characters, 64 at most are allowed",
        ),
        (["-c", "lost.yml", "-s", "prod", "x"], "lost.yml: no environment 'nope'; it has none"),
        *(
            (
                ["-a", account, "x"],
                f"Invalid value for --account: {account!r} must be the 12 digits of an AWS account.{HELP}",
            )
            for account in ("1234", "", "1234567890123", " 123456789012", "\uff10" * 12)
        ),
        *(
            (
                ["-a", ACCOUNT, "-r", role, "x"],
                f"Invalid value for --role: {role!r} must be the name or the ARN of a role.{HELP}",
            )
            for role in ("a b", "", "arn:aws:iam::1:role/x", "arn:aws:iam::123456789012:user/x")
        ),
        *(
            (
                ["--role-session-name", name, "-a", ACCOUNT, "-r", "Deploy", "x"],
                f"Invalid value for --role-session-name: {name!r} must be 2 to 64 letters, digits and _+=,.@-.{HELP}",
            )
            for name in ("a b", "", "a", "a" * 65)
        ),
        # the file
        (["-c", "nope.yml", "-e", "local", "x"], "nope.yml: no such file; name one with --config"),
        (["-c", "", "-e", "local", "x"], ".: is a folder; name a file with --config"),
        (
            ["-c", "folder", "-e", "local", "x"],
            f"Invalid value for '-c' / '--config': File 'folder' is a directory.{HELP}",
        ),
        # the login
        (
            ["-a", ACCOUNT, "x"],
            f"{NO_USER}; give --username, or set RS_USERNAME, or use an environment of another 'provider'",
        ),
        (
            ["-u", "me", "-a", ACCOUNT, "x"],
            "no credentials: the Rackspace API key of me is missing; give --apikey-file, or set RS_API_KEY",
        ),
        (
            ["-u", "me", "-a", ACCOUNT, "--credential-process"],
            "no credentials: the Rackspace API key of me is missing; give --apikey-file, or set RS_API_KEY",
        ),
        (
            ["-k", "x", "--apikey-file", "two-keys", "-e", "local", "x"],
            f"Give --apikey or --apikey-file, not both.{HELP}",
        ),
        (
            ["-u", "me", "--username-file", "two-keys", "-e", "local", "x"],
            f"Give --username or --username-file, not both.{HELP}",
        ),
        (
            ["--username-file", "two-keys", "-a", ACCOUNT, "x"],
            f"Invalid value for --username-file: two-keys has more in it than a user name.{HELP}",
        ),
        *(
            (
                ["--apikey-file", name, "-u", "me", "-a", ACCOUNT, "x"],
                f"Invalid value for {option}: {problem}.{HELP}",
            )
            for name, option, problem in (
                ("nope", "'--apikey-file'", "File 'nope' does not exist"),
                ("folder", "'--apikey-file'", "File 'folder' is a directory"),
                ("empty-key", "--apikey-file", "empty-key is empty"),
                ("two-keys", "--apikey-file", "two-keys has more in it than an API key"),
                ("long-key", "--apikey-file", "long-key has more in it than an API key"),
                ("nul-key", "--apikey-file", "nul-key has more in it than an API key"),
                ("/dev/zero", "--apikey-file", "/dev/zero has more in it than an API key"),
                ("binary-key", "--apikey-file", "binary-key is not text in UTF-8"),
                ("/proc/self/mem", "--apikey-file", "/proc/self/mem cannot be read: Input/output error"),
            )
        ),
        # the command
        (["-e", "local"], ONE_OF + HELP),
        (["-e", "local", "--"], ONE_OF + HELP),
        (["-e", "local", "--export", "json", "x"], ONE_OF + HELP),
        (["-e", "local", "--credential-process", "--", "x"], ONE_OF + HELP),
        (["-e", "local", "--export", "json", "--credential-process"], ONE_OF + HELP),
        (
            ["--export", "xml", "-e", "local"],
            f"Invalid value for '--export': 'xml' is not one of 'env', 'json', 'powershell'.{HELP}",
        ),
        (["-e", "local", "git", "log", "--", "x"], f"Unexpected 'git' before --: {DASHES}.{HELP}"),
        (["echo", "a", "-e", "local"], f"Options among the words of a command: {DASHES}.{HELP}"),
        (["-e", "local", " "], f"The command to run is empty.{HELP}"),
        (["-e", "local", ""], f"The command to run is empty.{HELP}"),
        (["-e", "local", "x\0"], "an argument has a NUL character in it"),
    ],
)
def test_wrong_usage(fleece_cli, folder, monkeypatch, arguments, message):
    """Each mistake has its own message of one line, and is exit 2."""
    monkeypatch.setattr(fleece_cli, "folder", folder)
    result = fleece_cli("run", *arguments, env=WITHOUT_LOGIN, in_process=True)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"Error: {message}\n")


@pytest.mark.parametrize(("option", "shown"), [("-e", "'-e'"), ("--apikey-file", "'--apikey-file'")])
def test_an_option_without_its_value(emulator, option, shown):
    """An option that ends the line where its value should be is told."""
    result = emulator("run", option, in_process=True)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: Option {shown} requires an argument.")


@pytest.mark.parametrize("arguments", [["ls", "--color"], ["--nope", "ls"]])
def test_an_option_of_the_commands(emulator, arguments):
    """What is no option of fleece's might be the command's, and the message says how to write that."""
    result = emulator("run", "-e", "local", *arguments, in_process=True)
    assert result.exit_code == 2
    assert "No such option" in result.stderr
    assert result.stderr.endswith(f" If it is the command's, {DASHES}.{HELP}\n")


def test_an_api_key_in_the_arguments(fleece_cli, folder, monkeypatch):
    """``--apikey`` works, with a warning that others can see it, which does not repeat it."""
    monkeypatch.setattr(fleece_cli, "folder", folder)
    result = fleece_cli("run", "-k", "hunter2", "-e", "local", "--export", "json", in_process=True)
    assert result.exit_code == 0
    assert result.stderr == (
        "Warning: other users of this machine can see --apikey: use --apikey-file, or set RS_API_KEY\n"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unquoted.yml", "unquoted.yml:2:24: 'account' must be a string: put it in quotes"),
        ("empty.yml", "empty.yml: is empty; it needs 'environments:'"),
        ("binary.yml", "binary.yml: is not a text file in UTF-8"),
        ("huge.yml", "huge.yml: is larger than 1 MiB, which cannot be a list of environments"),
        ("/dev/zero", "/dev/zero: is larger than 1 MiB, which cannot be a list of environments"),
        ("aliases.yml", "aliases.yml:1:15: an environment must be a mapping of keys to values"),
        ("loop.yml", "the stage /(a+)+b/ "),
    ],
)
@pytest.mark.parametrize(("how", "code"), [(["--", "true"], 125), (["--export", "env"], 1)])
def test_a_mistake_in_the_file(fleece_cli, folder, monkeypatch, name, message, how, code):
    """A mistake in ``environments.yml`` is a failure with its place."""
    monkeypatch.setattr(fleece_cli, "folder", folder)
    result = fleece_cli("run", "-c", name, "-s", "ab", *how, in_process=True)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (code, "", 1)
    assert result.stderr.startswith(f"Error: {message}")


@pytest.mark.parametrize(
    ("keys", "variables", "code", "message"),
    [
        (
            {"provider": "profile", "profile": "nope"},
            {},
            2,
            "there is no AWS profile 'nope': see `aws configure list-profiles`",
        ),
        (
            {"provider": "environment"},
            {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
            2,
            (
                "'provider: environment' takes the AWS variables as they are: "
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ),
        ),
        (
            {},
            {"FLEECE_IDENTITY_URL": "http://identity.example"},
            2,
            (
                "FLEECE_IDENTITY_URL: 'http://identity.example' must begin with https:// "
                "(plain http is for this machine alone, as in http://127.0.0.1:4566)"
            ),
        ),
        (
            {"role": "Deploy"},
            {"AWS_ROLE_SESSION_NAME": "a b"},
            2,
            "the role session name 'a b' must be 2 to 64 letters, digits and _+=,.@-",
        ),
        (
            {"account": "999999999999"},
            {},
            125,
            "FAWS has no AWS account 999999999999 for this user: check its number and the user",
        ),
        (
            {},
            {"RS_API_KEY": "wrong-key"},
            125,
            "Rackspace Identity refuses the API key of 'fleece': check the user name and the key",
        ),
        (
            {},
            {"FLEECE_FAWS_URL": "http://127.0.0.1:1"},
            125,
            (
                "FAWS cannot be reached at http://127.0.0.1:1/v0/awsAccounts/123456789012/credentials "
                "(ConnectionError): try again"
            ),
        ),
    ],
)
def test_credentials_that_cannot_be_had(fleece_cli, fleece_environments, fleece_aws, keys, variables, code, message):
    """What is missing or no good is told; printing in place of running, a failure is 1 and not 125."""
    fleece_environments(dev=keys)
    command = ["run", "--no-cache", "-e", "dev"]
    for how, expected in (["--", "true"], code), (["--credential-process"], 1 if code == 125 else code):
        result = fleece_cli(*command, *how, env={"AWS_CONFIG_FILE": os.devnull, **variables}, in_process=True)
        assert (result.exit_code, result.stdout, result.stderr) == (expected, "", f"Error: {message}\n")


@pytest.mark.parametrize(
    ("config", "variables", "told"),
    [
        ("", {"AWS_REGION": "../evil"}, "Provided region_name '../evil' doesn't match a supported format"),
        ("[broken\nx", {}, "Unable to parse config file"),
        ("", {"AWS_DEFAULTS_MODE": "zz"}, "zz"),
    ],
)
def test_settings_of_aws_that_cannot_be_used(fleece_cli, config, variables, told):
    """A mistake in the shell's variables for AWS, or in ``~/.aws/config``, is wrong usage and told as it is."""
    write_environments(fleece_cli.folder, "http://127.0.0.1:1", {"local": {**ENVIRONMENT, "role": "Deploy"}})
    (fleece_cli.folder / "aws").write_text(config)
    result = fleece_cli(
        "run", "-e", "local", "--", "true", env={"AWS_CONFIG_FILE": "aws", **variables}, in_process=True
    )
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: the settings of AWS in the shell or in ~/.aws/config cannot be used: ")
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_no_home(fleece_cli, fleece_rackspace, fleece_environments):
    """A user without a home folder, as in many containers, gets credentials all the same: they are not kept."""
    fleece_environments(dev={})
    nobody = "import os; os.getuid = lambda: 54321"
    run = "from fleece.cli.main import main; main(['run', '-e', 'dev', '--', 'true'])"
    done = subprocess.run(
        [sys.executable, "-c", f"{nobody}; {run}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=fleece_cli.folder,
        env=fleece_cli.environment({"HOME": None, "XDG_CACHE_HOME": None}),
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_certificates_that_are_not_there(fleece_cli, fleece_environments, fleece_rackspace):
    """A wrong ``REQUESTS_CA_BUNDLE`` is told as what it is."""
    fleece_environments(dev={})
    variables = {"FLEECE_IDENTITY_URL": "https://127.0.0.1:1", "REQUESTS_CA_BUNDLE": "/nowhere.pem"}
    result = fleece_cli("run", "-e", "dev", "--", "true", env=variables)
    assert result.exit_code == 125
    assert result.stderr.startswith("Error: Rackspace Identity cannot be asked: ")
    assert "/nowhere.pem" in result.stderr


def test_characters_that_no_program_can_be_given(emulator):
    """A value with a NUL, which YAML can write, is told; the value, a secret, is not."""
    write_environments(
        emulator.folder, "http://127.0.0.1:1", {"local": {**ENVIRONMENT, "secret_access_key": "hunter2\0"}}
    )
    result = emulator("run", "-e", "local", "--", "true")
    assert result.exit_code == 125
    assert result.stderr == (
        "Error: true: an argument or a variable has a character that no program can be given: "
        "NUL, or one that the locale has no bytes for\n"
    )


def test_a_folder_that_has_gone(emulator, tmp_path):
    """Where the working folder was removed, what needs no file there works."""
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    run = [sys.executable, "-m", "fleece", "run", "-c", emulator.folder / "environments.yml", "-e", "local"]
    for command, code in ((["true"], 0), (["./true"], 127)):
        gone.mkdir(exist_ok=True)
        done = subprocess.run(
            ["sh", "-c", script, "sh", gone, *run, "--", *command],
            capture_output=True,
            check=False,
            env=emulator.environment(),
        )
        assert done.returncode == code
        assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("variables", [{}, {"LC_CTYPE": "C"}, {"LC_CTYPE": "C.UTF-8"}, {"LANG": "C"}, {"LC_ALL": "C"}])
def test_no_variables_but_these(emulator, variables):
    """In an empty environment the system's own programs are found, and get no variable that Python sets for itself."""
    done = subprocess.run(
        [sys.executable, "-m", "fleece", "run", "-e", "local", "--", "env"],
        capture_output=True,
        text=True,
        check=True,
        cwd=emulator.folder,
        env=variables,
    )
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    given = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    assert found == given | variables


def test_names_that_are_not_ascii(emulator):
    """In the C locale, names and arguments beyond ASCII work all the same."""
    write_environments(emulator.folder, "http://127.0.0.1:1", {"größe": ENVIRONMENT})
    result = emulator(
        "run", "-e", "größe", "--", "printf", "%s", "größe", env={"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": None}
    )
    assert (result.exit_code, result.stdout) == (0, "größe")


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.sampled_from([b"-e", b"local", b"-a", b"-u", b"--", b"-r", b"\xff", b"", b"-", b"--x", b"-k"]), max_size=6
    )
)
def test_no_arguments_end_in_a_traceback(emulator, arguments):
    """Whatever the arguments are, the end is an exit code of the table and no traceback."""
    result = emulator("run", *arguments, env={"RS_API_KEY": None, "FLEECE_IDENTITY_URL": "http://127.0.0.1:1"})
    assert result.exit_code in {0, 2, 125, 126, 127}
    assert "Traceback" not in result.stderr
    assert "unexpected" not in result.stderr
