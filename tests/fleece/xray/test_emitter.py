"""Datagrams to the daemon, wherever it is, and whether or not it is there."""

import os
import socket
import threading

import pytest

from fleece import xray
from fleece._defaults import defaults
from fleece_testing.xray_daemon import XRayDaemon

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture(autouse=True)
def own_link(trace):
    """Begin and end with no socket of another test's."""
    trace(TRACE)
    defaults.forget("xray.link")
    yield
    defaults.forget("xray.link")


@pytest.fixture
def address(monkeypatch):
    """Say where the daemon is."""

    def put(text):
        if text is None:
            monkeypatch.delenv("AWS_XRAY_DAEMON_ADDRESS", raising=False)
        else:
            monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", text)

    return put


def work():
    """Make one traced call."""
    return xray.trace_xray_subsegment()(lambda: "result")()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("169.254.79.129:2000", ("169.254.79.129", 2000)),
        ("127.0.0.1", ("127.0.0.1", 2000)),
        ("tcp:127.0.0.1:2001 udp:127.0.0.2:2002", ("127.0.0.2", 2002)),
        ("udp:127.0.0.2:2002 tcp:127.0.0.1:2001", ("127.0.0.2", 2002)),
        ("UDP:daemon.internal:2002", ("daemon.internal", 2002)),
        ("[::1]:2003", ("::1", 2003)),
        ("[fe80::1%eth0]:2003", ("fe80::1%eth0", 2003)),
        ("udp:[::1]:2003 tcp:[::1]:2004", ("::1", 2003)),
        ("::1", ("::1", 2000)),
        (" 127.0.0.1:2000 ", ("127.0.0.1", 2000)),
    ],
)
def test_the_daemons_address_is_read(address, text, expected):
    """Every form that AWS's own SDKs and daemon take."""
    address(text)
    daemon = xray.get_xray_daemon()
    assert daemon == expected
    assert (daemon.ip_address, daemon.port) == expected


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "tcp:127.0.0.1:2000",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:x",
        "a b",
        ":2000",
        "udp:",
        "[x]:1",
    ],
)
def test_an_address_that_cannot_be_read_is_told_and_never_raised_through_a_call(address, text):
    """`get_xray_daemon` says what was found and what to set; a traced call goes on."""
    address(text)
    with pytest.raises(xray.XRayDaemonNotFoundError, match=r"AWS_XRAY_DAEMON_ADDRESS is .* set it to HOST:PORT"):
        xray.get_xray_daemon()
    assert work() == "result"


def test_datagrams_arrive_over_ipv6(address):
    """A daemon on `[::1]` gets them."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("::1", 0))
        daemon.settimeout(5)
        address(f"tcp:[::1]:1 udp:[::1]:{daemon.getsockname()[1]}")
        assert work() == "result"
        assert daemon.recv(65_507).startswith(b'{"format": "json", "version": 1}\n{"type":"subsegment"')


def test_a_name_is_resolved_without_waiting(address):
    """What comes before the answer is dropped; what comes after it arrives."""
    with XRayDaemon() as daemon:
        address(daemon.address.replace("127.0.0.1", "localhost"))
        for thread in _until_resolved(work):
            thread.join()
        work()
        assert len(daemon.subsegments) >= 1
        daemon.check()


def test_a_name_is_resolved_once_and_not_in_the_caller(address, monkeypatch):
    """A resolver that answers nothing costs one thread, which nobody waits for."""
    asked, answer = [], threading.Event()

    def getaddrinfo(host, *args, **kwargs):
        asked.append((host, threading.current_thread() is threading.main_thread()))
        answer.wait()
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    address("daemon.invalid:2000")
    threads = _until_resolved(work)
    assert [work() for _ in range(20)] == ["result"] * 20
    answer.set()
    for thread in threads:
        thread.join()
    assert [work() for _ in range(20)] == ["result"] * 20
    assert asked == [("daemon.invalid", False)]


def test_an_answer_that_comes_too_late_is_not_used(address, monkeypatch):
    """When the environment names another daemon by then."""
    asked, answer = threading.Event(), threading.Event()
    with XRayDaemon() as late, XRayDaemon() as daemon:
        found = socket.getaddrinfo(*late.address.split(":"), type=socket.SOCK_DGRAM)

        def getaddrinfo(*args, **kwargs):
            asked.set()
            answer.wait()
            return found

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        address("daemon.invalid:2000")
        threads = _until_resolved(work)
        asked.wait()
        address(daemon.address)
        work()
        answer.set()
        for thread in threads:
            thread.join()
        work()
        assert (len(late.subsegments), len(daemon.subsegments)) == (0, 2)


def _until_resolved(call):
    """Make a call, and return the threads that it has started."""
    before = set(threading.enumerate())
    call()
    return [thread for thread in threading.enumerate() if thread not in before]


def test_nobody_listening_is_nothing(address):
    """The refusal that comes back is not the caller's business."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        address(f"127.0.0.1:{gone.getsockname()[1]}")
    assert [work() for _ in range(50)] == ["result"] * 50


UNROUTABLE = ["127.255.255.255:2000", "255.255.255.255:2000", "[fe80::1]:2000", "[100::1]:2000"]


@pytest.mark.fleece_expects_refusal
@pytest.mark.parametrize("text", UNROUTABLE)
def test_an_address_that_leads_nowhere_is_nothing(address, text):
    """Broadcasts that the kernel forbids, a link that is not named, a network for what is to be discarded."""
    address(text)
    assert [work() for _ in range(50)] == ["result"] * 50


def test_what_the_kernel_refuses_is_no_accident_of_this_machine():
    """The first of the addresses above is refused at once, so that the test above is about refusals too."""
    host, _, port = UNROUTABLE[0].rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain, pytest.raises(OSError):
        plain.connect((host, int(port)))


class Full(socket.socket):
    """A socket whose queue is full after a few datagrams; one of another family, since UDP's never is on loopback."""

    daemon = ""
    refusals = 0

    def __init__(self, *_):
        super().__init__(socket.AF_UNIX, socket.SOCK_DGRAM)

    def connect(self, _):
        super().connect(Full.daemon)

    def send(self, datagram, *flags):
        try:
            return super().send(datagram, *flags)
        except BlockingIOError:
            Full.refusals += 1
            raise


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no such sockets here")
def test_a_full_socket_drops_and_does_not_wait(address, monkeypatch, tmp_path):
    """What the kernel has no room for is dropped; when there is room again, datagrams arrive."""
    monkeypatch.setattr(socket, "socket", Full)
    monkeypatch.setattr(Full, "daemon", str(tmp_path / "daemon"))
    monkeypatch.setattr(Full, "refusals", 0)
    with Full() as stuck:
        stuck.bind(Full.daemon)
        stuck.setblocking(False)
        address("127.0.0.1:2000")
        assert [work() for _ in range(500)] == ["result"] * 500
        assert Full.refusals > 0
        for _ in range(2 * 500 - Full.refusals):
            stuck.recv(65_507)
        work()
        assert b'"in_progress":true' in stuck.recv(65_507)


@pytest.fixture
def made(monkeypatch):
    """Collect the sockets that are made."""
    sockets = []

    class Socket(socket.socket):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            sockets.append(self)

    monkeypatch.setattr(socket, "socket", Socket)
    return sockets


def test_a_socket_that_somebody_closes_is_made_anew(address, made):
    """As programs do that close every descriptor they find: one datagram is lost, and the others arrive."""
    with XRayDaemon() as daemon:
        made.clear()
        address(daemon.address)
        work()
        [first] = made
        os.close(first.fileno())
        assert [work() for _ in range(3)] == ["result"] * 3
        assert len(made) == 2
        assert len(daemon.subsegments) >= 3


def test_a_file_that_takes_the_place_of_the_socket_is_left_alone(address, made, tmp_path):
    """Its number is the socket's, which is forgotten and not closed."""
    with XRayDaemon() as daemon, (tmp_path / "file").open("wb") as file:
        made.clear()
        address(daemon.address)
        work()
        [first] = made
        number = first.fileno()
        os.dup2(file.fileno(), number)  # which closes the socket
        try:
            assert [work() for _ in range(3)] == ["result"] * 3
            del first
            made.clear()
            assert os.path.sameopenfile(number, file.fileno())
        finally:
            os.close(number)
        work()
        assert len(daemon.subsegments) >= 4
    assert (tmp_path / "file").read_bytes() == b""


def test_a_full_buffer_drops_and_does_not_wait(address):
    """A daemon that reads nothing, as behind a black hole, costs no error."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.bind(("127.0.0.1", 0))
        address(f"127.0.0.1:{stuck.getsockname()[1]}")
        assert [work() for _ in range(500)] == ["result"] * 500


def test_the_daemon_may_move(address):
    """The address is read anew each time, and the old socket is closed."""
    with XRayDaemon() as first, XRayDaemon() as second:
        address(first.address)
        work()
        address(second.address)
        work()
        work()
        assert (len(first.subsegments), len(second.subsegments)) == (1, 2)


def test_one_socket_serves_all_threads(address):
    """The source port, which the daemon sees, is the same for each."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(5)
        address(f"127.0.0.1:{daemon.getsockname()[1]}")
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({daemon.recvfrom(65_507)[1] for _ in range(16)}) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forking with threads, which is the point
def test_a_forked_child_has_a_socket_of_its_own(address):
    """Its datagrams come from another port than the parent's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(5)
        address(f"127.0.0.1:{daemon.getsockname()[1]}")
        work()
        child = os.fork()
        if child == 0:  # pragma: no cover (coverage does not see it)
            work()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        work()
        ports = [daemon.recvfrom(65_507)[1] for _ in range(6)]
        assert len(set(ports)) == 2
        assert ports[0] == ports[5] != ports[2]


def test_the_socket_does_not_block(address, made):
    """Loopback drops what does not fit; a real interface would let a blocking sender wait."""
    address("127.0.0.1:2000")
    work()
    work()
    assert [one.getblocking() for one in made] == [False]


def test_a_daemon_that_comes_back_misses_nothing(address, monkeypatch):
    """The refusal of an earlier datagram does not cost the next one."""
    with XRayDaemon() as daemon:
        port = int(daemon.address.rpartition(":")[2])
        address(daemon.address)
    with monkeypatch.context() as patch:
        patch.setenv("FLEECE_XRAY_IN_PROGRESS", "0")  # a second datagram would have met the refusal of the first
        work()
    with XRayDaemon(port=port) as daemon:
        work()
        assert len(daemon.documents) == 2


def test_an_address_that_cannot_be_reached_is_tried_again(address, monkeypatch):
    """The network of a restored snapshot may come up after the function."""
    connect, down = socket.socket.connect, [True]

    class Socket(socket.socket):
        def connect(self, where):
            if down:
                raise OSError("Network is unreachable")
            connect(self, where)

    monkeypatch.setattr(socket, "socket", Socket)
    with XRayDaemon() as daemon:
        address(daemon.address)
        assert work() == "result"
        down.clear()
        work()
        assert len(daemon.subsegments) == 1


def test_whatever_sending_raises_stays_inside(address, monkeypatch):
    """An audit hook or a broken socket module does not reach the caller."""

    def broken(*args, **kwargs):
        raise ZeroDivisionError

    address("127.0.0.1:2000")
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", broken)
        assert work() == "result"

    class Socket(socket.socket):
        send = broken

    monkeypatch.setattr(socket, "socket", Socket)
    for in_progress in "10":  # the first of the two documents, and the last
        monkeypatch.setenv("FLEECE_XRAY_IN_PROGRESS", in_progress)
        assert work() == "result"
