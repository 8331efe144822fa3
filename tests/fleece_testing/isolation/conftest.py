"""What the tests of isolation share."""

import pytest


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest on the files that were made, in a process of its own, with this plugin alone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("FLEECE_ISOLATE_PATH", raising=False)

    def run_pytest(*arguments):
        return pytester.runpytest_subprocess("-W", "error", "-p", "fleece_testing.plugin", *arguments)

    return run_pytest


@pytest.fixture
def isolated(run):
    """Run pytest on the files that were made, isolated."""
    return lambda *arguments: run("--fleece-isolate", *arguments)


@pytest.fixture
def reported(isolated):
    """Run pytest, isolated, and return the attempts that it reports: each with its line, and what follows it."""

    def attempts(*arguments):
        told = []
        # Without the short summary, which says it all again where the variable CI is set.
        for line in isolated("-rN", *arguments).outlines:
            if line.startswith("  ") and not line.startswith("    "):
                told.append([line.strip()])
            elif told and line.startswith("    "):
                told[-1].append(line.strip())
        return told

    return attempts
