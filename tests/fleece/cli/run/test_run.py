"""``fleece run`` as a user meets it: a real child process against Rackspace's stub and the emulated AWS."""

import os
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

SHOW = [sys.executable, "-c", "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"]
STATIC = {"provider": "static"}


def caller(fleece_aws, variables):
    """Ask the emulated AWS whose credentials these variables hold."""
    client = fleece_aws.client(
        "sts",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables["AWS_SESSION_TOKEN"],
    )
    try:
        return client.get_caller_identity()
    finally:
        client.close()


# What the command gets


def test_with_an_account(fleece_cli, fleece_rackspace, fleece_aws):
    """The call of 1.2.1's documentation works: user, key and account as options, and one word for the shell."""
    user = fleece_rackspace.user("me", "my-key")
    result = fleece_cli(
        *("run", "--username", user.name, "--apikey", user.api_key, "--account", fleece_aws.account, "env | sort"),
        env={"RS_USERNAME": None, "RS_API_KEY": None},
    )
    assert result.exit_code == 0
    variables = dict(line.split("=", 1) for line in result.stdout.splitlines())
    assert caller(fleece_aws, variables)["Account"] == fleece_aws.account
    assert result.stderr == (
        "Warning: other users of this machine can see --apikey: use --apikey-file, or set RS_API_KEY\n"
    )


def test_with_files_of_the_name_and_the_key(fleece_cli, fleece_rackspace, fleece_environments):
    """User name and API key may each be alone in a file, as containers are given them."""
    user = fleece_rackspace.user("me", "my-key")
    fleece_environments(dev={})
    (fleece_cli.folder / "name").write_text(f"{user.name}\n")
    (fleece_cli.folder / "key").write_text(f"{user.api_key}\n")
    files = ("--username-file", "name", "--apikey-file", "key")
    result = fleece_cli("run", *files, "-e", "dev", "--", "true", env={"RS_USERNAME": None, "RS_API_KEY": None})
    assert (result.exit_code, result.stderr) == (0, "")
    assert fleece_rackspace.requests[0].user == "me"


def test_with_an_environment_and_its_role(fleece_cli, fleece_environments, fleece_aws):
    """An environment's role is assumed, and the command runs in its region with its endpoint."""
    arn = fleece_aws.role("Deploy")
    fleece_environments(production={"role": "Deploy", "region": "eu-west-1"})
    _, variables = fleece_cli("run", "-e", "production", "--", *SHOW).json
    assert caller(fleece_aws, variables)["Arn"].startswith(
        arn.replace(":iam:", ":sts:").replace("role", "assumed-role")
    )
    assert variables["AWS_REGION"] == variables["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert variables["AWS_ENDPOINT_URL"] == fleece_aws.url
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", variables["AWS_CREDENTIAL_EXPIRATION"])


def test_with_a_stage(emulator):
    """A stage leads to its environment."""
    path = emulator.folder / "environments.yml"
    path.write_text(path.read_text() + "stages:\n  /dev-.*/: {environment: local}\n")
    assert emulator("run", "-s", "dev-1", "--", "echo", "hi").stdout == "hi\n"


def test_inherited_variables_that_lead_elsewhere_are_gone(fleece_cli, fleece_environments):
    """Nothing that chooses other credentials or endpoints reaches the command, and no Rackspace key."""
    fleece_environments(dev={"rs_apikey_var": "MY_KEY", "region": "eu-west-1"}, other={"rs_apikey_var": "OTHER_KEY"})
    gone = {
        "AWS_PROFILE": "p",
        "AWS_DEFAULT_PROFILE": "p",
        "AWS_SECURITY_TOKEN": "t",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "f",
        "AWS_ROLE_ARN": "r",
        "AWS_ROLE_SESSION_NAME": "name",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "t",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
        "AWS_BEARER_TOKEN_BEDROCK": "t",
        "AWS_ACCESS_KEY": "k",
        "AWS_SECRET_KEY": "k",
        "AWS_SESSION_EXPIRATION": "2090-01-01T00:00:00Z",
        "AWS_ACCOUNT_ID": "999999999999",
        "OTHER_KEY": "k",
        "MY_COPY": os.environ["RS_API_KEY"],
    }
    kept = {"AWS_REGION": "us-west-2", "AWS_CONFIG_FILE": os.devnull, "RS_USERNAME": "fleece", "LANG": "C"}
    own = {"MY_KEY": os.environ["RS_API_KEY"], "AWS_SESSION_TOKEN": "t"}
    result = fleece_cli("run", "-e", "dev", "--", *SHOW, env={**gone, **kept, **own})
    _, variables = result.json
    assert not gone.keys() & variables.keys()
    assert not {"MY_KEY", "RS_API_KEY"} & variables.keys()
    assert os.environ["RS_API_KEY"] not in result.stdout + result.stderr
    assert {name: variables[name] for name in kept} == {**kept, "AWS_REGION": "eu-west-1"}
    assert variables["AWS_SESSION_TOKEN"] != "t"


def test_inherited_endpoints_are_told(emulator):
    """An endpoint of the shell is not used, with a warning for each."""
    result = emulator(
        "run", "-e", "local", "--", *SHOW, env={"AWS_ENDPOINT_URL": "http://x", "AWS_ENDPOINT_URL_KMS": "http://y"}
    )
    _, variables = result.json
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert "AWS_ENDPOINT_URL_KMS" not in variables
    assert [line.split(":")[1].split()[0] for line in result.stderr.splitlines()] == [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_KMS",
    ]


marks = st.sampled_from([b"--", b"-e", b"local", b"--help", b"-", b"", b"*", b"$HOME", b"'", b"a\nb", b"\xff", b"\\"])
arguments = st.lists(marks | st.binary(max_size=12).map(lambda text: text.replace(b"\0", b"'")), max_size=6)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arguments)
def test_arguments_arrive_as_they_are(exact, arguments):
    """After ``--``, any arguments reach the program byte for byte: quotes, stars, dashes, broken UTF-8, nothing."""
    show = "import os, sys; sys.stdout.buffer.write(b'\\0'.join([b'', *map(os.fsencode, sys.argv[1:])]))"
    result = exact(sys.executable, "-c", show, *arguments)
    assert result.exit_code == 0
    assert os.fsencode(result.stdout) == b"".join(b"\0" + argument for argument in arguments)


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (["-e", "local", "echo a b | tr a-z A-Z"], "A B\n"),
        (["-e", "local", "echo '*' \"$0\""], "* /bin/sh\n"),
        (["echo $AWS_ACCESS_KEY_ID", "-e", "local"], "test\n"),
        (["-e", "local", "printf", "%s,", "a  b", "*"], "a  b,*,"),
        (["-e", "local", "--", "printf", "%s,", "-e", "--", "a|b", "-r"], "-e,--,a|b,-r,"),
        (["-e", "local", "--", "echo $HOME"], None),
    ],
)
def test_when_there_is_a_shell(emulator, words, output):
    """One word without ``--`` is the shell's; several words, and all after ``--``, are a program and its arguments."""
    result = emulator("run", *words)
    if output is None:
        assert (result.exit_code, result.stderr) == (127, "Error: echo $HOME: command not found\n")
    else:
        assert (result.exit_code, result.stdout) == (0, output)


def test_stdin_is_the_commands(exact):
    """What is piped into fleece is the command's."""
    assert exact("cat", stdin=b"a\xffb\0").stdout.encode("utf-8", "surrogateescape") == b"a\xffb\0"


# Printing in place of running


def test_export_for_shells(fleece_cli, fleece_environments):
    """``--export env`` is read by a POSIX shell, with whatever characters the values have."""
    fleece_environments(local={**STATIC, "secret_access_key": "a'b\"$HOME `c`\n*"})
    text = fleece_cli("run", "-e", "local", "--export", "env").stdout
    shell = subprocess.run(
        ["sh", "-c", 'eval "$1"; printf %s "$AWS_SECRET_ACCESS_KEY"', "sh", text],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stdout == "a'b\"$HOME `c`\n*"


def test_export_for_powershell(fleece_cli, fleece_environments):
    """``--export powershell`` doubles the quotes in a value; PowerShell takes typographic ones for quotes as well."""
    fleece_environments(local={**STATIC, "secret_access_key": "a'b\u2018c\u2019d\u201ae\u201bf\u201dg"})
    text = fleece_cli("run", "-e", "local", "--export", "powershell").stdout
    value = "a''b\u2018\u2018c\u2019\u2019d\u201a\u201ae\u201b\u201bf\u201dg"
    assert f"$Env:AWS_SECRET_ACCESS_KEY = '{value}'\n" in text


STALE = {"AWS_ENDPOINT_URL_S3": "http://x", "AWS_PROFILE": "p", "AWS_SESSION_TOKEN": "t"}


def test_export_makes_a_shell_forget(fleece_cli, fleece_environments):
    """What leads elsewhere is unset, so that the shell has what a command would have; the API key stays."""
    fleece_environments(local=STATIC)
    text = fleece_cli("run", "-e", "local", "--export", "env", env=STALE).stdout
    shell = subprocess.run(
        ["sh", "-c", 'eval "$1"; env', "sh", text],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **STALE},
    )
    assert not {line.partition("=")[0] for line in shell.stdout.splitlines()} & STALE.keys()
    assert f"RS_API_KEY={os.environ['RS_API_KEY']}\n" in shell.stdout
    shown = fleece_cli("run", "-e", "local", "--export", "powershell", env=STALE).stdout
    assert shown.startswith("Remove-Item Env:AWS_ENDPOINT_URL_S3 -ErrorAction SilentlyContinue\n")


def test_names_of_variables_are_no_commands(fleece_cli, fleece_environments):
    """A variable that no shell can have does not get into what a shell evaluates."""
    fleece_environments(local=STATIC)
    result = fleece_cli("run", "-e", "local", "--export", "env", env={"AWS_ENDPOINT_URL_$(touch x)": "http://x"})
    assert result.exit_code == 0
    assert "touch" not in result.stdout


# Other doors


def test_main_is_importable(emulator):
    """``fleece.cli.run.main(argv)`` is ``fleece run``, as 1.2.1 had it."""
    code = "from fleece.cli.run import main; main(['-e', 'local', '--', 'sh', '-c', 'exit 5'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=emulator.folder, env=emulator.environment(), check=False)
    assert done.returncode == 5


def test_help(fleece_cli):
    """Help leads with examples, and has the options of 1.2.1 under their names and letters."""
    text = fleece_cli("run", "-h").stdout
    assert text.index("fleece run -e staging -- aws s3 ls") < text.index("Options:")
    for short, name in (("-u", "username"), ("-k", "apikey"), ("-c", "config"), ("-a", "account"), ("-r", "role")):
        assert f"{short}, --{name} " in text
    assert "-e, --environment " in text
    assert "-s, --stage " in text
