"""Compile a folder of packages; a script, run by the interpreter of the target's version (3.7 or newer).

The bytecode is of the unchecked kind: Python takes it without looking at the source, whose times mean nothing in a
zip. One process, sorted order, a fixed hash seed: the bytes depend on the interpreter and the sources alone.
"""

import importlib.util
import os
import py_compile
import sys


def compile_tree(root: str, seen_as: str) -> None:
    """Compile each ``.py`` file below `root`, to be found below `seen_as` when it runs.

    A file that is no Python of this version (a template, a test of old syntax) is left without bytecode.
    """
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            if not name.endswith(".py"):
                continue
            path = os.path.join(folder, name)  # noqa: PTH118 (a string is what compile wants)
            inside = os.path.relpath(path, root).replace(os.sep, "/")
            try:
                py_compile.compile(
                    path,
                    cfile=importlib.util.cache_from_source(path, optimization=""),
                    dfile=seen_as + inside,
                    doraise=True,
                    optimize=0,
                    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                )
            except py_compile.PyCompileError:
                continue


if __name__ == "__main__":
    compile_tree(sys.argv[1], sys.argv[2])
