"""What a tester sees who uses a fixture wrongly: one line that says what to do; and how fixtures are parametrised."""

import fnmatch
import re

import pytest

pytest_plugins = ["pytester"]

HEADER = re.compile(r"_+ (?:ERROR at setup of )?test_(\d+)(?:\[.*\])? _+")


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest on one test file, in a process of its own, without other plugins."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run_pytest(source, *arguments):
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess("-W", "error", "-p", "fleece_testing.plugin", *arguments)

    return run_pytest


def numbered(tests):
    """Return a file with all these tests, each by its number: one pytest takes as long for all as for one."""
    return "\n".join(test.replace("def test_it", f"def test_{number}") for number, test in enumerate(tests))


def reports_of(result):
    """Return the lines that were reported of each test that failed, by its number."""
    reports = {}
    lines = []
    for line in result.outlines:
        if header := HEADER.fullmatch(line):
            lines = reports[int(header[1])] = []
        lines.append(line)
    return reports


WRONG_ARGUMENTS = [
    (
        "def test_it(fleece_context): fleece_context(functionname='x')",
        "TypeError: fleece_context has no argument 'functionname'; did you mean 'function_name'?",
    ),
    (
        "def test_it(fleece_runtime): fleece_runtime('.', 'app.main', concurency=2)",
        "TypeError: fleece_runtime has no argument 'concurency'; did you mean 'concurrency'?",
    ),
    (
        "def test_it(fleece_api): fleece_api(print, kind='https')",
        "ValueError: There is no kind 'https' of HTTP event; the kinds are rest, http, *",
    ),
    (
        "def test_it(fleece_api): fleece_api(print, stages='x')",
        "TypeError: An event of the kind 'rest' has no argument 'stages'; did you mean 'stage'?",
    ),
    (
        "def test_it(fleece_events): fleece_events.request('GET', '/', kind='alb', stage='x')",
        "TypeError: An event of the kind 'alb' has no argument 'stage'; it takes method, path, *",
    ),
    (
        "def test_it(fleece_aws): fleece_aws.fail('kms', 'Encrpyt')",
        "ValueError: kms has no operation 'Encrpyt'; did you mean 'Encrypt'?",
    ),
    (
        "def test_it(fleece_aws): fleece_aws.fail('kms', 'Encrypt', 'DisabledException')",
        "ValueError: times is how many answers fail, one or more, not 'DisabledException'; *",
    ),
    (
        "def test_it(fleece_aws): fleece_aws.fail('kms', status=200)",
        "ValueError: status is the number of an HTTP status, 400 to 599, not 200",
    ),
    (
        "def test_it(fleece_aws): fleece_aws.throttle('ssm', per_second=0)",
        "ValueError: per_second is a number of calls above zero, not 0; deny() refuses all of them",
    ),
    (
        "def test_it(fleece_aws): fleece_aws.delay('ssm', seconds=-1)",
        "ValueError: seconds is how much later a call is answered, in seconds, not -1",
    ),
    (
        "def test_it(fleece_aws): fleece_aws.client('s3', account='12')",
        "ValueError: An AWS account is a text of 12 digits, not '12'",
    ),
    (
        "from fleece_testing import AWS\ndef test_it(): AWS(account=123456789012)",
        "ValueError: An AWS account is a text of 12 digits, not 123456789012",
    ),
    (
        "def test_it(fleece_aws): fleece_aws.kms_key('my key')",
        "ValueError: The alias of a KMS key is made of letters, digits and / _ -, and 'alias/my key' is not",
    ),
    (
        "def test_it(fleece_aws): fleece_aws.kms_key('app'); fleece_aws.kms_key('app')",
        "ValueError: There is a KMS key alias/app in us-east-1 of account 123456789012 already",
    ),
    (
        "def test_it(fleece_aws): fleece_aws.role('my role')",
        "ValueError: The name of an IAM role is 1 to 64 letters, *, and 'my role' is not",
    ),
    (
        "def test_it(fleece_aws): fleece_aws.role('app'); fleece_aws.role('app')",
        "ValueError: There is an IAM role app in account 123456789012 already",
    ),
    (
        "def test_it(fleece_rackspace): fleece_rackspace.account('210987654321', users='me')",
        "TypeError: users must be a list: write ['me'], not 'me'",
    ),
    (
        "from fleece_testing import XRayDaemon\ndef test_it(): XRayDaemon(namespaces='local')",
        "TypeError: namespaces must be a list: write ['local'], not 'local'",
    ),
    (
        "def test_it(fleece_api): fleece_api('app.main')",
        "TypeError: handler must be a function of an event and a context: 'app.main' was given",
    ),
    (
        "def test_it(fleece_runtime): fleece_runtime('src', 'app.main')",
        "FileNotFoundError: There is no code at src: give a source folder or a built zip",
    ),
    (
        "def test_it(fleece_runtime): fleece_runtime('.', 'no_such_module.main')",
        "*InitError: *Unable to import module 'no_such_module'*",
    ),
    (
        "def test_it(fleece_runtime): fleece_runtime('.', 'main')",
        "*InitError: *Bad handler 'main'*",
    ),
    (
        "def test_it(fleece_runtime): fleece_runtime('.', 'app.mian')",
        "*InitError: *Handler 'mian' missing on module 'app'*",
    ),
    (
        "from fleece_testing import XRayDaemon\ndef test_it(): XRayDaemon().address",
        "RuntimeError: The X-Ray daemon has not been started; call start() or use it in a with block",
    ),
]


def test_a_wrong_argument_is_one_line(pytester, run):
    """A factory that is given something wrong names it, and what is right, and shows no line but the test's own."""
    pytester.makepyfile(app="def main(event, context): pass")
    result = run(numbered(test for test, _ in WRONG_ARGUMENTS))
    result.assert_outcomes(failed=len(WRONG_ARGUMENTS))
    reports = reports_of(result)
    assert [
        (test, reports[number])
        for number, (test, said) in enumerate(WRONG_ARGUMENTS)
        if not fnmatch.filter(reports[number], f"E *{said}".replace("[", "[[]"))
    ] == []
    assert not re.search(r"plugin\.py|contextlib\.py|_runtime_code\.py", result.stdout.str())


WRONG_PARAMETERS = [
    ("fleece_context", {"functionname": "x"}, "fleece_context has no argument 'functionname'; did you mean *"),
    (
        "fleece_context",
        "users",
        "fleece_context is parametrised by dictionaries of its keyword arguments, not 'users'*",
    ),
    (
        "fleece_runtime",
        {"snap_start": True},
        "fleece_runtime has no argument 'snap_start'; did you mean 'snapstart'?",
    ),
    ("fleece_aws_server", {"regin": "x"}, "fleece_aws_server has no argument 'regin'; did you mean 'region'?"),
    ("fleece_xray_server", {"name": ()}, "fleece_xray_server has no argument 'name'; *"),
    (
        "fleece_aws",
        {"region": "eu-west-1"},
        "fleece_aws takes no parameters; parametrise fleece_aws_server, which it hands out",
    ),
    (
        "fleece_xray",
        {"namespaces": ["local"]},
        "fleece_xray takes no parameters; parametrise fleece_xray_server, which it hands out",
    ),
    ("fleece_kms", {}, "fleece_kms takes no parameters; parametrise fleece_aws_server, which it hands out"),
    ("fleece_logs", {"x": 1}, "fleece_logs takes no parameters"),
    ("fleece_environments", {"x": 1}, "fleece_environments takes no parameters"),
    ("fleece_rackspace_server", {"x": 1}, "fleece_rackspace_server takes no parameters"),
    ("fleece_docker_server", {"x": 1}, "fleece_docker_server takes no parameters"),
]


def test_a_wrong_parameter_is_one_line(run):
    """Indirect parametrisation with something wrong says so, and shows no line of fleece's own code."""
    mark = "@pytest.mark.parametrize({0!r}, [{1!r}], indirect=True)\ndef test_it({0}): pass"
    result = run("import pytest\n" + numbered(mark.format(fixture, given) for fixture, given, _ in WRONG_PARAMETERS))
    result.assert_outcomes(errors=len(WRONG_PARAMETERS))
    reports = reports_of(result)
    assert [
        (fixture, given, reports[number])
        for number, (fixture, given, said) in enumerate(WRONG_PARAMETERS)
        if not fnmatch.filter(reports[number], said)
    ] == []
    assert "plugin.py" not in result.stdout.str()


@pytest.mark.parametrize("other", ["capsys", "capsysbinary", "capfdbinary"])
def test_two_fixtures_cannot_take_the_output(run, other):
    """Beside another of pytest's fixtures for the output, `fleece_logs` says what to use in place of it."""
    result = run(f"def test_it(fleece_logs, {other}): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*fleece_logs and {other} both take the output: use fleece_logs.out and .err"])


def test_a_fixture_of_a_wider_scope_uses_the_servers(run):
    """A fixture for the whole session cannot have `fleece_aws`, and can have the server behind it."""
    result = run("""
        import pytest

        @pytest.fixture(scope="session")
        def wrong(fleece_aws): pass

        @pytest.fixture(scope="session")
        def right(fleece_aws_server, fleece_xray_server, fleece_rackspace_server):
            return fleece_aws_server.client("kms").list_keys()["Keys"]

        def test_wrong(wrong): pass

        def test_right(right): assert right == []
    """)
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["ScopeMismatch: *fleece_aws*"])


def test_servers_are_parametrised_indirectly(run):
    """A region and an account of one's own, and what the X-Ray daemon takes, can be asked for by one test alone."""
    run("""
        import boto3, json, pytest, socket

        ELSEWHERE = {"region": "eu-west-1", "account": "111111111111"}

        @pytest.mark.parametrize("fleece_aws_server", [ELSEWHERE], indirect=True)
        def test_there(fleece_aws, fleece_kms):
            assert fleece_kms.key().startswith("arn:aws:kms:eu-west-1:111111111111:key/")
            assert boto3.client("sts").get_caller_identity()["Account"] == "111111111111"

        def test_here(fleece_kms):
            assert fleece_kms.key().startswith("arn:aws:kms:us-east-1:123456789012:key/")

        @pytest.mark.parametrize("fleece_xray_server", [{"namespaces": ["local"]}], indirect=True)
        def test_namespaces(fleece_xray):
            document = {"type": "subsegment", "id": "0" * 16, "trace_id": fleece_xray.trace_id, "name": "n",
                        "parent_id": fleece_xray.parent_id, "start_time": 1, "end_time": 2, "namespace": "local"}
            host, port = fleece_xray.address.split(":")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b'{"format": "json", "version": 1}\\n' + json.dumps(document).encode(), (host, int(port)))
            fleece_xray.assert_subsegment("n", namespace="local")
    """).assert_outcomes(passed=3)


def test_factories_are_parametrised_indirectly(pytester, run):
    """What a parameter gives is where each call starts from; the call's own goes over it."""
    pytester.makepyfile(app="def main(event, context): return [context.function_name, context.memory_limit_in_mb]")
    run("""
        import os, pytest

        def handler(event, context):
            return {"statusCode": 200, "body": event.get("version", "none")}

        @pytest.mark.parametrize("fleece_api", [{"kind": "http"}], indirect=True)
        def test_api(fleece_api):
            assert fleece_api(handler).get("/").text == "2.0"
            assert fleece_api(handler, kind="rest").get("/").text == "none"

        @pytest.mark.parametrize("fleece_runtime", [{"function_name": "users", "memory": 256}], indirect=True)
        def test_runtime(fleece_runtime):
            assert fleece_runtime(".", "app.main").invoke().result == ["users", "256"]
            assert fleece_runtime(".", "app.main", memory=512).invoke().result == ["users", "512"]
    """).assert_outcomes(passed=2)
