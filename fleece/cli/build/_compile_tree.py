"""Compile a folder of packages; a script, run by the interpreter of the target's version (3.7 or newer).

The bytecode is of the unchecked kind: Python takes it without looking at the source, whose times mean nothing in a
zip. One process, sorted order, a fixed hash seed: the bytes depend on the interpreter and the sources alone.
"""

import importlib.util
import os
import py_compile
import sys

TASK_ROOT = "/var/task/"
"""Where Lambda unpacks a function's zip, and tracebacks find the sources."""


def compile_tree(root: str, output: str) -> None:
    """Write the bytecode of each ``.py`` file below `root` below `output`, which may be the same folder.

    Scripts in ``bin`` are left out, as nothing imports them; and so is a file that is no Python of this version (a
    template, a test of old syntax).
    """
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not (name == "bin" and folder == root))
        for name in sorted(names):
            if not name.endswith(".py"):
                continue
            path = os.path.join(folder, name)  # noqa: PTH118 (a string is what compile wants)
            inside = os.path.relpath(path, root)
            try:
                py_compile.compile(
                    path,
                    cfile=importlib.util.cache_from_source(os.path.join(output, inside), optimization=""),  # noqa: PTH118
                    dfile=TASK_ROOT + inside.replace(os.sep, "/"),
                    doraise=True,
                    optimize=0,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                )
            except py_compile.PyCompileError:
                continue


if __name__ == "__main__":
    compile_tree(sys.argv[1], sys.argv[2])
