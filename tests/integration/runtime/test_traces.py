"""What a function's traces look like below the segment that Lambda sends."""

import re

import pytest

ROOT = "1-5759e988-bd862e3fe1be46a994272793"
PARENT = "53995c3f42cd8ad8"
SAMPLED = f"Root={ROOT};Parent={PARENT};Sampled=1"
NO_DETAILS = {"AWS_LAMBDA_LOG_LEVEL": "INFO"}  # of asyncio, which tells of its loop
EVENT = {"table": "users", "customer": "Ada"}


@pytest.fixture
def runtime(fleece_runtime, functions):
    """Boot one of the functions of ``traces``, with credentials for the calls to AWS."""

    def boot(name, **environment):
        credentials = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}
        return fleece_runtime(functions, f"traces.{name}", environment={**credentials, **environment})

    return boot


def tree(trace):
    """Return a trace as names within names, siblings in the order of their names."""

    def branch(node):
        return [node.name, *sorted(map(branch, node.children))]

    return sorted(map(branch, trace.roots))


def test_subsegments_nest_below_lambdas_segment(runtime):
    """Blocks, tasks, generators and threads nest as the calls do, all below the segment that Lambda sends."""
    booted = runtime("nested", **NO_DETAILS)
    invocation = booted.invoke(EVENT, trace_header=SAMPLED)
    assert invocation.error is None
    booted.xray.check()
    (trace,) = booted.xray.traces()
    leaf = ["leaf"]
    assert tree(trace) == [
        ["nested", ["block", leaf], ["later", leaf], ["later", leaf], leaf, ["pages", leaf, leaf]],
    ]
    top = booted.xray.assert_subsegment("nested", parent=PARENT, trace_id=ROOT, annotations={"customer": "Ada"})
    assert "a secret" not in str(top)
    booted.xray.assert_subsegment("block", parent="nested", annotations={"table": "users"})
    (line,) = invocation.log_lines
    assert line["xray_trace_id"] == ROOT


def test_what_is_open_is_there_before_it_closes(runtime):
    """Each subsegment is sent in progress when it opens, unless that is turned off."""
    for turned, kinds in ((None, [True, None]), ("0", [None])):
        booted = runtime("parent", **({} if turned is None else {"FLEECE_XRAY_IN_PROGRESS": turned}))
        booted.invoke(trace_header=SAMPLED)
        assert [document.get("in_progress") for document in booted.xray.documents] == kinds
        booted.xray.check()


OTHER_ROOT = "1-5759e988-000000000000000000000001"
HEADERS = [
    SAMPLED,
    "",
    SAMPLED,
    f"Root={ROOT};Parent=0000000000000001;Sampled=1",
    f"Root={OTHER_ROOT};Parent=0000000000000002;Sampled=1;Lineage=1:a87bd80c:0",
    f"Root={OTHER_ROOT};Parent=0000000000000003;Sampled=0",
    f"Root={OTHER_ROOT};Parent=0000000000000004",
    "garbage",
    SAMPLED,
]


def test_warm_invocations_have_their_own_trace(runtime):
    """One process after another header, or none: what is sent goes by the header of that very invocation."""
    booted = runtime("parent")
    for header in HEADERS:
        invocation = booted.invoke(trace_header=header)
        fields = dict(part.partition("=")[::2] for part in header.split(";"))
        assert invocation.result == [fields.get("Parent"), header or None]
        sent = [(one["name"], one["trace_id"], one["parent_id"]) for one in invocation.subsegments]
        assert sent == ([("only", fields["Root"], fields["Parent"])] if fields.get("Sampled") == "1" else [])
    assert len(booted.xray.subsegments) == 5
    assert len({document["id"] for document in booted.xray.subsegments}) == 5
    booted.xray.check()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (SAMPLED, rf"Root={ROOT};Parent=[0-9a-f]{{16}};Sampled=1"),
        (f"{SAMPLED};Lineage=1:a87bd80c:0", rf"Root={ROOT};Parent=[0-9a-f]{{16}};Sampled=1;Lineage=1:a87bd80c:0"),
        (f"Root={ROOT};Parent={PARENT};Sampled=0", rf"Root={ROOT};Parent={PARENT};Sampled=0"),
    ],
)
def test_patched_calls_pass_the_trace_on(runtime, service, header, expected):
    """Calls of boto3, fleece.requests and requests send the header on, their subsegment as its parent."""
    booted = runtime("calls")
    assert booted.invoke({"url": service.url}, trace_header=header, deadline=20).error is None
    assert set(service.headers) == {"/", "/users", "/orders", "/own"}
    assert service.headers["/own"] == "Root=mine"
    passed_on = [service.headers[path] for path in ("/", "/users", "/orders")]
    for value in passed_on:
        assert re.fullmatch(expected, value)
    subsegments = {one["id"]: one for one in booted.xray.subsegments}
    if "Sampled=1" in header:
        parents = [subsegments[value.split(";")[1].partition("=")[2]] for value in passed_on]
        assert [one["name"] for one in parents] == ["STS", "127.0.0.1", "127.0.0.1"]
        assert [one["namespace"] for one in parents] == ["aws", "remote", "remote"]
        assert [one["http"]["response"]["status"] for one in parents] == [200, 200, 200]
        assert [one["http"]["request"]["url"] for one in parents[1:]] == [
            f"{service.url}/users",
            f"{service.url}/orders",
        ]
        (top,) = (one for one in subsegments.values() if one["name"] == "calls")
        assert {one["parent_id"] for one in parents} == {top["id"]}
    else:
        assert subsegments == {}
    booted.xray.check()


def test_calls_without_a_trace_send_no_header(runtime, service):
    """Without a header from Lambda there is none to pass on, and nothing for the daemon."""
    booted = runtime("calls")
    assert booted.invoke({"url": service.url}, trace_header="", deadline=20).error is None
    assert service.headers == {"/": None, "/users": None, "/orders": None, "/own": "Root=mine"}
    assert booted.xray.documents == []


@pytest.mark.parametrize(("event", "error"), [("raise", "LookupError"), ("exit", "Runtime.ExitError")])
def test_handler_that_raises_or_exits_is_a_fault(runtime, event, error):
    """The exception goes through as it was, and is in both subsegments."""
    booted = runtime("ends")
    assert booted.invoke(event, trace_header=SAMPLED).error.type == error
    for name in ("work", "ends"):
        document = booted.xray.assert_subsegment(name, fault=True)
        assert "cause" in document
    assert booted.invoke(trace_header=SAMPLED).result == "well"
    booted.xray.check()


def test_handler_that_times_out_shows_where(runtime):
    """What was open at the deadline is in the trace, in progress, and nothing of the killed process comes later."""
    booted = runtime("ends")
    assert booted.invoke("hang", trace_header=SAMPLED, deadline=1).error.type == "Sandbox.Timedout"
    assert [(one["name"], one["in_progress"]) for one in booted.xray.documents] == [("ends", True), ("work", True)]
    (trace,) = booted.xray.traces()
    assert tree(trace) == [["ends", ["work"]]]
    assert booted.invoke(trace_header=f"Root={OTHER_ROOT};Parent={PARENT};Sampled=1").result == "well"
    booted.xray.check()


@pytest.mark.fleece_expects_refusal
@pytest.mark.parametrize("address", ["", "127.0.0.1:1", "no-such-host.invalid:2000", "garbage"])
def test_function_does_not_mind_where_the_daemon_is(fleece_runtime, functions, address):
    """Without a daemon, or with none at that address, traced handlers answer as ever."""
    environment = {"AWS_XRAY_DAEMON_ADDRESS": address, **NO_DETAILS}
    runtime = fleece_runtime(functions, "traces.nested", environment=environment)
    for _ in range(2):
        invocation = runtime.invoke(EVENT)
        assert invocation.result == "well"
        assert [line["event"] for line in invocation.log_lines] == ["traced"]


def test_traced_functions_run_untraced(function):
    """With no trace header at all, which is how AWS's emulator calls, everything goes straight through."""
    booted = function("traces.nested", environment=NO_DETAILS)
    for _ in range(2):
        invocation = booted.invoke(EVENT)
        assert invocation.result == "well"
        (line,) = invocation.log_lines
        assert "xray_trace_id" not in line
