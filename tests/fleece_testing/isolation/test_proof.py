"""The proof that nothing leaves: the packets of a network of its own are counted, and there are none."""

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

# A machine that has every address: what would leave another one is refused on lo at once, and counted there.
NETWORK = """
    ip link set lo up && ip route add local default dev lo && ip -6 route add local default dev lo && exec "$@"
"""
IN_NETWORK = ["unshare", "--map-root-user", "--net", "sh", "-c", NETWORK, "sh"]

TRY = """
import contextlib, socket

for family, host in ((socket.AF_INET, "198.51.100.1"), (socket.AF_INET6, "2001:db8::1"), (socket.AF_INET, "a.invalid")):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with contextlib.suppress(OSError), socket.socket(family, kind) as sock:
            sock.connect((host, 8053))
            sock.send(b"x")
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", (host, 8053))
    with contextlib.suppress(OSError):
        socket.gethostbyaddr(host)
"""
WAYS = """
    import asyncio, multiprocessing, pathlib, subprocess, sys
    import pytest

    TRY = pathlib.Path("test_import.py").read_text()

    def packets():
        return int(pathlib.Path("/proc/self/net/dev").read_text().partition("lo:")[2].split()[1])

    async def connect():
        await asyncio.open_connection("198.51.100.1", 80)

    async def look_up():
        await asyncio.open_connection("a.invalid", 80)

    def run(coroutine):
        with pytest.raises(OSError):
            asyncio.run(coroutine)

    def fork():
        child = multiprocessing.get_context("fork").Process(target=exec, args=(TRY, {}))
        child.start()
        child.join()

    WAYS = {
        "here": lambda: exec(TRY, {}),
        "asyncio": lambda: run(connect()),
        "asyncio-look-up": lambda: run(look_up()),
        "child": lambda: subprocess.run([sys.executable, "-c", TRY]),
        "fork": fork,
    }

    def test_import():
        print("counted", "import", packets())

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.filterwarnings("ignore:.*fork")
    def test_it(way):
        before = packets()
        WAYS[way]()
        print("counted", way, packets() - before)
"""


@pytest.fixture
def packets(pytester, monkeypatch):
    """Run tests that try to leave, one way after the other, and return how many packets each way has sent."""
    try:
        subprocess.run([*IN_NETWORK, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a network namespace takes unshare, ip (of iproute2), and the right to make one")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)  # the guard of this suite's own session
    pytester.makepyfile(test_import=TRY, test_ways=WAYS)

    def count(*options):
        arguments = ["-s", "-p", "fleece_testing.plugin", "--continue-on-collection-errors", *options]
        result = pytester.run(*IN_NETWORK, sys.executable, "-m", "pytest", *arguments)
        lines = [line.split("counted ")[1].split() for line in result.outlines if "counted " in line]
        return {way: int(number) for way, number in lines}

    return count


def test_no_packet_leaves(packets):
    """Each way sends packets, and none in an isolated session: at import, here, in asyncio, in a child, in a fork."""
    open_session = packets()
    assert set(open_session) == {"import", "here", "asyncio", "asyncio-look-up", "child", "fork"}
    assert all(open_session.values())
    assert packets("--fleece-isolate") == dict.fromkeys(open_session, 0)
