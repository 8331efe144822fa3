"""Which runtimes there are, and which wheels run on them."""

from __future__ import annotations

import pytest

from fleece.cli.build.target import NEWEST, RUNTIMES, parse_runtime, target_for
from fleece.cli.errors import UsageError


@pytest.mark.parametrize("text", ["3.12", "312", "python3.12", "Python3.12", "py312", "cp312", "3.12.4", "python-3.12"])
def test_a_version_in_every_spelling(text):
    """A runtime is named by its version, with or without dot, prefix and micro version."""
    assert parse_runtime(text).version == (3, 12)


@pytest.mark.parametrize(("text", "version"), [("27", (2, 7)), ("36", (3, 6)), ("310", (3, 10))])
def test_the_spellings_of_the_previous_version(text, version):
    """Two and three digits without a dot are what 1.2.1 took."""
    assert parse_runtime(text).version == version


@pytest.mark.parametrize("text", ["", "3", "3.99", "1.5", "three", "3.12rc1", "312 313"])
def test_what_is_no_runtime_is_wrong_usage(text):
    """A version that Lambda never had is answered with those that it has."""
    with pytest.raises(UsageError, match=r"choose one of 2\.7, .*, 3\.14"):
        parse_runtime(text)


def test_retired_runtimes_warn():
    """Up to 3.9 Lambda creates no functions any more, 3.10 is past its date, the rest is current."""
    assert [str(runtime) for runtime in RUNTIMES if not runtime.warning] == ["3.11", "3.12", "3.13", "3.14"]
    assert "no longer creates functions for python3.6" in parse_runtime("36").warning
    assert "past its deprecation date" in parse_runtime("310").warning
    assert NEWEST.version == (3, 14)


def test_platforms_go_down_from_the_runtimes_glibc():
    """Amazon Linux 2023 has glibc 2.34, Amazon Linux 2 has 2.26; older wheels run on both, newer on neither."""
    new, old = target_for("3.12", "x86_64").platforms, target_for("3.11", "x86_64").platforms
    assert new[0] == "manylinux_2_34_x86_64"
    assert old[0] == "manylinux_2_26_x86_64"
    assert {"manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"} <= set(old) < set(new)
    arm = target_for("3.12", "arm64").platforms
    assert {one for one in arm if not one.startswith("manylinux_")} == {"manylinux2014_aarch64", "linux_aarch64"}
    assert "manylinux_2_16_aarch64" not in arm


@pytest.mark.parametrize(("python", "abi"), [("2.7", "cp27mu"), ("3.6", "cp36m"), ("3.8", "cp38"), ("3.14", "cp314")])
def test_old_abis_have_suffixes(python, abi):
    """Up to 3.7 the ABI's tag says how Python was built, and pip wants it so."""
    assert target_for(python, "x86_64").abi == abi


def test_arm64_came_with_amazon_linux_2():
    """A runtime that never ran on arm64 is wrong usage there."""
    assert target_for("3.8", "arm64").machine == "aarch64"
    with pytest.raises(UsageError, match=r"never had Python 3\.7 on arm64"):
        target_for("3.7", "arm64")


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        (["py3-none-any"], None),
        (["py2-none-any", "py3-none-any"], None),
        (["cp312-cp312-manylinux_2_34_x86_64"], None),
        (["cp38-abi3-manylinux2014_x86_64"], None),
        (["cp312-cp312-linux_x86_64"], None),
        (["cp312-cp312-manylinux_2_17_x86_64.manylinux_2_39_x86_64"], None),
        ([], None),
        (["cp312-cp312-manylinux_2_35_x86_64"], "it needs glibc 2.35, and Lambda's 3.12 has 2.34"),
        (["cp312-cp312-manylinux_2_17_aarch64"], "it is built for cp312-cp312-manylinux_2_17_aarch64"),
        (["cp312-cp312-musllinux_1_2_x86_64"], "it is built for cp312-cp312-musllinux_1_2_x86_64"),
        (["cp313-cp313-manylinux_2_17_x86_64"], "it is built for cp313-cp313-manylinux_2_17_x86_64"),
        (["cp312-cp312-macosx_11_0_arm64"], "it is built for cp312-cp312-macosx_11_0_arm64"),
    ],
)
def test_wheels_that_do_not_run_are_told_from_those_that_do(tags, reason):
    """A wheel is refused for its Python, its machine, its C library or its system, and the reason says which."""
    assert target_for("3.12", "x86_64").refuses(tags) == reason


def test_markers_are_those_of_the_function():
    """Conditions on requirements see the target's Python, on Linux, on its machine."""
    markers = target_for("3.13", "arm64").markers
    assert (markers["python_version"], markers["sys_platform"], markers["platform_machine"]) == (
        "3.13",
        "linux",
        "aarch64",
    )
