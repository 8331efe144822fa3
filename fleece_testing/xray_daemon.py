"""An X-Ray daemon on loopback that refuses what the real daemon, and the service behind it, refuse.

It works without pytest:

    with XRayDaemon() as daemon:
        os.environ.update(daemon.environment())
        ...
        daemon.assert_subsegment("users", annotations={"table": "users"})
        daemon.check()
"""

from __future__ import annotations

import json
import secrets
import threading
from typing import TYPE_CHECKING, Any

from fleece_testing import _xray_traces as traces
from fleece_testing._arguments import checked_list
from fleece_testing._lifecycle import Startable, not_started
from fleece_testing._trace_header import new_trace_id
from fleece_testing._xray_receiver import Receiver, listen
from fleece_testing._xray_rules import NAMESPACES, Document, Refused, validate
from fleece_testing._xray_sampling import sampling

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from mypy_boto3_xray import XRayClient
    from typing_extensions import Self

    from fleece_testing._http import LoopbackServer

__all__ = ["NAMESPACES", "Document", "Refused", "XRayDaemon", "validate"]

__tracebackhide__ = True  # pytest shows what fails here at the test's own line


_BATCH = 50  # documents in one call, as the daemon sends them


class XRayDaemon(Startable):
    """Receive traces over UDP, check them, and answer questions about them.

    What a program on this machine has sent before a question is asked is in the answer: nothing has to sleep. Only for
    senders that may still be at it (threads, live child processes) there is `wait_for`.

    Args:
        port: the port on ``127.0.0.1``, UDP for traces and TCP for sampling rules; 0 takes a free one.
        namespaces: the values of ``namespace`` to take. AWS's own SDK marks its subsegments ``local``, which the
            service's documentation does not know: add it to test code that uses that SDK.

    Raises:
        OSError: at `start`, when the port is taken.
        TypeError: `namespaces` is not a list.

    Examples:
        >>> from fleece.xray import subsegment
        >>> daemon = XRayDaemon().start()
        >>> for name, value in daemon.environment().items():
        ...     monkeypatch.setenv(name, value)
        >>> with subsegment("users") as users, subsegment("read"):
        ...     pass
        >>> daemon.address.startswith("127.0.0.1:"), daemon.trace_header.endswith(";Sampled=1")
        (True, True)
        >>> daemon.assert_subsegment("read", parent="users")["type"]
        'subsegment'
        >>> [one["name"] for one in daemon.subsegments], len(daemon.documents)
        (['read', 'users'], 4)
        >>> [[node.name for node in trace.roots[0].walk()] for trace in daemon.traces()]
        [['users', 'read']]
        >>> waited = daemon.wait_for(2)
        >>> daemon.forward(fleece_aws.client("xray"))
        >>> daemon.refused
        []
        >>> daemon.check()
        >>> daemon.clear()
        >>> daemon.stop()

        For tests of AWS's own SDK as well:

        >>> with XRayDaemon(namespaces=NAMESPACES | {"local"}) as daemon:
        ...     daemon.subsegments
        []
    """

    host = "127.0.0.1"

    def __init__(self, port: int = 0, *, namespaces: Collection[str] = NAMESPACES) -> None:
        self._wanted_port = port
        self._namespaces = frozenset(checked_list("namespaces", namespaces))
        self._server: Receiver | None = None
        self._proxy: LoopbackServer | None = None
        self._changed = threading.Condition()
        self._documents: list[Document] = []
        self._forwarded = 0
        self._subsegments: list[Document] = []
        self._refused: list[Refused] = []
        self._new_ids()

    # Running it

    def start(self) -> Self:
        """Listen; starting twice does nothing."""
        if self._server is None:
            self._server, self._proxy = listen(self._wanted_port, self._receive, sampling)
        return self

    def stop(self) -> None:
        """Take in what has been sent, then stop listening; stopping twice does nothing."""
        if self._server is not None:
            self._catch_up()
            self._server.close()
            self._server = None
        if self._proxy is not None:
            self._proxy.stop()
            self._proxy = None

    def clear(self) -> None:
        """Forget everything received, and take new trace and parent ids."""
        self._catch_up()
        with self._changed:
            self._documents.clear()
            self._forwarded = 0
            self._subsegments.clear()
            self._refused.clear()
            self._new_ids()

    # Leading a program to it

    @property
    def address(self) -> str:
        """``127.0.0.1:PORT``, as ``AWS_XRAY_DAEMON_ADDRESS`` wants it."""
        if self._server is None:
            raise not_started("The X-Ray daemon")
        return f"{self.host}:{self._server.port}"

    @property
    def trace_header(self) -> str:
        """A sampled trace header with `trace_id` and `parent_id`."""
        return f"Root={self.trace_id};Parent={self.parent_id};Sampled=1"

    def environment(self) -> dict[str, str]:
        """Return the variables that make a program send its traces here, sampled."""
        return {"AWS_XRAY_DAEMON_ADDRESS": self.address, "_X_AMZN_TRACE_ID": self.trace_header}

    # What came

    @property
    def documents(self) -> list[Document]:
        """All accepted documents as they came, in order: in-progress ones and complete ones."""
        self._catch_up()
        with self._changed:
            return list(self._documents)

    @property
    def subsegments(self) -> list[Document]:
        """The complete subsegments, in the order in which they closed; embedded ones follow what holds them."""
        self._catch_up()
        with self._changed:
            return list(self._subsegments)

    @property
    def refused(self) -> list[Refused]:
        """The datagrams that the real daemon or service would have dropped, each with the reason."""
        self._catch_up()
        with self._changed:
            return list(self._refused)

    def traces(self) -> list[traces.Trace]:
        """Return what arrived as trees, a trace for each trace id; ``str(trace)`` draws it."""
        return traces.build_traces(self.documents)

    def wait_for(self, count: int, timeout: float = 5.0) -> list[Document]:
        """Wait until `count` subsegments are complete, and return all that are.

        Args:
            count: how many there have to be at least.
            timeout: how long to wait for them, in seconds.

        Raises:
            AssertionError: when they do not come in time; it says what has come.
        """
        with self._changed:
            self._changed.wait_for(lambda: len(self._subsegments) >= count, timeout)
        subsegments = self.subsegments
        if len(subsegments) < count:
            raise AssertionError(
                f"{count} subsegments were expected within {timeout} s, {len(subsegments)} came.\n{self._received()}"
            )
        return subsegments

    def forward(self, xray: XRayClient) -> None:
        """Hand the documents that came since the last time on to the X-Ray service, as the real daemon does.

        Args:
            xray: boto3's client, such as ``fleece_aws.client("xray")``.

        Raises:
            AssertionError: the service reports documents as unprocessed.
        """
        waiting = self.documents[self._forwarded :]
        self._forwarded += len(waiting)
        for start in range(0, len(waiting), _BATCH):
            batch = [json.dumps(document) for document in waiting[start : start + _BATCH]]
            unprocessed = xray.put_trace_segments(TraceSegmentDocuments=batch)["UnprocessedTraceSegments"]
            if unprocessed:
                raise AssertionError(f"X-Ray has not processed {len(unprocessed)} document(s): {unprocessed!a}")

    # Saying what should have come

    def assert_subsegment(
        self, name: str, *, parent: str | None = None, annotations: Mapping[str, Any] | None = None, **fields: Any
    ) -> Document:
        """Assert that a complete subsegment arrived, and return it (the first, if several fit).

        Args:
            name: its name.
            parent: the name of what it was called from, or its id; `parent_id` is the id of Lambda's own segment.
            annotations: annotations that it has, among others.
            fields: other parts of the document, such as ``namespace="aws"``, ``fault=True`` or
                ``http={"response": {"status": 404}}``; objects are compared by the keys that are given.

        Raises:
            AssertionError: it says what came instead.
        """
        wanted = {**fields, **({} if annotations is None else {"annotations": dict(annotations)})}
        known = traces.latest(self.documents)
        for subsegment in self.subsegments:
            if (
                subsegment["name"] == name
                and traces.has_fields(subsegment, wanted)
                and (parent is None or parent in _names_of_parent(subsegment, known))
            ):
                return subsegment
        under = "" if parent is None else f" under {parent!r}"
        having = f" with {wanted!r}" if wanted else ""
        raise AssertionError(f"No subsegment {name!r}{under}{having} is complete.\n{self._received()}")

    def check(self) -> None:
        """Assert that nothing was sent that the real daemon or service would have dropped.

        Raises:
            AssertionError: with the reason and the start of each such datagram.
        """
        refused = self.refused
        if refused:
            raise AssertionError(f"X-Ray would have dropped {len(refused)} datagram(s):\n{_list_refused(refused)}")

    # Inside

    def _shown(self) -> str:
        return self.address

    def _new_ids(self) -> None:
        self.trace_id = new_trace_id()
        """The root of the trace header that `environment` gives; another one after each `clear`."""
        self.parent_id = secrets.token_hex(8)
        """The parent in that header: the id that Lambda's own segment would have."""

    def _receive(self, datagram: bytes) -> None:
        result = validate(datagram, self._namespaces)
        with self._changed:
            if isinstance(result, Refused):
                self._refused.append(result)
            else:
                self._documents.append(result)
                self._subsegments.extend(traces.completed([result]))
            self._changed.notify_all()

    def _catch_up(self) -> None:
        if self._server is not None:
            self._server.catch_up()

    def _received(self) -> str:
        trees = "\n".join(str(trace) for trace in self.traces()) or "Nothing came."
        refused = self.refused
        return f"{trees}\nRefused:\n{_list_refused(refused)}" if refused else trees


def _names_of_parent(document: Document, known: Mapping[traces.Key, Document]) -> set[str]:
    key = traces.parent_key(document)
    return {key[1], known[key]["name"]} if key in known else {key[1]}


def _list_refused(refused: list[Refused]) -> str:
    return "\n".join(f"- {one.reason}\n  {one.datagram[:200].decode('utf-8', 'replace')!a}" for one in refused)
