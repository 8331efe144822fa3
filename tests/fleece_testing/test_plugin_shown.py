"""What a tester sees of the fixtures in a test that fails, and fixtures in tests of other kinds than functions."""

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest on one test file, in a process of its own, without other plugins."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run_pytest(source, *arguments):
        pytester.makepyfile(source)
        return pytester.runpytest_subprocess("-W", "error", "-p", "fleece_testing.plugin", *arguments)

    return run_pytest


def test_a_failed_assertion_shows_the_test_and_what_there_was(run):
    """Of what fails in a helper, pytest shows the test's own line and the reason, and no line of fleece's own code."""
    result = run("""
        import pytest, socket, unittest

        def test_logs(fleece_logs):
            print('{"event": "came", "order_id": 1}')
            fleece_logs.assert_logged("went", order_id=1)

        def test_answer(fleece_api):
            fleece_api(lambda event, context: {"body": "no status"}).get("/")

        def test_status(fleece_api):
            assert fleece_api(lambda event, context: {"statusCode": 404, "body": "no"}).get("/").status == 200

        def test_datagram(fleece_xray):
            host, port = fleece_xray.address.split(":")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"junk", (host, int(port)))

        class TestUnderUnittest(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def daemon(self, fleece_xray):
                self.xray = fleece_xray

            def test_subsegment(self):
                self.xray.assert_subsegment("orders", parent="app")
    """)
    result.assert_outcomes(passed=1, failed=4, errors=1)
    for said in (
        "E *AssertionError: No line has event='went', order_id=1.",
        "E *  differs in event",
        "E *MalformedAnswerError: The handler's answer is malformed: its statusCode is None",
        "E *where 404 = Response(status=404, headers=Headers([]), content=b'no').status",
        "X-Ray would have dropped 1 datagram(s):",
        "E *AssertionError: No subsegment 'orders' under 'app' is complete.",
    ):
        result.stdout.fnmatch_lines_random([said.replace("[", "[[]")])
    shown = result.stdout.str()
    assert "def assert_" not in shown
    assert "plugin.py" not in shown
    assert "entries are hidden" not in shown


def test_a_test_may_stop_a_server_and_be_a_coroutine(run):
    """Who looks at what a program does when AWS is gone leaves the others what they had; coroutines have it as well."""
    result = run(
        """
        import asyncio, boto3, pytest, requests

        @pytest.mark.parametrize("time", ["first", "again"])
        def test_it(fleece_aws, fleece_rackspace, fleece_xray, time):
            servers = fleece_rackspace, fleece_aws, fleece_xray
            assert all(repr(one).startswith(f"<{type(one).__name__} ") and "127.0.0.1:" in repr(one) for one in servers)
            assert boto3.client("kms").list_keys()["Keys"] == []
            assert requests.get(fleece_rackspace.url).status_code == 404
            assert fleece_xray.subsegments == []
            for one in servers:
                one.stop()
                assert repr(one) == f"<{type(one).__name__}, not started>"

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_coroutine(fleece_aws, fleece_logs):
            await asyncio.to_thread(boto3.client("kms").list_keys)
            assert [call.operation for call in fleece_aws.calls("kms")] == ["ListKeys"]
            print('{"event": "here"}')
            fleece_logs.assert_logged("here")
    """,
        "-p",
        "anyio",
    )
    result.assert_outcomes(passed=3)


def test_the_marker_takes_nothing(run):
    """What the marker is given would be overlooked, so it is an error."""
    result = run(
        """
        import pytest

        @pytest.mark.fleece_expects_refusal(reason="why not")
        def test_it(): pass
    """,
        "--fleece-isolate",
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["The marker fleece_expects_refusal takes no arguments: write @pytest.mark.fleece_*"])
