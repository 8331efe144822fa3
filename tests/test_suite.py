"""What the suite asks of its own tests (`conftest.py`)."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("variables", "outcomes"),
    [({}, {"skipped": 4, "xfailed": 1}), ({"CI": "true"}, {"skipped": 1, "failed": 2, "errors": 1, "xfailed": 1})],
)
def test_in_ci_nothing_is_skipped_for_a_missing_part(pytester, monkeypatch, variables, outcomes):
    """A test or fixture that skips for a part that it misses fails in CI; what is for another system does not."""
    monkeypatch.delenv("CI", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("""
        import pytest

        @pytest.fixture
        def part():
            pytest.skip("no such part")

        def test_fixture(part): pass

        def test_body(): pytest.skip("no such part")

        def test_import(): pytest.importorskip("no_such_package")

        @pytest.mark.skipif(True, reason="for another system")
        def test_system(): pass

        @pytest.mark.xfail
        def test_known(): assert False
    """)
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:xdist")
    assert result.parseoutcomes() == outcomes
    if "CI" in variables:
        result.stdout.fnmatch_lines(["In CI this is no reason to skip a test: no such part"])
