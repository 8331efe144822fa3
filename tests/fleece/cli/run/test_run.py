"""``fleece run`` as a user meets it: a real child process against Rackspace's stub and the emulated AWS."""

import os
import re
import signal
import socket
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from fleece_testing.command_line import CommandLine, write_environments

SHOW = [sys.executable, "-c", "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"]
STATIC = {"provider": "static"}


@pytest.fixture
def emulator(fleece_cli):
    """Write an environment ``local`` that needs no server, and return the command line."""
    write_environments(fleece_cli.folder, "http://127.0.0.1:1", {"local": STATIC})
    return fleece_cli


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """Return a function that runs a program after ``--`` with fixed keys, and returns what came of it."""
    command_line = CommandLine(tmp_path_factory.mktemp("exact"))
    write_environments(command_line.folder, "http://127.0.0.1:1", {"local": STATIC})
    return lambda *arguments, **options: command_line("run", "-e", "local", "--", *arguments, **options)


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
        "OTHER_KEY": "k",
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


arguments = st.lists(st.binary(max_size=12).map(lambda text: text.replace(b"\0", b"'")), max_size=6)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def test_nothing_secret_in_the_arguments(fleece_cli, fleece_environments, tmp_path):
    """The command's arguments and its ancestor's hold neither keys nor tokens, with the API key from a file."""
    fleece_environments(dev={})
    key_file = tmp_path / "key"
    key_file.write_text(os.environ["RS_API_KEY"] + "\n")
    result = fleece_cli(
        *("run", "--apikey-file", key_file, "-e", "dev", "--", "sh", "-c", "cat /proc/$$/cmdline; echo; env"),
        env={"RS_API_KEY": None},
    )
    line, _, rest = result.stdout.partition("\n")
    secrets = [found[1] for found in re.finditer(r"^AWS_SE.*?=(.*)$", rest, re.MULTILINE)]
    assert len(secrets) == 2
    assert not any(secret in line for secret in [*secrets, os.environ["RS_API_KEY"]])
    assert os.environ["RS_API_KEY"] not in rest
    assert result.stderr == ""


# How it ends


@pytest.mark.parametrize("code", [0, 1, 125, 255])
def test_the_exit_code_is_the_commands(exact, code):
    """The command's own exit code is fleece's."""
    assert exact("sh", "-c", f"exit {code}").exit_code == code


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGPIPE"])
def test_a_signal_is_the_commands(exact, name):
    """A command that a signal ends leaves what a shell shows as 128 and its number, not 247."""
    number = getattr(signal, name)
    assert exact("sh", "-c", f"kill -{number:d} $$").exit_code == -number


@pytest.mark.skipif(sys.platform != "linux", reason="what a process ignores is shown by Linux")
def test_signals_are_as_they_were(exact):
    """Python's ignored SIGPIPE and SIGXFSZ are not inherited."""
    show = ["grep", "SigIgn", "/proc/self/status"]
    plain = subprocess.run(show, capture_output=True, text=True, check=True, start_new_session=True)
    assert exact(*show).stdout == plain.stdout


def test_signals_reach_the_command(emulator):
    """A signal for fleece is the command's, which takes fleece's place."""
    script = "trap 'echo ended; exit 9' TERM; echo ready; while :; do sleep 0.02; done"
    with subprocess.Popen(
        [sys.executable, "-m", "fleece", "run", "-e", "local", "--", "sh", "-c", script],
        cwd=emulator.folder,
        env=emulator.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout.readline() == "ready\n"
        child.terminate()
        assert child.communicate()[0] == "ended\n"
    assert child.returncode == 9


def test_interrupted_while_waiting(fleece_cli):
    """Ctrl-C before the command has started is exit 130, in one line."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        variables = {"FLEECE_IDENTITY_URL": url, "RS_USERNAME": "me", "RS_API_KEY": "k"}
        with subprocess.Popen(
            [sys.executable, "-m", "fleece", "run", "-a", "123456789012", "--", "true"],
            cwd=fleece_cli.folder,
            env=fleece_cli.environment(variables),
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            connection, _ = server.accept()
            with connection:
                connection.recv(1)
                child.send_signal(signal.SIGINT)
                _, told = child.communicate()
    assert (child.returncode, told) == (130, "Error: interrupted\n")


@pytest.mark.parametrize(
    ("program", "code", "told"),
    [
        ("no-such-program", 127, "Error: no-such-program: command not found\n"),
        ("./no-such-program", 127, "Error: ./no-such-program: command not found\n"),
        ("", 127, "Error: the name of the command to run is empty\n"),
        ("./environments.yml", 126, "Error: ./environments.yml: cannot be executed: Permission denied\n"),
        ("/", 126, "Error: /: cannot be executed: Permission denied\n"),
    ],
)
def test_programs_that_do_not_run(exact, program, code, told):
    """What is not there is 127, and what cannot be executed is 126, as in a shell."""
    result = exact(program)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", told)


def test_a_file_in_the_path_is_passed_over(emulator):
    """A PATH that names a file leaves an unknown program what it is: not there."""
    result = emulator("run", "-e", "local", "--", "no-such-program", env={"PATH": f"{sys.executable}:/usr/bin:/bin"})
    assert (result.exit_code, result.stderr) == (127, "Error: no-such-program: command not found\n")


@pytest.mark.parametrize(("script", "code"), [("exit 3", 3), ("kill -9 $$", 137), ("kill -INT $PPID; exit 4", 4)])
def test_where_there_is_no_exec(script, code):
    """A child's exit code is returned, 128 and the number for a signal; Ctrl-C is the child's to handle."""
    code_of = "import os, sys; from fleece.cli.run.process import spawn; sys.exit(spawn(sys.argv[1:], os.environ))"
    done = subprocess.run([sys.executable, "-c", code_of, "sh", "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"")


# What is wrong


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-a", "123456789012", "-e", "local", "x"], "--account cannot be used with --environment."),
        (["-a", "123456789012", "-s", "prod", "x"], "--account cannot be used with --stage."),
        (["-e", "local", "-s", "prod", "x"], "--environment cannot be used with --stage."),
        (["-e", "local", "-r", "Deploy", "x"], "--environment cannot be used with --role"),
        (["x"], "Give one of --account, --environment and --stage."),
        (["-a", "1234", "x"], "Invalid value for --account: '1234' must be the 12 digits of an AWS account."),
        (["-a", "123456789012", "-r", "a b", "x"], "Invalid value for --role: 'a b' must be the name or the ARN"),
        (["-e", "nope", "x"], "Error: environments.yml: no environment 'nope'; it has 'local'\n"),
        (["-s", "nope", "x"], "Error: environments.yml: no stage 'nope'; it has none\n"),
        (["-c", "nope.yml", "-e", "local", "x"], "Error: nope.yml: no such file; name one with --config"),
        (["-a", "123456789012", "x"], "Error: no credentials: the Rackspace user name is missing; give --username"),
        (["-u", "me", "-a", "123456789012", "x"], "no credentials: the Rackspace API key of me is missing"),
        (
            ["-k", "x", "--apikey-file", "environments.yml", "-e", "local", "x"],
            "Give --apikey or --apikey-file, not both",
        ),
        (["--apikey-file", os.devnull, "-e", "local", "x"], "/dev/null is empty."),
        (
            ["--role-session-name", "a b", "-u", "me", "-k", "x", "-a", "123456789012", "-r", "R", "x"],
            "session name 'a b'",
        ),
        (["-e", "local"], "Give one of COMMAND, --export and --credential-process."),
        (["-e", "local", "--"], "Give one of COMMAND, --export and --credential-process."),
        (["-e", "local", "--export", "json", "x"], "Give one of COMMAND, --export and --credential-process."),
        (["-e", "local", "--export", "json", "--credential-process"], "Give one of COMMAND, --export and"),
        (["--export", "xml", "-e", "local"], "'xml' is not one of 'env', 'json', 'powershell'"),
        (["-e", "local", "git", "log", "--", "x"], "Unexpected 'git' before --: put -- before the command"),
        (["echo", "a", "-e", "local"], "Options among the words of a command: put -- before the command"),
        (["-e", "local", "ls", "--color"], " If it is the command's, put -- before the command"),
        (["-e", "local", " "], "The command to run is empty."),
        (["-c", "/", "-e", "local", "x"], "File '/' is a directory."),
        (["-s", "", "x"], "Error: environments.yml: the name of the stage is empty\n"),
        (["--apikey-file", sys.executable, "-e", "local", "x"], f"{sys.executable} is not text in UTF-8."),
    ],
)
def test_wrong_usage(emulator, arguments, told):
    """Each mistake has its own message, and is exit 2."""
    result = emulator("run", *arguments, env={"RS_USERNAME": None, "RS_API_KEY": None})
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("how", "code"), [(["--", "true"], 125), (["--export", "env"], 1), (["--credential-process"], 1)]
)
def test_failures_of_fleece(fleece_cli, fleece_rackspace, fleece_environments, how, code):
    """A failure is 125 where the command's codes are passed on, else 1."""
    fleece_environments(dev={})
    result = fleece_cli("run", "-e", "dev", *how, env={"RS_API_KEY": "wrong-key"})
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == (
        "Error: Rackspace Identity refuses the API key of 'fleece': check the user name and the key\n"
    )


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
    write_environments(fleece_cli.folder, "http://127.0.0.1:1", {"local": {**STATIC, "role": "Deploy"}})
    (fleece_cli.folder / "aws").write_text(config)
    result = fleece_cli("run", "-e", "local", "--", "true", env={"AWS_CONFIG_FILE": "aws", **variables})
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


def test_a_mistake_in_the_file(fleece_cli):
    """A mistake in ``environments.yml`` is a failure with its place."""
    (fleece_cli.folder / "environments.yml").write_text("environments:\n- {name: dev, account: 123456789012}\n")
    result = fleece_cli("run", "-e", "dev", "--", "true")
    assert result.exit_code == 125
    assert result.stderr == "Error: environments.yml:2:24: 'account' must be a string: put it in quotes\n"


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


# What is kept between two calls


def test_the_second_call_asks_nobody(fleece_cli, fleece_rackspace, fleece_environments, fleece_aws):
    """With credentials in the cache, no service is asked and neither boto3 nor requests is imported."""
    fleece_aws.role("Deploy")
    fleece_environments(dev={"role": "Deploy"})
    first = fleece_cli("run", "-e", "dev", "--export", "json")
    asked = list(fleece_rackspace.requests)
    second = fleece_cli("run", "-e", "dev", "--export", "json", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert second.json == first.json
    assert fleece_rackspace.requests == asked
    assert len(fleece_aws.calls("sts", "AssumeRole")) == 1
    imported = {line.rpartition("|")[2].strip() for line in second.stderr.splitlines()}
    assert "fleece.cli.run.process" in imported
    assert not {"boto3", "botocore", "requests", "docker"} & imported
    assert os.environ["RS_API_KEY"] not in "".join(
        path.read_text(errors="replace") for path in (fleece_cli.folder / ".cache").rglob("*") if path.is_file()
    )


def test_no_cache(fleece_cli, fleece_rackspace, fleece_environments):
    """With ``--no-cache``, what is kept is not used and nothing is kept."""
    fleece_environments(dev={})
    for _ in range(2):
        fleece_cli("run", "-e", "dev", "--no-cache", "--", "true")
    assert [request.kind for request in fleece_rackspace.requests] == ["tokens", "credentials"] * 2
    assert not (fleece_cli.folder / ".cache").exists()


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
    """``--export powershell`` doubles the quotes in a value."""
    fleece_environments(local={**STATIC, "secret_access_key": "a'b"})
    assert "$Env:AWS_SECRET_ACCESS_KEY = 'a''b'\n" in fleece_cli("run", "-e", "local", "--export", "powershell").stdout


def test_credential_process(fleece_cli, fleece_environments, fleece_aws, monkeypatch):
    """A profile whose ``credential_process`` is fleece gives boto3 credentials that work."""
    import boto3

    fleece_environments(dev={})
    profile(fleece_cli, monkeypatch, "dev")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    client = boto3.Session(profile_name="mine").client("sts", region_name="us-east-1")
    assert client.get_caller_identity()["Account"] == fleece_aws.account
    client.close()


def test_a_profile_that_leads_back(fleece_cli, fleece_environments, monkeypatch):
    """A profile whose ``credential_process`` asks fleece for that profile is stopped with a message."""
    fleece_environments(loop={"provider": "profile", "profile": "mine"})
    profile(fleece_cli, monkeypatch, "loop")
    result = fleece_cli("run", "-e", "loop", "--", "true")
    assert result.exit_code == 125
    assert "Traceback" not in result.stderr
    assert "the profile 'mine' runs fleece, which would ask the profile 'mine' again" in result.stderr


def profile(fleece_cli, monkeypatch, environment):
    """Write an AWS profile ``mine`` whose credentials come from fleece."""
    config = fleece_cli.folder / "aws-config"
    command = f"{sys.executable} -m fleece run -c {fleece_cli.folder}/environments.yml -e {environment}"
    config.write_text(f"[profile mine]\ncredential_process = {command} --no-cache --credential-process\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))


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


def test_a_passcode_is_asked_for_on_the_terminal(fleece_cli, fleece_rackspace, fleece_environments):
    """With a second factor, the terminal is asked without echo, though stdin and stdout are something else."""
    fleece_rackspace.user("me", "k", mfa="123456")
    fleece_environments(dev={})
    become = (
        "import fcntl, os, sys, termios; "
        "fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0); os.execv(sys.argv[2], sys.argv[2:])"
    )
    master, slave = os.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-c", become, str(slave), sys.executable, "-m", "fleece", "run", "-e", "dev", "--", "cat"],
            cwd=fleece_cli.folder,
            env=fleece_cli.environment({"RS_USERNAME": "me", "RS_API_KEY": "k"}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=slave,
            pass_fds=[slave],
            start_new_session=True,
        ) as child:
            os.close(slave)  # so that the terminal ends with the child
            shown = b""
            while not shown.endswith(b"Passcode of me: "):
                shown += os.read(master, 1024)
            os.write(master, b"123456\n")
            output, _ = child.communicate(b"data")
    finally:
        os.close(master)
    assert (child.returncode, output) == (0, b"data")
