"""Run ``fleece`` many times, and end it by a signal at a random moment of each: for test_endings.py.

``python run_and_end.py SIGNAL RUNS ARGUMENTS... < stdin``, in the folder of ``config.yml``. Only what the system is
asked for changes files: the moments are the calls that Python audits, opening and renaming among them. Each run is a
fork of this process, which has done once what takes long. It writes a JSON list: how many moments there are, and for
each run how it ended, what is in the file then, and what is in $XDG_RUNTIME_DIR, by mode.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import sys
from pathlib import Path

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


def seen(ended: int) -> dict[str, object]:
    """Return what can be seen after a run."""
    runtime = Path(os.environ["XDG_RUNTIME_DIR"])
    left = {str(path.relative_to(runtime)): path.stat().st_mode & 0o777 for path in sorted(runtime.rglob("*"))}
    return {"ended": ended, "config": CONFIG.read_text(), "left": left}


def main(number: int, runs: int, arguments: list[str]) -> None:
    """Run it all, from the same file each time."""
    stdin = sys.stdin.buffer.read()
    before = CONFIG.read_bytes()
    # What takes long, importing and reading the descriptions of AWS's services, is done here for all forks.
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    assert exit_code_of(arguments) == 0
    CONFIG.write_bytes(before)
    moments = run(arguments, stdin, number, None)
    results = []
    for _ in range(runs):
        CONFIG.write_bytes(before)
        results.append(seen(run(arguments, stdin, number, random.randint(1, moments))))
    sys.stdout.write(json.dumps([moments, results]))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
