"""Run as a script, at the head of a new session: have a terminal control it, and become a program.

Not done by ``preexec_fn``, which runs Python in a fork of a process that has threads.
"""

import fcntl
import os
import signal
import sys
import termios


def main(descriptor: int, program: str, arguments: list[str]) -> None:
    """Become `program`, controlled by the terminal that `descriptor` is open at."""
    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)
    os.close(descriptor)
    # This interpreter ignores them, and what is ignored stays so through an exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os.execv(program, arguments)  # noqa: S606 (without a shell is the point)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
