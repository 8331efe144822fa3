"""The examples in the docstrings of `fleece_testing`: everything public has one, and each runs as it stands.

They are the standard library's doctests, because they show what comes back. A fixture's name in an example is that
fixture; what else an example needs it makes itself, in a folder of its own.

What is public: the fixtures, and what the modules that stand directly in the package name in ``__all__``. The commands
of `fleece_testing.local` are public by their help, whose examples run in ``local/test_examples.py``.
"""

import doctest
import importlib
import inspect
import pkgutil
import re
import types

import pytest
from hypothesis import settings

import fleece_testing
from fleece_testing import plugin

NAME = re.compile(r"\w+")
FIXTURES = {name: inspect.unwrap(value) for name, value in vars(plugin).items() if name.startswith("fleece_")}
NAMED = {"monkeypatch", "tmp_path", *FIXTURES}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def public_modules():
    """Yield each public module of the package that is there to be imported."""
    for module in pkgutil.iter_modules(fleece_testing.__path__):
        if not module.name.startswith("_") and module.name not in {"local", "plugin"}:
            yield importlib.import_module(f"fleece_testing.{module.name}")


MODULES = {module.__name__: module for module in public_modules()}


def public_names():
    """Yield each public function, class and fixture of the package once, with its name."""
    seen = set()
    for module_name, module in MODULES.items():
        for name in module.__all__:
            value = getattr(module, name)
            if is_documented(value) and value not in seen:
                seen.add(value)
                yield f"{module_name}.{name}", value
    for name, function in FIXTURES.items():
        yield f"{plugin.__name__}.{name}", function


def is_documented(value):
    """Return whether a value has a docstring of its own."""
    # On Python 3.10 isclass() takes dict[str, Any] for a class.
    return (inspect.isclass(value) and not isinstance(value, types.GenericAlias)) or inspect.isfunction(value)


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


CONSTANTS = [
    (module.__name__, name)
    for module in MODULES.values()
    for name in module.__all__
    if not is_documented(getattr(module, name)) and not isinstance(getattr(module, name), types.GenericAlias)
]


@pytest.mark.parametrize(("module", "constant"), CONSTANTS)
def test_every_constant_is_in_an_example(module, constant):
    """A constant, which can have no example of its own, is in one of its module's."""
    examples = [examples_of(value.__doc__) for name, value in PUBLIC.items() if name.startswith(f"{module}.")]
    assert constant in NAME.findall("".join(examples))


def found():
    """Yield every example of the public names with what it can name: its neighbours in the module."""
    finder = doctest.DocTestFinder(recurse=True)
    for name, value in PUBLIC.items():
        module = MODULES.get(name.rpartition(".")[0])
        neighbours = {public: getattr(module, public) for public in module.__all__} if module else {}
        yield from finder.find(value, name, module=False, globs=neighbours)


EXAMPLES = {test.name: test for test in found() if test.examples}


@pytest.fixture
def _few_examples():
    """Have an example that states a law try few of Hypothesis's: the suite's own tests of the strategies try more."""
    before = settings.default
    settings.load_profile("few")
    yield
    settings.register_profile("before", before)
    settings.load_profile("before")


@pytest.mark.usefixtures("_few_examples")
@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name, request, tmp_path, monkeypatch):
    """The example does what it shows."""
    test = EXAMPLES[name]
    named = set(NAME.findall("".join(example.source for example in test.examples)))
    monkeypatch.chdir(tmp_path)
    test.globs |= {fixture: request.getfixturevalue(fixture) for fixture in sorted(named & NAMED)}
    out = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    runner.run(test, out=out.append)
    assert runner.failures == 0, "".join(out)
