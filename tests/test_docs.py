"""The pages of docs/, run as they stand.

A block with a title is a file: all files of a page are written into one folder, and pytest runs there. Python without a
title is run by itself.
"""

import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(
    r"^```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
BLOCKS = {
    path.relative_to(DOCS).as_posix(): [match.groupdict() for match in BLOCK.finditer(path.read_text(encoding="utf-8"))]
    for path in sorted(DOCS.rglob("*.md"))
}

FEW_EXAMPLES = """
from hypothesis import settings

settings.register_profile("page", deadline=None, max_examples=20)
settings.load_profile("page")
"""


@pytest.mark.any_python
@pytest.mark.parametrize("page", [page for page, blocks in BLOCKS.items() if any(block["title"] for block in blocks)])
def test_files_of_a_page_pass_their_tests(page, pytester, monkeypatch):
    """Every test of a page passes, in a project that has the page's files and the installed package."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    files = {block["title"]: block["text"] for block in BLOCKS[page] if block["title"]}
    for name, text in files.items():
        path = pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if any("hypothesis" in text for text in files.values()):
        pytester.makeconftest(FEW_EXAMPLES)
    count = sum(text.count("\ndef test_") + text.startswith("def test_") for text in files.values())
    # connexion 3.3 asks with asyncio's function, on Python 3.14.
    strict = ("-W", "error", "-W", "ignore:'asyncio.iscoroutinefunction' is deprecated")
    outcomes = pytester.runpytest_subprocess(*strict, "-p", "no:cacheprovider").parseoutcomes()
    assert outcomes.keys() == {"passed"}
    assert outcomes["passed"] >= count > 0


UNTITLED = [
    pytest.param(block["text"], id=f"{page}-{number}")
    for page, blocks in BLOCKS.items()
    for number, block in enumerate(blocks)
    if block["language"] == "python" and not block["title"]
]


@pytest.mark.parametrize("code", UNTITLED)
def test_code_of_a_page_runs(code):
    """Python that is no file runs by itself, in a process of its own."""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_every_page_is_in_the_navigation():
    """A page that nobody can find is not one."""
    navigation = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")
    assert [page for page in BLOCKS if page not in navigation] == []


REFERENCE = re.findall(
    r"^::: (.+)$", "\n".join(path.read_text("utf-8") for path in (DOCS / "reference").glob("*.md")), re.MULTILINE
)


def docstrings(name):
    """Yield the docstrings that the reference shows for a module or a class of that name."""
    module, _, attribute = name.rpartition(".")
    shown = [getattr(importlib.import_module(module), attribute, None) or importlib.import_module(name)]
    for one in shown:
        yield inspect.getdoc(one) or ""
        members = vars(one).items() if inspect.ismodule(one) or inspect.isclass(one) else ()
        shown += [
            member
            for key, member in members
            if key[0] != "_" and getattr(member, "__module__", "").startswith("fleece")
        ]


@pytest.mark.parametrize("name", REFERENCE)
def test_the_reference_shows_code_as_code(name):
    """Docstrings are Markdown there: prompts outside of "Examples:" would be quotations, and "::" two colons."""
    lines = [line for text in docstrings(name) for line in text.splitlines()]
    assert [line for line in lines if line.startswith(">>>") or line.endswith("::")] == []


HELPS = """
import click, json
from fleece.cli.group import group
from fleece_testing.local.commands import group as local_group

def helps(command, name, parent=None):
    context = click.Context(command, parent, name, terminal_width=78, **command.context_settings)
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for sub_command in command.list_commands(context):
            yield from helps(command.get_command(context, sub_command), sub_command, context)

print(json.dumps([*helps(group, "fleece"), *helps(local_group, "fleece-local")]))
"""


@pytest.mark.any_python
def test_every_option_is_in_the_reference():
    """The page of commands has what ``--help`` prints on 80 columns, of each of them."""
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    start = page.index("\n## ")
    # In a process of its own: a command keeps the names of its first help, which another test may have asked for.
    done = subprocess.run([sys.executable, "-c", HELPS], capture_output=True, text=True, check=True)
    assert page[start:] == "".join(f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in json.loads(done.stdout))


def test_every_variable_is_in_the_tables():
    """The reference names each variable that has fleece's name, so that none is a secret."""
    files = [path for folder in ("fleece", "fleece_testing") for path in (DOCS.parent / folder).rglob("*.py")]
    named = {name for path in files for name in re.findall(r"\b_?FLEECE_[A-Z_]+\b", path.read_text(encoding="utf-8"))}
    reference = (DOCS / "reference" / "variables.md").read_text(encoding="utf-8")
    assert named == set(re.findall(r"`(_?FLEECE_[A-Z_]+)`", reference))


def test_every_fixture_is_in_the_tables():
    """The reference names each fixture, and what it costs."""
    from fleece_testing import plugin

    reference = (DOCS / "reference" / "fixtures.md").read_text(encoding="utf-8")
    table, costs = reference.split("## What they cost")
    fixtures = {name for name in vars(plugin) if name.startswith("fleece_")}
    servers = {name for name in fixtures if name.endswith("_server")}
    in_rows = "\n".join(re.findall(r"^\|.*", table, re.MULTILINE))
    assert set(re.findall(r"`(fleece_[a-z]+)`", in_rows)) - {"fleece_testing"} == fixtures - servers
    assert set(re.findall(r"`(fleece_[a-z_]+_server)`", table)) == servers
    # A cell such as "`fleece_aws`, `_kms`" has several that cost the same.
    cells = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in re.findall(r"^\| `.*", costs, re.MULTILINE)]
    assert {name if name.startswith("fleece_") else f"fleece{name}" for cell in cells for name in cell} == (
        fixtures - servers
    )
