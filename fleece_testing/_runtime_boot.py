"""The program of a function's process: puts the task root first on the path, then becomes AWS's runtime client.

Only ever run as a script, with the handler as its argument; see `fleece_testing._runtime_process`.
"""

import os
import runpy
import site
import sys

if __name__ == "__main__":
    # In place of this file's own folder, which Python has put there.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    if sys.flags.no_site:
        site.setquit()  # `exit()` works on Lambda
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
