"""Runs a command beside a real LocalStack: ``python with_localstack.py pytest tests/integration/localstack``.

LocalStack and awscli are installed from PyPI into a virtual environment of their own, which is kept if
``FLEECE_TEST_LOCALSTACK_VENV`` names one. LocalStack runs in a temporary folder, on a free port of 127.0.0.1, seeded by
the hook of ``localstack/init/ready.d``. The command finds its address in ``FLEECE_TEST_LOCALSTACK``, and ``aws`` on its
``PATH``. It ends with the command, whichever way that ends; where it does not start, the end is 1 and a line that says
why.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from fleece_testing._private_folder import private_folder
from fleece_testing._runtime_lifeline import Lifeline

HERE = Path(__file__).parent
DEFINITION = HERE.parents[2] / "localstack"
REQUIREMENTS = HERE / "requirements.txt"
PYTHON = "python3.13"
PATIENCE = 120  # seconds until it is ready; it takes 3
POLITENESS = 15  # seconds until it has ended after SIGTERM; it takes 1


class CannotStartError(Exception):
    """LocalStack cannot be started; the message is one line."""


def main(command):
    if not command:
        sys.exit(f"Usage: {sys.argv[0]} COMMAND...")
    # The `with` blocks end at this signal, too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        # What one that was killed has left goes now.
        with private_folder("fleece-localstack-") as state:
            venv = Path(os.environ.get("FLEECE_TEST_LOCALSTACK_VENV") or state / "venv").absolute()
            install(venv)
            with running(venv, state) as url:
                sys.exit(run(command, environment(url, venv, state)))
    except CannotStartError as error:
        sys.exit(f"with_localstack.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def say(message):
    sys.stderr.write(f"{message} ({time.monotonic() - STARTED:.0f}s)\n")


def install(venv):
    """Make the virtual environment, unless it is there with these very requirements, and its Python still is."""
    stamp = venv / "requirements.txt"
    if (venv / "bin/python").exists() and stamp.is_file() and stamp.read_bytes() == REQUIREMENTS.read_bytes():
        return
    if shutil.which(PYTHON) is None:
        raise CannotStartError(f"LocalStack 4.14 runs on Python 3.13 alone, and there is no {PYTHON} on PATH")
    pip = [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Not compiled: of its thousands of modules a few are ever imported.
    commands = [PYTHON, "-m", "venv", "--clear", str(venv)], [*pip, "--no-compile", "--requirement", str(REQUIREMENTS)]
    for one in commands:
        if subprocess.run(one, check=False).returncode:
            raise CannotStartError(f"{' '.join(one)!r} has failed, as the lines above say")
    shutil.copy(REQUIREMENTS, stamp)
    say("LocalStack and awscli are installed")


@contextlib.contextmanager
def running(venv, state):
    """Have LocalStack running, ready and seeded; yield its address."""
    root = state / "root"
    shutil.copytree(DEFINITION / "init", root / "etc/localstack/init")
    shutil.copy(DEFINITION / "resources.yml", root / "etc/localstack")
    (state / "home").mkdir()
    port = free_port()
    # Nothing of this environment: LocalStack reads a hundred variables.
    settings = {
        "PATH": os.defpath,
        "HOME": str(state / "home"),
        "TMPDIR": str(state),
        "FILESYSTEM_ROOT": str(root),
        "OVERRIDE_IN_DOCKER": "0",
        # Of an IPv4 address it takes the port, and listens on all interfaces; so this is 127.0.0.1 as an IPv6 address.
        # It holds itself to be ready when it finds itself at "localhost", which is not ::1 on every machine.
        "GATEWAY_LISTEN": f"[::ffff:127.0.0.1]:{port}",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
    }
    log = state / "log"
    lifeline = Lifeline()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(venv / "bin/python"), "-m", "localstack.runtime.main"],
            env=settings,
            cwd=state,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the command, which needs LocalStack until it has cleaned up.
            start_new_session=True,
            pass_fds=[lifeline.end_of_child],
        )
    lifeline.tie(process.pid)
    try:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_ready(url, process)
        except CannotStartError:
            sys.stderr.write(log.read_text(errors="replace"))
            raise
        say(f"LocalStack is ready at {url}")
        yield url
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(POLITENESS)
        lifeline.close()  # kills what is left of its process group
        process.wait()


def free_port():
    """Return a port that nobody listens on; one below those that the system gives to whoever asks for any."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def wait_until_ready(url, process):
    """Wait until LocalStack has run its hooks, all without an error."""
    end = time.monotonic() + PATIENCE
    while process.poll() is None:
        found = initialised(url)
        if found["completed"].get("READY"):
            failed = [script["name"] for script in found["scripts"] if script["state"] != "SUCCESSFUL"]
            if failed or not found["scripts"]:
                raise CannotStartError(f"the hook {', '.join(failed) or 'of ready.d'} has failed; its log is above")
            return
        if time.monotonic() > end:
            raise CannotStartError(f"LocalStack is not ready after {PATIENCE} s; its log is above")
        time.sleep(0.1)
    raise CannotStartError(f"LocalStack has ended with exit code {process.returncode}; its log is above")


def initialised(url):
    """Return what LocalStack says of its start; nothing while it does not listen."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}/_localstack/init", timeout=5) as answer:
            return json.load(answer)
    except (OSError, http.client.HTTPException, ValueError):
        return {"completed": {}, "scripts": []}


def environment(url, venv, state):
    """Return the command's environment: its own, with the address and ``aws``, and nothing else of that folder."""
    programs = state / "bin"
    programs.mkdir()
    (programs / "aws").symlink_to(venv / "bin/aws")
    path = f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "FLEECE_TEST_LOCALSTACK": url, "PATH": path}


def run(command, variables):
    """Run the command to its end, whatever signals come; return its exit code as a shell has it."""
    try:
        process = subprocess.Popen(command, env=variables)
    except OSError as error:
        raise CannotStartError(f"{command[0]!r} cannot be run: {error.strerror}") from error
    with process:
        signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
        # Of the terminal, the command gets it as well.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        code = process.wait()
    return code if code >= 0 else 128 - code


STARTED = time.monotonic()

if __name__ == "__main__":
    main(sys.argv[1:])
