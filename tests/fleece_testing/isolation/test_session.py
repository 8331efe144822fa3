"""What an isolated session is to the tests in it: loopback, dummies for credentials, and the guard in every child."""

import pytest

pytest_plugins = ["pytester"]


def test_what_stays_on_the_machine_works(pytester, isolated):
    """Loopback by address and name, servers on all addresses, unix sockets and this machine's own name just work."""
    pytester.makepyfile("""
        import asyncio, http.server, socket, threading, urllib.request

        def test_server_and_clients():
            server = http.server.HTTPServer(("", 0), http.server.SimpleHTTPRequestHandler)
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            port = server.server_port

            async def connect():
                _, writer = await asyncio.open_connection("localhost", port)
                writer.close()
                await writer.wait_closed()

            for host in ("127.0.0.1", "localhost", "0.0.0.0"):
                with urllib.request.urlopen(f"http://{host}:{port}") as answer:
                    assert answer.status == 200
            asyncio.run(connect())
            server.shutdown()
            thread.join()
            server.server_close()

        def test_datagrams_and_unix_sockets(tmp_path, monkeypatch):
            monkeypatch.chdir(tmp_path)
            for family, address in ((socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_UNIX, "socket")):
                with socket.socket(family, socket.SOCK_DGRAM) as one, socket.socket(family, socket.SOCK_DGRAM) as other:
                    one.bind(address)
                    other.sendto(b"a", one.getsockname())
                    other.connect(one.getsockname())
                    other.sendmsg([b"b"])
                    other.send(b"c")
                    assert [one.recv(1) for _ in range(3)] == [b"a", b"b", b"c"]

        def test_names():
            socket.getaddrinfo(socket.gethostname(), 80)
            assert socket.getaddrinfo("198.51.100.1", 80)[0][4] == ("198.51.100.1", 80)
            socket.getfqdn()
    """)
    isolated().assert_outcomes(passed=3)


def test_the_fixtures_work_with_it(pytester, isolated):
    """The emulators are on loopback, Docker's on a unix socket: boto3, requests, docker and a function reach them."""
    pytester.makepyfile(
        test_it="""
            import boto3, docker, requests

            def test_it(fleece_aws, fleece_rackspace, fleece_xray, fleece_docker, fleece_runtime):
                client = docker.from_env()
                assert client.ping()
                client.close()
                fleece_aws.kms_key("orders")
                assert len(boto3.client("kms").list_keys()["Keys"]) == 1
                assert requests.get(fleece_rackspace.url + "/v2.0/nothing").status_code == 404
                for isolated in (False, True):
                    assert fleece_runtime(".", "app.main", isolated=isolated).invoke().result == 1
        """,
        app="""
            import boto3

            def main(event, context):
                return len(boto3.client("kms").list_keys()["Keys"])
        """,
    )
    isolated().assert_outcomes(passed=1)


def test_a_function_under_the_runtime_client_is_guarded(pytester, reported):
    """What a function of fleece_runtime tries is reported, with or without the interpreter's own packages."""
    pytester.makepyfile(
        test_it="""
            def test_it(fleece_runtime):
                for isolated in (False, True):
                    fleece_runtime(".", "app.main", isolated=isolated).invoke(str(isolated))
        """,
        app="""
            import socket

            def main(event, context):
                socket.getfqdn(event + ".invalid")
        """,
    )
    attempts = reported()
    assert [attempt[0] for attempt in attempts] == ["look up the name False.invalid", "look up the name True.invalid"]
    assert all("app.py:4 in main" in attempt[1] for attempt in attempts)


def test_a_container_is_guarded(pytester, reported):
    """What Python in a container of fleece_docker tries is reported, though it inherits no variable."""
    pytester.makepyfile("""
        import contextlib, docker

        def test_it(fleece_docker):
            fleece_docker.image("example/python:3")
            command = ["python3", "-c", "import socket; socket.getfqdn('container.invalid')"]
            with contextlib.closing(docker.from_env()) as client:
                client.containers.run("example/python:3", command, environment={"PYTHONPATH": "/opt"}, remove=True)
    """)
    (attempt,) = reported()
    assert attempt[0] == "look up the name container.invalid"


def test_credentials_and_profiles_are_replaced_by_dummies(pytester, isolated, monkeypatch):
    """Before anything is imported, credentials of AWS and Rackspace are dummies, good for making clients."""
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ENDPOINT_URL_KMS"):
        monkeypatch.setenv(name, "mine")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "RS_USERNAME", "RS_API_KEY"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("HTTPS_PROXY", "http://mine:1")
    monkeypatch.setenv("NO_PROXY", "mine")
    pytester.makeconftest("""
        import boto3

        assert boto3.client("kms").meta.region_name == "us-east-1"
        CREDENTIALS = boto3.Session().get_credentials().get_frozen_credentials()
    """)
    pytester.makepyfile("""
        import os, subprocess
        from conftest import CREDENTIALS

        def test_it():
            assert set(CREDENTIALS[:3]) == {"isolated-by-fleece"}
            assert os.environ["RS_USERNAME"] == os.environ["RS_API_KEY"] == "isolated-by-fleece"
            assert os.environ["AWS_EC2_METADATA_DISABLED"] == "true"
            assert "mine" not in os.environ.values()

        def test_other_programs_get_dead_proxies():
            listed = subprocess.run(["env"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                assert f"{name}=http://127.0.0.1:4" in listed
                assert f"{name.lower()}=http://127.0.0.1:4" in listed
            assert "mine" not in "".join(line for line in listed if line.lower().startswith("no_proxy"))
    """)
    isolated().assert_outcomes(passed=2)


def test_everything_is_as_before_at_the_end(pytester, monkeypatch):
    """A pytest that is run in this process leaves environment, sockets and threads as they were."""
    import os
    import socket
    import threading

    pytester.makepyfile("""
        import socket

        def test_it():
            socket.getfqdn("inside.invalid")
    """)
    monkeypatch.setenv("AWS_PROFILE", "mine")

    def state():
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        return variables, socket.socket.connect, threading.Thread.start

    before = state()
    result = pytester.inline_run("--fleece-isolate", "-p", "no:randomly", "-p", "no:cacheprovider")
    assert result.countoutcomes()[0] == 1
    (failed,) = [report for report in result.getreports("pytest_runtest_logreport") if report.failed]
    assert "inside.invalid" in str(failed.longrepr)
    assert state() == before


def test_sessions_nest(pytester, isolated):
    """A pytest inside an isolated one, in the same process, reports its own attempts, and the outer goes on after."""
    pytester.makepyfile("""
        import pathlib, socket
        import pytest

        def test_it(tmp_path):
            inner = tmp_path / "test_inner.py"
            inner.write_text("import socket\\ndef test_inner(): socket.getfqdn('inner.invalid')")
            assert pytest.main([str(inner), "-p", "fleece_testing.plugin", "--fleece-isolate"]) == 1
            socket.getfqdn("outer.invalid")
    """)
    result = isolated()
    result.assert_outcomes(passed=1, errors=1)
    told = "\n".join(result.outlines).partition("ERROR at teardown of test_it")[2].partition("Captured stdout")[0]
    assert "outer.invalid" in told
    assert "inner.invalid" not in told


def test_the_ini_key_and_a_conftest_that_loads_the_plugin(pytester, monkeypatch):
    """``fleece_isolate = true`` does it too, also where a conftest loads the plugin: before any test module."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\nfleece_isolate = true")
    pytester.makeconftest("pytest_plugins = ['fleece_testing.plugin']")
    pytester.makepyfile("import socket\nsocket.getfqdn('a.invalid')\ndef test_it(): pass")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["fleece: isolated*", "  look up the name a.invalid"])


def test_it_is_off_unless_asked_for(pytester, run):
    """Without the switch nothing of it is loaded, and neither the environment nor the socket module is changed."""
    pytester.makepyfile("""
        import os, socket, sys, threading

        def test_it():
            assert not [name for name in sys.modules if "_isolation" in name]
            assert not hasattr(threading.Thread.start, "__wrapped__") or "_fleece_guard.hook" in sys.modules
            assert "FLEECE_ISOLATE_PATH" not in os.environ
    """)
    run().assert_outcomes(passed=1)


def test_without_the_plugin(pytester):
    """With ``-p no:fleece`` the key in the ini file is one that pytest does not know, and nothing is isolated."""
    pytester.makeini("[pytest]\nfleece_isolate = true")
    pytester.makepyfile("import os\ndef test_it(): assert os.environ.get('RS_USERNAME') != 'isolated-by-fleece'")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RS_USERNAME", "me")
        result = pytester.runpytest_subprocess("-p", "no:fleece", "-p", "no:randomly")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*Unknown config option: fleece_isolate*"])


def test_a_childs_own_sitecustomize_still_runs(pytester, isolated, monkeypatch):
    """The guard hides another ``sitecustomize`` from Python, and runs it; the path of the child is as it was."""
    pytester.mkdir("start").joinpath("sitecustomize.py").write_text("import os; os.environ['STARTED'] = 'yes'")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path / "start"))
    pytester.makepyfile("""
        import subprocess, sys

        def test_it():
            code = "import os, sys, sitecustomize; print(os.environ['STARTED'], sitecustomize.__file__, *sys.path)"
            output = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True).stdout
            started, file, *path = output.split()
            assert started == "yes"
            assert file.endswith("start/sitecustomize.py")
            assert not [entry for entry in path if "fleece-isolate" in entry]
    """)
    isolated().assert_outcomes(passed=1)
