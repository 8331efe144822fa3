"""How ``fleece run`` ends: with the command's own exit code or signal, and with its own codes for its own failures."""

import json
import signal
import socket
import subprocess
import sys

import pytest

# Each line of stdin is a script for `sh`, run by a fork of a process that has imported everything before.
EACH = """
import json, os, resource, sys
import fleece.cli._environments_reader, fleece.cli.credentials, fleece.cli.run.command
from fleece.cli.main import exit_code_of
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
def code_of(script):
    child = os.fork()
    if child == 0:
        os._exit(exit_code_of(["run", "-e", "local", "--", "sh", "-c", script]))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(json.dumps([code_of(script) for script in sys.stdin.read().splitlines()]))
"""
STOPS_OR_NOTHING = ("SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH")


@pytest.fixture
def codes_of(emulator):
    """Return a function that runs many scripts under ``fleece run`` and returns what ``waitpid`` says of each."""

    def run(scripts):
        done = subprocess.run(
            [sys.executable, "-c", EACH],
            input="\n".join(scripts),
            capture_output=True,
            text=True,
            check=True,
            cwd=emulator.folder,
            env=emulator.environment(),
            start_new_session=True,
        )
        assert done.stderr == ""
        return json.loads(done.stdout)

    return run


def test_every_exit_code_is_the_commands(codes_of):
    """The command's own exit code is fleece's: all 256 of them, fleece's own among them."""
    assert codes_of(f"exit {code}" for code in range(256)) == list(range(256))


def test_every_signal_is_the_commands(codes_of):
    """A command that a signal ends looks so to whoever waits for fleece, whichever signal it is."""
    others = {getattr(signal, name) for name in STOPS_OR_NOTHING if hasattr(signal, name)}
    numbers = sorted(int(number) for number in signal.valid_signals() - others)
    assert len(numbers) > 20
    assert codes_of(f"kill -{number} $$" for number in numbers) == [-number for number in numbers]


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGINT", "SIGPIPE"])
def test_what_a_shell_shows_of_a_signal(emulator, name):
    """In a shell, ``$?`` is 128 and the signal's number, not 247."""
    number = int(getattr(signal, name))
    command = [sys.executable, "-m", "fleece", "run", "-e", "local", "--", "sh", "-c", f"kill -{number} $$"]
    shell = subprocess.run(
        ["sh", "-c", '"$@"; echo $?', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=emulator.folder,
        env=emulator.environment(),
        start_new_session=True,
    )
    assert shell.stdout == f"{128 + number}\n"


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


@pytest.fixture
def programs(emulator):
    """Write files that look like programs, which are on the ``PATH``; return the command line."""
    for name, text in (("lost", "#!/no/such/interpreter\n"), ("nameless", "echo hello\n"), ("plain", "hello\n")):
        path = emulator.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o644 if name == "plain" else 0o755)
    return emulator


ANOTHER = "the program that its first line names, or its loader, is not there"
FIRST_LINE = "Exec format error (a script needs a first line such as #!/bin/sh)"


@pytest.mark.parametrize(
    ("program", "code", "told"),
    [
        ("no-such-program", 127, "no-such-program: command not found"),
        ("./no-such-program", 127, "./no-such-program: command not found"),
        ("", 127, "the name of the command to run is empty"),
        ("./bin/lost", 127, f"./bin/lost: {ANOTHER}"),
        ("lost", 127, f"lost: {ANOTHER}"),
        ("./bin/plain", 126, "./bin/plain: cannot be executed: Permission denied"),
        ("plain", 126, "plain: cannot be executed: Permission denied"),
        ("/", 126, "/: cannot be executed: Permission denied"),
        ("./bin/plain/x", 126, "./bin/plain/x: cannot be executed: Not a directory"),
        ("./bin/nameless", 126, f"./bin/nameless: cannot be executed: {FIRST_LINE}"),
        ("nameless", 126, f"nameless: cannot be executed: {FIRST_LINE}"),
    ],
)
def test_programs_that_do_not_run(programs, program, code, told):
    """What is not there is 127, and what cannot be executed is 126, as with env; the message has the reason."""
    variables = {"PATH": f"{programs.folder / 'bin'}:/usr/bin:/bin"}
    result = programs("run", "-e", "local", "--", program, env=variables)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"Error: {told}\n")


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


@pytest.mark.parametrize(
    ("package", "words", "code"),
    [
        ("yaml", "run -e local -- diff a b", 125),
        ("click", "run -e local -- diff a b", 125),
        ("click", "config -c config.yml exec dev -- true", 125),
        ("click", "run -e local --export env", 1),
        ("click", "run -e local --credential-process", 1),
        ("click", "config lint", 2),
        ("click", "config diff", 2),
        ("click", "config export -- run", 1),
    ],
)
def test_a_package_that_is_missing_is_a_failure_of_fleece(emulator, package, words, code):
    """Without a package of the extra, a command ends with its own code for failures, not a program's or a finding's."""
    program = f"import sys; sys.modules[{package!r}] = None; from fleece.cli.main import main; main()"
    command = [sys.executable, "-c", program, *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=emulator.folder)
    assert done.stderr.startswith(f"Error: the package {package!r} is missing, which the command line needs: ")
    assert done.returncode == code
