"""The pytest plugin as its users meet it: test files of their own, and pytest in a process of its own."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ORDER_SERVICE = """
    from fleece import boto3
    from fleece.log import get_logger, inject_request_ids_into_environment
    from fleece.xray import trace_xray_subsegment

    @inject_request_ids_into_environment
    @trace_xray_subsegment()
    def lambda_handler(event, context):
        get_logger(__name__).info("Order received", order_id=event["order_id"])
        return {"accepted": event["order_id"], "keys": len(boto3.client("kms").list_keys()["Keys"])}
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest on the test files that were made, in a process of its own, without other plugins."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run_pytest(*arguments, plugin="fleece_testing.plugin"):
        return pytester.runpytest_subprocess("-W", "error", *(("-p", plugin) if plugin else ()), *arguments)

    return run_pytest


@pytest.fixture
def at_start(pytester, monkeypatch):
    """Run code at the start of every Python from here on: of the next pytest and of its children."""

    def write(code):
        pytester.mkdir("start").joinpath("sitecustomize.py").write_text(textwrap.dedent(code))
        monkeypatch.setenv("PYTHONPATH", str(pytester.path / "start"))

    return write


def test_loading_the_plugin_imports_pytest_alone():
    """Loading the plugin imports nothing but itself on top of pytest."""
    code = (
        "import sys, pytest; before = set(sys.modules); import fleece_testing.plugin; print(set(sys.modules) - before)"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert ast.literal_eval(output) == {"fleece_testing", "fleece_testing.plugin"}


def test_the_plugin_does_nothing_until_asked(pytester, run):
    """A test that asks for no fixture finds its environment as it was, and none of the packages imported."""
    pytester.makepyfile("""
        import os, sys

        def test_it():
            assert os.environ["AWS_PROFILE"] == "mine"
            assert not {"boto3", "moto", "docker", "hypothesis", "werkzeug", "awslambdaric"} & set(sys.modules)
    """)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_PROFILE", "mine")
        run().assert_outcomes(passed=1)


def test_everything_that_the_plugin_adds_has_its_name(pytester, run):
    """Each fixture starts with ``fleece``, and says in its first line what it is for."""
    pytester.makepyfile("def test_it(): pass")
    listed = run("--fixtures", "-v").stdout.str().partition("fixtures defined from fleece_testing.plugin")[2]
    fixtures = [line for line in listed.splitlines() if " -- " in line]
    assert len(fixtures) >= 10
    assert all(line.startswith("fleece_") for line in fixtures)
    assert "no docstring available" not in listed


def test_the_plugin_can_be_left_out(pytester):
    """With ``-p no:fleece`` the installed plugin is not there, and tests without its fixtures run."""
    pytester.makepyfile("""
        import sys

        def test_plain():
            assert "fleece_testing" not in sys.modules

        def test_asking(fleece_context): pass
    """)
    result = pytester.runpytest_subprocess("-p", "no:fleece", "-p", "no:randomly")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*fixture 'fleece_context' not found*"])


def test_fixtures_work_in_parallel(pytester, run):
    """In two workers of pytest-xdist each test has an emulated AWS and a daemon of its own."""
    pytester.makepyfile("""
        import boto3, pytest

        @pytest.mark.parametrize("number", range(4))
        def test_it(fleece_aws, fleece_xray, number):
            assert boto3.client("kms").list_keys()["Keys"] == []
            fleece_aws.kms_key("orders")
            assert fleece_xray.subsegments == []
    """)
    run("-p", "xdist", "-n", "2").assert_outcomes(passed=4)


@pytest.mark.parametrize(
    ("fixture", "package"),
    [
        ("fleece_api", "werkzeug"),
        ("fleece_aws", "werkzeug"),
        ("fleece_aws", "moto"),
        ("fleece_aws", "flask_cors"),
        ("fleece_kms", "moto"),
        ("fleece_rackspace", "werkzeug"),
        ("fleece_xray", "werkzeug"),
        ("fleece_docker", "werkzeug"),
        ("fleece_runtime", "werkzeug"),
        ("fleece_cli", "click"),
        ("fleece_cli", "yaml"),
    ],
)
def test_a_missing_extra_is_one_clear_line(pytester, run, at_start, fixture, package):
    """A fixture whose packages are not installed says which is missing and what to install, and nothing else."""
    at_start(f"""
        import sys

        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == {package!r}:
                    raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

        sys.meta_path.insert(0, Missing())
    """)
    pytester.makepyfile(f"def test_it({fixture}): pass\ndef test_other(fleece_context, fleece_events): pass")
    result = run()
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines([f"The fixture * needs the package '{package}': pip install 'fleece[[]testing]'"])
    assert "During handling" not in result.stdout.str()


def test_a_fault_of_the_package_itself_is_no_missing_extra(pytester, run, at_start):
    """Where a module of fleece_testing cannot be found, that is what is said."""
    at_start("import sys; sys.modules['fleece_testing.context'] = None")
    pytester.makepyfile("def test_it(fleece_context): pass")
    result = run()
    result.assert_outcomes(errors=1)
    assert "pip install" not in result.stdout.str()


def test_the_context_is_parametrised_indirectly(pytester, run):
    """Indirect parametrisation gives the keywords that every context starts from, those of `fleece_api` too."""
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("fleece_context", [{"function_name": "users"}], indirect=True)
        def test_it(fleece_context, fleece_api):
            assert fleece_context().function_name == "users"
            assert fleece_context(function_name="orders").function_name == "orders"
            echo = lambda event, context: {"statusCode": 200, "body": context.function_name}
            assert fleece_api(echo).get("/").text == "users"
    """)
    run().assert_outcomes(passed=1)


def test_a_fixture_can_be_overridden(pytester, run):
    """A project's ``conftest.py`` overrides a fixture, and what builds on it follows."""
    pytester.makeconftest("""
        import pytest
        from fleece_testing import AWS

        @pytest.fixture(scope="session")
        def fleece_aws_server():
            with AWS(region="eu-west-1", account="111111111111") as aws:
                yield aws
    """)
    pytester.makepyfile(
        app="""
        import os

        def main(event, context):
            return [os.environ["AWS_REGION"], context.invoked_function_arn.split(":")[3:5]]
    """
    )
    pytester.makepyfile("""
        import boto3

        def test_it(fleece_aws, fleece_runtime):
            assert boto3.client("sts").get_caller_identity()["Account"] == "111111111111"
            assert boto3.client("kms").meta.region_name == "eu-west-1"
            assert fleece_runtime(".", "app.main").invoke().result == ["eu-west-1", ["eu-west-1", "111111111111"]]
            other = fleece_runtime(".", "app.main", region="us-west-2").invoke()
            assert other.result == ["us-west-2", ["us-west-2", "111111111111"]]
    """)
    run().assert_outcomes(passed=1)


def test_what_leads_to_a_real_account_is_out_of_reach(pytester, run, monkeypatch):
    """Profiles, keys, endpoints, configuration files and proxies of this machine stay away, and are back afterwards."""
    config = pytester.makefile(".ini", config="[profile corporate]\nsso_session = corporate\nregion = ap-southeast-2\n")
    closed = "http://127.0.0.1:9"  # the discard port: nobody listens
    surroundings = {
        "AWS_PROFILE": "corporate",
        "AWS_CONFIG_FILE": str(config),
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_ENDPOINT_URL": closed,
        "AWS_ENDPOINT_URL_KMS": closed,
        "HTTP_PROXY": closed,
        "http_proxy": closed,
        "no_proxy": "example.com",
        "RS_USERNAME": "me",
        "RS_API_KEY": "real",
    }
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    pytester.makepyfile(f"""
        import os
        import subprocess
        import sys

        import boto3
        import requests

        REAL = {surroundings}

        def test_aws(fleece_aws):
            fleece_aws.kms_key("orders")
            assert len(boto3.client("kms").list_keys()["Keys"]) == 1
            assert len(fleece_aws.client("kms").list_keys()["Keys"]) == 1
            child = "import boto3; print(boto3.client('kms').list_keys()['Keys'][0]['KeyArn'].split(':')[3])"
            output = subprocess.run([sys.executable, "-c", child], stdout=subprocess.PIPE, text=True, check=True).stdout
            assert output == fleece_aws.region + "\\n"
            assert os.environ["no_proxy"].startswith("example.com,")

        def test_rackspace(fleece_rackspace):
            assert os.environ["RS_USERNAME"] != "me"
            assert requests.get(fleece_rackspace.url + "/v2.0/nothing").status_code == 404

        def test_runtime(fleece_runtime, fleece_aws):
            runtime = fleece_runtime(".", "app.main")
            assert runtime.invoke(deadline=20).result == 0

        def test_afterwards():
            assert {{name: os.environ[name] for name in REAL}} == REAL
    """)
    pytester.makepyfile(
        app="""
        import boto3

        def main(event, context):
            return len(boto3.client("kms").list_keys()["Keys"])
    """
    )
    run().assert_outcomes(passed=4)


def test_the_clients_of_the_emulated_aws_use_no_proxy(fleece_aws_server, monkeypatch):
    """A client of the emulated AWS goes straight to it, whatever proxy is configured and whatever `config` is given."""
    from botocore.config import Config

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for options in ({}, {"config": Config(user_agent_extra="orders")}):
        client = fleece_aws_server.client("sts", **options)
        assert client.get_caller_identity()["Account"] == fleece_aws_server.account


def test_a_function_is_led_to_the_stubs_of_its_test(pytester, run):
    """A function under the real runtime client calls the test's AWS, and its traces reach the test's daemon."""
    pytester.mkdir("src")
    pytester.makepyfile(**{"src/handler": ORDER_SERVICE})
    pytester.makepyfile("""
        def test_order_is_accepted(fleece_runtime, fleece_xray, fleece_aws):
            fleece_aws.kms_key("orders")
            runtime = fleece_runtime("src", "handler.lambda_handler")
            invocation = runtime.invoke({"order_id": 7}, trace_header=fleece_xray.trace_header, deadline=20)
            assert invocation.error is None
            assert invocation.result == {"accepted": 7, "keys": 1}
            assert invocation.log_lines[0]["lambda_request_id"] == invocation.request_id
            fleece_xray.assert_subsegment("lambda_handler", parent=fleece_xray.parent_id)
            assert [one["name"] for one in invocation.subsegments] == ["lambda_handler"]

        def test_default_header(fleece_runtime, fleece_xray, fleece_aws):
            fleece_runtime("src", "handler.lambda_handler").invoke({"order_id": 7}, deadline=20)
            fleece_xray.assert_subsegment("lambda_handler", trace_id=fleece_xray.trace_id)

        def test_own_environment_goes_over_it(fleece_runtime, fleece_aws):
            own = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
            runtime = fleece_runtime("src", "handler.lambda_handler", environment=own)
            assert runtime.invoke({"order_id": 7}, deadline=20).error.type == "EndpointConnectionError"

        def test_no_stub_no_credentials(fleece_runtime):
            runtime = fleece_runtime("src", "handler.lambda_handler", environment={"AWS_MAX_ATTEMPTS": "1"})
            assert runtime.invoke({"order_id": 7}, deadline=20).error.type == "NoCredentialsError"
    """)
    run().assert_outcomes(passed=4)


def test_a_datagram_that_x_ray_would_drop_fails_the_test(pytester, run):
    """What the daemon or the service would refuse is an error of the test that sent it, with the reason."""
    pytester.makepyfile("""
        import socket

        def test_it(fleece_xray):
            host, port = fleece_xray.address.split(":")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"no header", (host, int(port)))
    """)
    result = run()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*X-Ray would have dropped 1 datagram(s):*"])


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for children in /proc")
def test_nothing_is_left_after_a_failing_test(pytester, run, monkeypatch):
    """After tests that pass, fail and cannot boot their function no process, thread, socket or folder is left."""
    temporary = pytester.mkdir("temporary")
    monkeypatch.setenv("TMPDIR", str(temporary))
    pytester.makeconftest("""
        import pathlib, threading

        def pytest_sessionfinish():
            threads = [thread.name for thread in threading.enumerate() if "fleece" in thread.name]
            children = [path.read_text() for path in pathlib.Path("/proc/self/task").glob("*/children")]
            print("left:", threads, "".join(children).split())
    """)
    pytester.makepyfile(app="def main(event, context): return event", broken="1 / 0")
    pytester.makepyfile("""
        def test_passes(fleece_runtime, fleece_xray, fleece_rackspace):
            fleece_runtime(".", "app.main").invoke()

        def test_fails(fleece_runtime, fleece_xray, fleece_aws):
            assert fleece_runtime(".", "app.main").invoke(1) is None

        def test_does_not_boot(fleece_runtime):
            fleece_runtime(".", "broken.main")
    """)
    result = run("-s", f"--basetemp={pytester.path / 'base'}")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*left: [[][]] [[][]]"])
    assert list(temporary.iterdir()) == []
