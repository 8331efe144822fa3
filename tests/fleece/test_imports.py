"""What is loaded when, counted in modules: a cold start pays for each."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def loaded_by(statement, before="pass"):
    """Return the modules that a statement loads in a fresh interpreter, in order of their names."""
    report = "print(json.dumps(sorted(set(sys.modules) - before)))"
    code = f"import sys, json\n{before}\nbefore = set(sys.modules)\n{statement}\n{report}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def outside(modules):
    """Return the top-level packages that are neither ours nor of the standard library."""
    tops = {name.partition(".")[0] for name in modules}
    return {top for top in tops if top not in sys.stdlib_module_names and not top.startswith(("fleece", "_distutils"))}


def test_import_fleece_loads_nothing_but_itself():
    """``import fleece`` loads one module."""
    assert loaded_by("import fleece") == ["fleece"]


def test_submodules_are_loaded_at_first_use():
    """``fleece.log`` works after ``import fleece`` alone, and loads no client library."""
    modules = loaded_by("import fleece; fleece.log.get_logger")
    assert "fleece.log" in modules
    assert outside(modules) == set()


@pytest.mark.parametrize(
    "module",
    ["fleece.log", "fleece.xray", "fleece.profiling", "fleece.authpolicy", "fleece.events", "fleece.httperror"],
)
def test_light_modules_need_the_standard_library_alone(module):
    """Logging, tracing and the small modules load no package from outside."""
    assert outside(loaded_by(f"import {module}")) == set()


@pytest.mark.parametrize("module", ["fleece.log", "fleece.xray", "fleece.authpolicy"])
def test_logging_tracing_and_policies_leave_slow_standard_modules_alone(module):
    """Typing, dataclasses, inspect and asyncio are milliseconds of a cold start each: only `logging` may load any."""
    loaded = set(loaded_by(f"import {module}")) - set(loaded_by("import logging"))  # two of them, since Python 3.14
    assert {"asyncio", "dataclasses", "inspect", "typing"} & loaded == set()


@pytest.mark.parametrize(
    ("module", "wrapped"),
    [("fleece.boto3", "boto3, botocore.config"), ("fleece.requests", "requests"), ("fleece.raxauth", "requests")],
)
def test_wrappers_load_what_they_wrap_and_no_more(module, wrapped):
    """fleece.boto3, fleece.requests and fleece.raxauth add nothing but fleece's own modules to what they stand on."""
    assert outside(loaded_by(f"import {module}", before=f"import {wrapped}")) == set()


def test_plugin_loads_pytest_alone():
    """Loading the pytest plugin loads nothing but pytest (which is there) and itself."""
    modules = loaded_by("import fleece_testing.plugin", before="import pytest")
    assert outside(modules) == set()
    assert [name for name in modules if name.startswith("fleece")] == ["fleece_testing", "fleece_testing.plugin"]


@pytest.mark.parametrize("help_of", [["--help"], ["--version"], ["config", "--help"], ["run", "--help"]])
def test_help_loads_neither_clients_nor_yaml(help_of):
    """Help and version of the command line come without boto3, requests, docker or yaml."""
    modules = loaded_by(
        f"sys.argv = ['fleece', *{help_of!r}]\nimport fleece.cli.main, io, contextlib\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n    fleece.cli.main.main()"
    )
    assert outside(modules) & {"boto3", "botocore", "requests", "docker", "yaml", "moto"} == set()
