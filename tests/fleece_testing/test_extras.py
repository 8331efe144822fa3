"""What is said where a package of an extra is missing."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("statement", "package", "said"),
    [
        ("from fleece_testing import AWS", "moto", "fleece_testing.aws needs the package 'moto'"),
        ("from fleece_testing import AWS", "flask_cors", "fleece_testing.aws needs the package 'flask_cors'"),
        ("from fleece_testing import XRayDaemon", "werkzeug", "fleece_testing needs the package 'werkzeug'"),
        ("from fleece_testing.api import Client", "werkzeug", "fleece_testing.api needs the package 'werkzeug'"),
        (
            "from fleece_testing import strategies",
            "hypothesis",
            "fleece_testing.strategies needs the package 'hypothesis'",
        ),
    ],
)
@pytest.mark.parametrize("how", ["not installed", "kept away"])
def test_a_missing_package_is_named(statement, package, said, how):
    """A class or module says what to install, whether the package is not there or kept away."""
    hide = f"import sys; sys.modules[{package!r}] = None"
    if how == "not installed":
        hide = (
            "import importlib.util as util; there = util.find_spec;"
            f" util.find_spec = lambda name, package=None: None if name == {package!r} else there(name, package)"
        )
    child = subprocess.run([sys.executable, "-c", f"{hide}\n{statement}"], capture_output=True, text=True, check=False)
    assert child.stderr.splitlines()[-1] == f"ModuleNotFoundError: {said}: pip install 'fleece[testing]'"
