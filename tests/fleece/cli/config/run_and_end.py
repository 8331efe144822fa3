"""Run ``fleece`` many times, and end it by a signal at a random moment of each: for test_endings.py.

``python run_and_end.py SIGNAL RUNS ARGUMENTS... < stdin``, in the folder of ``config.yml``. Only what the system is
asked for changes files: the moments are the calls that Python audits, opening and renaming among them. Each run is a
fork of this process, which has done once what takes long. It writes a JSON list: how many moments there are, and for
each run how it ended, what is in the file then, what is beside it that was not, and what is in $XDG_RUNTIME_DIR, by
mode.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

from fleece.cli import aws
from fleece.cli.main import exit_code_of

AUDITED = ("open", "os.", "shutil.", "tempfile.", "fcntl.", "subprocess.", "socket.connect")
CONFIG = Path("config.yml")


def run(arguments: list[str], stdin: bytes, number: int, moment: int | None) -> int:
    """Run the command in a fork, which gets the signal at that moment; return how it ended, or how many there were."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        passed = 0

        def audit(event: str, _arguments: object) -> None:
            nonlocal passed
            if event.startswith(AUDITED):
                passed += 1
                if passed == moment:
                    os.kill(os.getpid(), number)

        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
        with contextlib.suppress(OSError):
            sys.addaudithook(audit)
        code = 1
        try:
            code = exit_code_of(arguments)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        finally:
            os.write(write, str(passed).encode())
            os._exit(code)
    os.close(write)
    _, status = os.waitpid(child, 0)
    with open(read) as pipe:  # noqa: PTH123 (a descriptor)
        passed_in_all = pipe.read()
    return int(passed_in_all) if moment is None else os.waitstatus_to_exitcode(status)


def seen(ended: int, before: set[Path]) -> dict[str, object]:
    """Return what can be seen after a run, and remove what it has left beside the file."""
    runtime = Path(os.environ["XDG_RUNTIME_DIR"])
    left = {str(path.relative_to(runtime)): path.stat().st_mode & 0o777 for path in sorted(runtime.rglob("*"))}
    new = set(Path().iterdir()) - before
    for path in new:
        path.unlink()
    return {"ended": ended, "config": CONFIG.read_text(), "beside": sorted(map(str, new)), "left": left}


def keep_clients() -> list[Any]:
    """Have all runs use the same clients, as making them takes most of the time; return those that were made so far."""
    made: list[Any] = []
    make = aws.client

    @functools.cache
    def client(*arguments: Any) -> Any:
        made.append(make(*arguments))
        return made[-1]

    aws.client = client
    return made


def main(number: int, runs: int, arguments: list[str]) -> None:
    """Run it all, from the same file each time."""
    stdin = sys.stdin.buffer.read()
    before = CONFIG.read_bytes()
    clients = keep_clients()
    # What takes long, importing and reading the descriptions of AWS's services, is done here for all forks.
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    assert exit_code_of(arguments) == 0
    CONFIG.write_bytes(before)
    for client in clients:
        client.close()  # each fork needs connections of its own
    there = set(Path().iterdir())
    moments = run(arguments, stdin, number, None)
    results = []
    for _ in range(runs):
        CONFIG.write_bytes(before)
        results.append(seen(run(arguments, stdin, number, random.randint(1, moments)), there))
    sys.stdout.write(json.dumps([moments, results]))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
