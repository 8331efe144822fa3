"""What ``fleece run`` keeps between two commands, for whom, and what a command with all of it there still imports."""

import os
import stat
import subprocess
import sys

import pytest

SLOW = {"boto3", "botocore", "requests", "urllib3", "docker", "ssl", "socket", "asyncio", "http", "email"}
SLOW |= {"subprocess", "tempfile"} if sys.version_info >= (3, 11) else {"tempfile"}  # 3.10's uuid, for click, has it
EXPORT = ("run", "-e", "dev", "--export", "json")


def modules_of(fleece_cli, *arguments):
    """Run a command, which has to work, and return the names of the modules that it imported."""
    result = fleece_cli(*arguments, env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert result.exit_code == 0
    names = [line.rpartition("|")[2].strip() for line in result.stderr.splitlines()]
    return set(names[names.index("site") :])  # what comes before is the interpreter's, and the suite's own guard


def entries(fleece_cli):
    """Return what is in the cache's folder."""
    return sorted((fleece_cli.folder / ".cache" / "fleece" / "credentials").iterdir())


def test_the_second_command_asks_nobody(fleece_cli, fleece_rackspace, fleece_environments, fleece_aws):
    """With credentials in the cache, no request is sent to anybody."""
    fleece_aws.role("Deploy")
    fleece_environments(dev={"role": "Deploy"})
    first = fleece_cli(*EXPORT)
    asked = list(fleece_rackspace.requests)
    second = fleece_cli(*EXPORT)
    assert second.json == first.json
    assert fleece_rackspace.requests == asked
    assert len(fleece_aws.calls("sts", "AssumeRole")) == 1


def test_the_second_command_imports_no_client(fleece_cli, fleece_environments, fleece_aws):
    """With credentials in the cache, nothing that talks to a network is imported, and YAML is read by libyaml."""
    fleece_aws.role("Deploy")
    fleece_environments(dev={"role": "Deploy"})
    fleece_cli(*EXPORT)
    imported = modules_of(fleece_cli, "run", "-e", "dev", "--", "true")
    assert {"fleece.cli.run.process", "yaml._yaml"} <= imported
    assert imported & SLOW == set()


def test_an_account_needs_no_yaml(fleece_cli, fleece_rackspace):
    """With an account in place of an environment, no file is read and yaml is not imported."""
    arguments = ("run", "-a", "123456789012", "--", "true")
    assert fleece_cli(*arguments).exit_code == 0
    imported = modules_of(fleece_cli, *arguments)
    assert "fleece.cli.run.process" in imported
    assert imported & (SLOW | {"yaml"}) == set()


def test_yaml_is_read_by_libyaml():
    """The parser of environments is the one in C, twenty times as fast, where PyYAML has it."""
    import yaml

    from fleece.cli import _environments_reader

    assert issubclass(_environments_reader._Loader, yaml.CSafeLoader)


def test_no_cache(fleece_cli, fleece_rackspace, fleece_environments):
    """With ``--no-cache``, what is kept is not used and nothing is kept."""
    fleece_environments(dev={})
    for _ in range(2):
        fleece_cli("run", "-e", "dev", "--no-cache", "--", "true")
    assert [request.kind for request in fleece_rackspace.requests] == ["tokens", "credentials"] * 2
    assert not (fleece_cli.folder / ".cache").exists()


def test_modes(fleece_cli, fleece_environments):
    """The folder is the user's alone, and so is each file, whatever the umask is."""
    fleece_environments(dev={})
    before = os.umask(0)
    try:
        fleece_cli(*EXPORT)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in entries(fleece_cli)}
    assert (stat.S_IMODE(entries(fleece_cli)[0].parent.stat().st_mode), modes) == (0o700, {0o600})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: path.write_bytes(b'{"AccessKeyId'), "is damaged: it is ignored, and a new one written"),
        (lambda path: path.chmod(0o644), "is open to other users (mode 0644); nothing is cached there until"),
        (lambda path: path.rename(path.with_name("x")) and path.symlink_to("x"), "is a symbolic link; nothing"),
    ],
)
def test_a_spoiled_file_is_passed_over(fleece_cli, fleece_rackspace, fleece_environments, spoil, told):
    """What somebody has tampered with is not used, with a warning on stderr; the command runs all the same."""
    fleece_environments(dev={})
    fleece_cli(*EXPORT)
    for path in entries(fleece_cli):
        if path.suffix == ".json":
            spoil(path)
    asked = len(fleece_rackspace.requests)
    result = fleece_cli(*EXPORT)
    assert result.exit_code == 0
    assert [request.kind for request in fleece_rackspace.requests[asked:]] == ["tokens", "credentials"]
    lines = result.stderr.splitlines()
    assert len(lines) == 2  # the token's file, and the credentials'
    assert all(line.startswith("Warning: ") and told in line for line in lines)


def test_many_commands_at_once(fleece_cli, fleece_environments, fleece_aws):
    """Commands that start together, with nothing kept yet, all get credentials, and one of each is kept."""
    fleece_aws.role("Deploy")
    fleece_environments(dev={"role": "Deploy"})
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "fleece", "run", "-e", "dev", "--", "printenv", "AWS_SESSION_TOKEN"],
            cwd=fleece_cli.folder,
            env=fleece_cli.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(5)
    ]
    done = [(process.communicate(), process.returncode) for process in running]
    assert [(told, code) for (_, told), code in done] == [("", 0)] * 5
    assert len(entries(fleece_cli)) == 4  # the hash's key, the token, and the credentials of FAWS and of the role
    asked = len(fleece_aws.calls("sts", "AssumeRole"))
    assert fleece_cli(*EXPORT).json["AWS_SESSION_TOKEN"] in {shown.strip() for (shown, _), _ in done}
    assert len(fleece_aws.calls("sts", "AssumeRole")) == asked
