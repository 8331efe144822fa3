"""Between the paths that a container sees and those of its private tree on this machine. Pure.

A container's processes are processes of this machine, so the paths in their arguments and variables must be those of
the tree; and what they print, and the first lines of the scripts that they write, must be turned back. Text inside
files is never touched. What counts as a path is a rule about text: an absolute path at the beginning of a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

_BEFORE = r"""(?P<before>file://|:-|(?:^|(?<=\s))-[A-Za-z]|^|[\s"'`=:,;(\[{<>|&!])"""
_PATH = re.compile(_BEFORE + r"/(?P<rest>[\w.@+-][^\s\"'`:,;()\[\]{}<>|&!]*)")
_ROOT_IN_SHELL = re.compile(r"""(?P<before>^|[\s"'])/(?=$|[\s"';&|)])""")

OF_THE_MACHINE = ("dev", "proc", "sys")
"""First names of the paths that are the machine's own in every container."""

_HEAD = 512
"""Bytes at the beginning of a script that may name its interpreter (pip writes two lines when the path is long)."""


@dataclass(frozen=True)
class PathMap:
    """The mapping of one private tree.

    Attributes:
        root: absolute path of the tree on this machine, without a slash at the end.
    """

    root: str

    def to_host(self, text: str, *, shell: bool = False) -> str:
        """Return an argument or a variable's value with each container path in it led into the tree.

        Args:
            text: such as ``--target=/out``, ``/a:/b``, ``-r/requirements.txt`` or ``cd /out && ls``; URLs stay.
            shell: it is a shell's script, where a lone ``/`` is a path too, and not a division.
        """
        if text == "/":
            return self.root
        led = _PATH.sub(self._led, text)
        return _ROOT_IN_SHELL.sub(lambda found: f"{found['before']}{self.root}", led) if shell else led

    def arguments(self, command: list[str]) -> list[str]:
        """Return a command's arguments, led into the tree; what follows a shell's ``-c`` is a script."""
        is_shell = PurePosixPath(command[0]).name in {"sh", "bash", "dash"}
        scripts = {command.index("-c") + 1} if is_shell and "-c" in command else set()
        return [self.to_host(argument, shell=index in scripts) for index, argument in enumerate(command)]

    def to_container(self, output: bytes) -> bytes:
        """Return a line of output as a process in a real container would have written it."""
        root = self.root.encode()
        return output.replace(root + b"/", b"/").replace(root, b"/")

    def link_to_host(self, target: str) -> str:
        """Return a symbolic link's target as it has to be in the tree."""
        return self.root + target if target.startswith("/") and not _is_of_the_machine(target[1:]) else target

    def link_to_container(self, target: str) -> str:
        """Return a symbolic link's target as the container's own files have it."""
        return target[len(self.root) :] or "/" if f"{target}/".startswith(f"{self.root}/") else target

    def _led(self, found: re.Match[str]) -> str:
        return found[0] if _is_of_the_machine(found["rest"]) else f"{found['before']}{self.root}/{found['rest']}"


def moved_script(content: bytes, old: str, new: str) -> bytes:
    """Return a file's content with the tree that its interpreter line names replaced; other files stay as they are."""
    if not content.startswith(b"#!"):
        return content
    head, rest = content[:_HEAD], content[_HEAD:]
    return head.replace(f"{old}/".encode(), f"{new}/".encode()) + rest


def _is_of_the_machine(rest: str) -> bool:
    return rest.partition("/")[0] in OF_THE_MACHINE
