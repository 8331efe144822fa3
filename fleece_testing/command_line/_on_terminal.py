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
    # What is ignored stays so through an exec: this interpreter's SIGPIPE, and Ctrl-C where a script runs the tests in
    # its background. Nothing is, where somebody has opened a terminal.
    for number in signal.valid_signals():
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    os.execv(program, arguments)  # noqa: S606 (without a shell is the point)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
