"""The package as it is installed."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fleece
import fleece_testing

CHECKOUT = Path(__file__).parent.parent


@pytest.mark.skipif("TOX_ENV_NAME" not in os.environ, reason="outside tox, it may be a developer's editable install")
def test_installed_package_is_what_is_tested():
    """Under tox, both packages come from the environment's site-packages, not from the checkout."""
    for package in (fleece, fleece_testing):
        assert "site-packages" in Path(package.__file__).parts
        assert not Path(package.__file__).is_relative_to(CHECKOUT / package.__name__)


def test_runtime_dependencies_are_boto3_and_requests():
    """A plain installation brings two libraries, no more."""
    required = [line for line in importlib.metadata.requires("fleece") or [] if "extra ==" not in line]
    assert sorted(line.partition(">")[0] for line in required) == ["boto3", "requests"]


def test_every_submodule_is_reachable():
    """Each public module of the package can be reached as an attribute, and is listed by dir()."""
    for name in fleece._SUBMODULES:
        assert getattr(fleece, name).__name__ == f"fleece.{name}"
        assert name in dir(fleece)


def test_every_public_class_of_fleece_testing_is_reachable():
    """Each class that fleece_testing names is where it says."""
    for name in fleece_testing.__all__:
        assert getattr(fleece_testing, name).__name__ == name
        assert name in dir(fleece_testing)


@pytest.mark.parametrize("package", [fleece, fleece_testing])
def test_unknown_name_is_an_attribute_error(package):
    """A name that the package does not have is Python's own AttributeError."""
    with pytest.raises(AttributeError, match="nonsense"):
        _ = package.nonsense


def test_python_dash_m_is_the_command():
    """``python -m fleece`` is the fleece command."""
    done = subprocess.run([sys.executable, "-m", "fleece", "--version"], capture_output=True, text=True, check=True)
    assert fleece.__version__ in done.stdout
