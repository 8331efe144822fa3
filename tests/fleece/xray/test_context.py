"""The trace that an invocation belongs to, as the environment names it."""

import pytest

from fleece import xray

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "53995c3f42cd8ad8"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"Root={ROOT};Parent={PARENT};Sampled=1", (ROOT, PARENT, True)),
        (f"Root={ROOT};Parent={PARENT};Sampled=0", (ROOT, PARENT, False)),
        (f"Root={ROOT};Parent={PARENT};Sampled=?", (ROOT, PARENT, False)),
        (f"Sampled=1; Parent={PARENT}; Root={ROOT};", (ROOT, PARENT, True)),
        (f"root={ROOT};parent={PARENT};sampled=1;Lineage=a:1|b:2", (ROOT, PARENT, True)),
        (f"Root={ROOT};Sampled=1", (ROOT, None, True)),
        ("Root=1-2-3;Parent=xyz;Sampled=yes", (None, None, False)),
        (f"Root={ROOT}\n;Parent={PARENT}\x00;Sampled=1"[:48], (ROOT, None, False)),
        (";;;===", (None, None, False)),
        ("", (None, None, False)),
        (None, (None, None, False)),
    ],
)
def test_the_trace_is_read_from_the_environment(trace, header, expected):
    """Parts that are missing or malformed are None or False, and nothing raises."""
    trace(header)
    assert xray.get_trace_id() == expected
    assert xray.get_trace_id().trace_id == expected[0]


def test_the_header_for_downstream_carries_other_fields_over(trace):
    """Root, Parent and Sampled come first, then fields that fleece does not know, but not `Self`."""
    trace(
        f"Self=1-5759e988-000000000000000000000000;Root={ROOT};Parent={PARENT};Sampled=1;Lineage=a87bd80c:1|68fd508a:5"
    )
    assert xray.trace_header() == f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=a87bd80c:1|68fd508a:5"


@pytest.mark.parametrize(
    "field", ["Evil=a\r\nX: y", "Evil=a\r\nX:y", "Evil=ü", "E vil=1", "=1", "Evil", f"Evil={'a' * 300}"]
)
def test_fields_that_could_break_a_header_are_not_sent_on(trace, field):
    """What is not a plain name=value of printable ASCII stays here."""
    trace(f"Root={ROOT};Parent={PARENT};Sampled=1;{field}")
    assert xray.trace_header() == f"Root={ROOT};Parent={PARENT};Sampled=1"


@pytest.mark.parametrize("decision", ["Sampled=0", "Sampled=?", "Other=1"])
def test_an_unsampled_trace_is_passed_on_as_unsampled(trace, decision):
    """The next service must not start a trace of its own."""
    trace(f"Root={ROOT};Parent={PARENT};{decision}")
    assert xray.trace_header().startswith(f"Root={ROOT};Parent={PARENT};Sampled=0")


def test_without_a_trace_there_is_no_header(trace):
    """None, which requests and others take for "no such header"."""
    trace(None)
    assert xray.trace_header() is None
    assert xray.get_parent_id() is None


def test_the_parent_is_the_open_subsegment(fleece_xray):
    """Downstream headers and new subsegments have the innermost open one as their parent."""
    assert xray.get_parent_id() == fleece_xray.parent_id
    with xray.subsegment("outer"):
        outer = xray.get_parent_id()
        assert outer != fleece_xray.parent_id
        with xray.subsegment("inner"):
            assert xray.get_parent_id() not in (outer, fleece_xray.parent_id)
            assert f"Parent={xray.get_parent_id()}" in xray.trace_header()
        assert xray.get_parent_id() == outer
    assert xray.get_parent_id() == fleece_xray.parent_id


@pytest.mark.parametrize(
    "header",
    [
        "Root=1-5759e988-ffffffffffffffffffffffff;Parent=53995c3f42cd8ad8;Sampled=1",
        "Root={root};Parent=ffffffffffffffff;Sampled=1",  # a retry of the same event: the same trace, another segment
    ],
)
def test_a_warm_container_does_not_go_on_with_the_last_trace(fleece_xray, trace, header):
    """A subsegment that was left open by the last invocation is nobody's parent in this one."""
    xray.subsegment("left open").__enter__()
    now = header.format(root=fleece_xray.trace_id)
    trace(now)
    xray.put_annotation("of", "this invocation")
    with xray.subsegment("next"):
        pass
    [document] = fleece_xray.subsegments
    assert f"Root={document['trace_id']};Parent={document['parent_id']};Sampled=1" == now
    trace(None)
    assert xray.get_parent_id() is None


def test_ids_are_random_hex():
    """16 hex digits each, never the same twice."""
    ids = {xray.generate_subsegment_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in ids)


def test_ids_do_not_depend_on_the_random_module():
    """Restores of one SnapStart snapshot share its state."""
    import random

    random.seed(1)
    first = xray.generate_subsegment_id()
    random.seed(1)
    assert xray.generate_subsegment_id() != first
