"""The program of a function's process: puts the task root first on the path, then becomes AWS's runtime client.

Only ever run as a script, with the handler as its argument; see `fleece_testing._runtime_process`. With two descriptors
more it takes part in SnapStart; see `fleece_testing._runtime_snapshot`.
"""

import importlib
import os
import runpy
import site
import sys


def be_a_snapshot(lifeline: int, connection: int) -> None:
    """Stay what is copied, and return in each of the copies.

    Whenever a byte comes, a copy is made; the answers are its pid, by itself, and its exit code when it has ended.
    """
    import ctypes  # noqa: PLC0415 (for SnapStart alone)

    # With Python's own, the copy would know from the fork hooks what on Lambda only the restore hooks can tell it.
    # PyDLL keeps the interpreter's lock: no other thread can be in the middle of something.
    fork = ctypes.PyDLL(None).fork
    while os.read(connection, 1):
        pid = fork()
        if pid == 0:
            os.setpgid(0, 0)
            end_with_the_tests(lifeline)
            os.write(connection, b"%d\n" % os.getpid())
            os.close(connection)
            return
        _, status = os.waitpid(pid, 0)
        os.write(connection, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def end_with_the_tests(lifeline: int) -> None:
    """Tie this process's group to the pipe's other end, as `fleece_testing._runtime_lifeline` has tied the snapshot's.

    A pipe end that is opened again has an owner of its own to signal.
    """
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415
        import signal  # noqa: PLC0415

        own = os.open(f"/proc/self/fd/{lifeline}", os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(own, fcntl.F_SETOWN, -os.getpid())
        fcntl.fcntl(own, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(own, fcntl.F_SETFL, fcntl.fcntl(own, fcntl.F_GETFL) | os.O_ASYNC)


if __name__ == "__main__":
    if sys.flags.no_site and "FLEECE_ISOLATE_PATH" in os.environ:
        # The guard of an isolated test session, which Python loads itself otherwise.
        importlib.import_module("sitecustomize")
    # In place of this file's own folder, which Python has put there.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    if sys.flags.no_site:
        site.setquit()  # `exit()` works on Lambda
    descriptors = [int(argument) for argument in sys.argv[2:]]
    del sys.argv[2:]
    if descriptors:
        from snapshot_restore_py import register_before_snapshot

        # The first to be registered is the last to be called.
        register_before_snapshot(be_a_snapshot, *descriptors)
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
