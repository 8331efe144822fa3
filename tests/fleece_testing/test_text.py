"""Text from outside, shown to people."""

from hypothesis import given, strategies as st

from fleece_testing._text import printable


@given(st.text())
def test_printable_keeps_what_can_be_shown(text):
    """Printable text stays as it is, and the result is always printable."""
    assert printable(text).isprintable()
    if text.isprintable():
        assert printable(text) == text
