"""The examples in the docstrings of `fleece_testing`: everything public has one, and each runs as it stands.

They are the standard library's doctests, because they show what comes back. A fixture's name in an example is that
fixture; what else an example needs it makes itself, in a folder of its own.
"""

import doctest
import importlib
import inspect
import re
import types

import pytest

from fleece_testing import plugin

MODULES = [
    "fleece_testing.api",
    "fleece_testing.aws",
    "fleece_testing.command_line",
    "fleece_testing.context",
    "fleece_testing.docker_engine",
    "fleece_testing.events",
    "fleece_testing.logs",
    "fleece_testing.rackspace",
    "fleece_testing.runtime",
    "fleece_testing.strategies",
    "fleece_testing.xray_daemon",
]
NAME = re.compile(r"\w+")
FIXTURES = {"monkeypatch", "tmp_path", *(name for name in vars(plugin) if name.startswith("fleece_"))}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def public_names():
    """Yield each public function and class of the package once, with its name."""
    seen = set()
    for module_name in MODULES:
        module = importlib.import_module(module_name)
        for name in module.__all__:
            value = getattr(module, name)
            # On Python 3.10 isclass() takes dict[str, Any] for a class.
            is_class = inspect.isclass(value) and not isinstance(value, types.GenericAlias)
            if (is_class or inspect.isfunction(value)) and value not in seen:
                seen.add(value)
                yield f"{module_name}.{name}", value


def examples_of(docstring):
    """Return the code of a docstring's examples."""
    return "".join(example.source for example in doctest.DocTestParser().get_examples(docstring or ""))


def members_of(cls):
    """Yield the public methods and properties that a class or a private base of it defines, with their docstrings."""
    for one in cls.__mro__:
        if one is cls or (one.__name__.startswith("_") and one.__module__.startswith("fleece_testing")):
            for name, value in vars(one).items():
                if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property)):
                    yield name, value.__doc__


PUBLIC = dict(public_names())


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_has_an_example(name):
    """Each public name has an example, and each method one of its own or one in its class's."""
    value = PUBLIC[name]
    examples = examples_of(value.__doc__)
    assert examples, f"{name} has no example"
    if inspect.isclass(value):
        without = [
            member
            for member, docstring in members_of(value)
            if f".{member}" not in examples and not examples_of(docstring)
        ]
        assert not without, f"{name}: no example has {', '.join(without)}"


def found():
    """Yield every example of the public names with what it can name: its neighbours in the module."""
    finder = doctest.DocTestFinder(recurse=True)
    for name, value in PUBLIC.items():
        module = importlib.import_module(name.rpartition(".")[0])
        neighbours = {public: getattr(module, public) for public in module.__all__}
        yield from finder.find(value, name, module=False, globs=neighbours)


EXAMPLES = {test.name: test for test in found() if test.examples}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name, request, tmp_path, monkeypatch):
    """The example does what it shows."""
    test = EXAMPLES[name]
    named = set(NAME.findall("".join(example.source for example in test.examples)))
    monkeypatch.chdir(tmp_path)
    test.globs |= {fixture: request.getfixturevalue(fixture) for fixture in sorted(named & FIXTURES)}
    out = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    runner.run(test, out=out.append)
    assert runner.failures == 0, "".join(out)
