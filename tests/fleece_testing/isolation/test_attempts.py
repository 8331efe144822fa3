"""What an isolated session does with attempts to leave the machine: none gets out, each is reported with its line."""

import pytest

pytest_plugins = ["pytester"]

WAYS = """
    import asyncio, contextlib, multiprocessing, socket, subprocess, sys, threading, urllib.request
    import pytest

    swallowed = contextlib.suppress(OSError)

    def test_connection():
        with swallowed, socket.socket() as sock:
            sock.connect(("198.51.100.1", 80))

    def test_datagram():
        with swallowed, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"x", ("198.51.100.2", 80))

    def test_look_up():
        with swallowed:
            socket.gethostbyname("look-up.invalid")

    def test_name_in_an_address():
        with swallowed, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"x", ("in-address.invalid", 80))

    def test_url():
        with swallowed:
            urllib.request.urlopen("https://url.invalid")

    async def open_connection(host):
        await asyncio.open_connection(host, 80)

    def test_asyncio():
        with swallowed:
            asyncio.run(open_connection("198.51.100.3"))

    def test_asyncio_look_up():
        with swallowed:
            asyncio.run(open_connection("asyncio.invalid"))

    def test_thread():
        thread = threading.Thread(target=socket.getfqdn, args=("thread.invalid",))
        thread.start()
        thread.join()

    CHILD = "import socket" + chr(10) + "socket.getfqdn('child.invalid')"

    def test_child():
        subprocess.run([sys.executable, "-c", CHILD])

    def test_grandchild():
        subprocess.run(["sh", "-c", '"$0" -c "$1"', sys.executable, CHILD.replace("child", "grandchild")])

    def ask(name):
        socket.getfqdn(name)

    @pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
    @pytest.mark.filterwarnings("ignore:.*fork")
    def test_multiprocessing(method):
        process = multiprocessing.get_context(method).Process(target=ask, args=(method + ".invalid",))
        process.start()
        process.join()
"""
REPORTS = {
    "connect to 198.51.100.1:80": 'sock.connect(("198.51.100.1", 80))',
    "send to 198.51.100.2:80": 'sock.sendto(b"x", ("198.51.100.2", 80))',
    "look up the name look-up.invalid": 'socket.gethostbyname("look-up.invalid")',
    "look up the name in-address.invalid": 'sock.sendto(b"x", ("in-address.invalid", 80))',
    "connect to 127.0.0.1:4, the dead proxy of isolated sessions, for url.invalid": "urllib.request.urlopen(",
    "connect to 198.51.100.3:80": "await asyncio.open_connection(host, 80)",
    "look up the name asyncio.invalid": "await asyncio.open_connection(host, 80)",
    "look up the name thread.invalid": "thread.start()",
    "look up the name child.invalid": "at <string>:2 in <module>",
    "look up the name grandchild.invalid": "at <string>:2 in <module>",
    "look up the name fork.invalid": "socket.getfqdn(name)",
    "look up the name spawn.invalid": "socket.getfqdn(name)",
    "look up the name forkserver.invalid": "socket.getfqdn(name)",
}


@pytest.mark.parametrize("options", [[], ["-p", "xdist", "-n", "2"], ["-p", "randomly"]], ids=" ".join)
def test_every_way_out(pytester, isolated, options):
    """Each way out is refused, and an error of its own test that names the line, though the test swallowed it."""
    pytester.makepyfile(test_ways=WAYS)
    result = isolated(*options)
    result.assert_outcomes(passed=len(REPORTS), errors=len(REPORTS))
    told = "\n".join(result.outlines).partition("short test summary")[0]
    sections = told.split(" ERROR at teardown of ")[1:]
    assert len(sections) == len(REPORTS)
    for what, line in REPORTS.items():
        (section,) = [section for section in sections if f"  {what}\n" in section]
        assert line in section
        assert section.count("refused to leave") == 1


def test_the_error_is_one_that_programs_expect(pytester, isolated):
    """A refused connection is an unreachable network, a refused look-up a name that is not there; both say why."""
    pytester.makepyfile("""
        import errno, socket
        import pytest

        def test_it():
            with socket.socket() as sock, pytest.raises(OSError, match="fleece_isolate: refused to connect") as caught:
                sock.connect(("198.51.100.1", 80))
            assert caught.value.errno == errno.ENETUNREACH
            with socket.socket() as sock:
                assert sock.connect_ex(("198.51.100.1", 80)) == errno.ENETUNREACH
            with pytest.raises(socket.gaierror, match="fleece_isolate: refused to look up") as caught:
                socket.getaddrinfo("a.invalid", 80)
            assert caught.value.errno == socket.EAI_NONAME
    """)
    isolated().assert_outcomes(passed=1, errors=1)


def test_repeated_attempts_are_told_once(pytester, reported):
    """The same attempt from the same line is told once, and counted: clients try more than once."""
    pytester.makepyfile("""
        import socket

        def test_it():
            for _ in range(3):
                socket.getfqdn("a.invalid")
    """)
    assert [attempt[0] for attempt in reported()] == ["look up the name a.invalid (3 times)"]


def test_a_test_that_fails_by_itself_shows_both(pytester, isolated):
    """What a fixture's teardown raises is shown, and what was tried beside it."""
    pytester.makepyfile("""
        import socket
        import pytest

        @pytest.fixture
        def broken():
            yield
            raise RuntimeError("teardown is broken")

        def test_it(broken):
            socket.getfqdn("a.invalid")
    """)
    result = isolated()
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*RuntimeError: teardown is broken", "*look up the name a.invalid"])


def test_attempts_while_a_module_is_imported(pytester, isolated):
    """A module that tries to leave while it is imported is an error of its own, though it swallowed the error."""
    pytester.makepyfile(
        test_client="""
            import boto3
            from botocore.config import Config

            client = boto3.client("sts", config=Config(retries={"total_max_attempts": 1}))
            try:
                client.get_caller_identity()
            except Exception:
                pass

            def test_it(): pass
        """,
        test_raising="import socket; socket.create_connection(('198.51.100.1', 80))",
        test_other="def test_it(): pass",
    )
    result = isolated("--continue-on-collection-errors")
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*ERROR collecting test_client.py*",
            "  connect to 127.0.0.1:4, the dead proxy of isolated sessions, for sts.*amazonaws.com",
            "    at test_client.py:6 in <module>",
            "      client.get_caller_identity()",
            "*ERROR collecting test_raising.py*",
            "  connect to 198.51.100.1:80",
            "    at test_raising.py:1 in <module>",
        ]
    )


def test_attempts_of_a_session_fixture(pytester, isolated):
    """What a session fixture tries is reported with the test that asks for it first, and with the last at its end."""
    pytester.makepyfile("""
        import socket
        import pytest

        @pytest.fixture(scope="session")
        def session():
            socket.getfqdn("setup.invalid")
            yield
            socket.getfqdn("teardown.invalid")

        def test_first(session): pass
        def test_middle(session): pass
        def test_last(session): pass
    """)
    result = isolated()
    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines(
        ["*teardown of test_first*", "*setup.invalid", "*teardown of test_last*", "*teardown.invalid"]
    )


@pytest.mark.parametrize("options", [[], ["-p", "xdist", "-n", "2"]], ids=" ".join)
def test_attempts_outside_of_all_tests(pytester, isolated, options):
    """What a conftest tries as it is imported, or a hook at the end, is told in the summary; the session fails."""
    pytester.makeconftest("""
        import socket

        socket.getfqdn("start.invalid")

        def pytest_sessionfinish():
            socket.getfqdn("end.invalid")
    """)
    pytester.makepyfile("def test_it(): pass")
    result = isolated(*options)
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*fleece_isolate: outside of all tests*", "  look up the name start.invalid"])
    result.stdout.fnmatch_lines(["  look up the name end.invalid"])


def test_a_child_that_outlives_its_test(pytester, reported):
    """What a child tries after its test is reported at the next end of a test, with the name of its own."""
    pytester.makepyfile("""
        import subprocess, sys
        import pytest

        @pytest.fixture(scope="module")
        def children():
            started = []
            yield started

        CHILD = "import socket, sys; sys.stdin.read(); socket.getfqdn('late.invalid')"

        def test_first(children):
            children.append(subprocess.Popen([sys.executable, "-c", CHILD], stdin=subprocess.PIPE))

        def test_second(children):
            children[0].communicate()
    """)
    (attempt,) = reported("-p", "no:randomly")
    assert attempt[0] == "look up the name late.invalid"
    assert attempt[-1] == "of test_a_child_that_outlives_its_test.py::test_first"


def test_a_test_that_tries_on_purpose(pytester, isolated):
    """A test that is marked to expect it is refused as any other, and not reported; the next one is."""
    pytester.makepyfile("""
        import socket
        import pytest

        @pytest.mark.fleece_expects_refusal
        def test_marked():
            with pytest.raises(OSError, match="fleece_isolate"):
                socket.create_connection(("198.51.100.1", 80))

        def test_other():
            socket.getfqdn("a.invalid")
    """)
    result = isolated("--strict-markers")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_other*"])
