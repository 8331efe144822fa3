"""The handler that tries again."""

import collections
import io
import itertools
import json
import logging
import socket
import threading
import time

import pytest
import watchtower
from botocore.config import Config
from hypothesis import given, strategies as st

from fleece.log import RetryHandler, get_logger


class Flaky(logging.Handler):
    """Fail a number of times, as a handler that raises or as one that swallows its errors."""

    def __init__(self, errors, *, swallow=False):
        super().__init__()
        self.errors = list(errors)
        self.swallow = swallow
        self.tries = 0
        self.texts = []

    def emit(self, record):
        self.tries += 1
        try:
            if self.errors:
                raise self.errors.pop(0)  # noqa: TRY301 (as a handler's own write would)
            self.texts.append(self.format(record))
        except Exception:
            if not self.swallow:
                raise
            self.handleError(record)


@pytest.fixture(autouse=True)
def _busy_machine(monkeypatch):
    """Have threads wait for each other's tries: on a busy machine these take longer than a program's."""
    monkeypatch.setattr("fleece._logging.retry._PATIENCE", 60)


@pytest.fixture
def waits(monkeypatch):
    """Record the waits in the place of waiting."""
    seconds = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


@pytest.fixture
def logger(name):
    """Make a logger whose lines go to the handlers of the test only."""
    made = get_logger(name)
    made.propagate = False
    return made


@pytest.mark.parametrize("swallow", [False, True])
def test_a_failing_handler_is_tried_again(swallow, logger, waits):
    """What ``emit`` raises and what it swallows in ``handleError`` are both retried, until the line arrives."""
    handler = Flaky([OSError("1"), OSError("2")], swallow=swallow)
    logger.addHandler(RetryHandler(handler))
    logger.info("x")
    assert [json.loads(text)["event"] for text in handler.texts] == ["x"]
    assert handler.tries == 3
    assert len(waits) == 2


@given(
    base=st.floats(0, 10),
    cap=st.floats(0, 10),
    retries=st.integers(0, 12),
)
def test_the_waits_are_exponential_with_full_jitter(base, cap, retries):
    """There are max_retries waits, the n-th from 0 up to the smaller of the cap and base * 2**n."""
    seconds = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", seconds.append)
        handler = Flaky([OSError()] * 100)
        RetryHandler(handler, max_retries=retries, backoff_base=base, backoff_cap=cap).emit(record())
    assert handler.tries == retries + 1
    assert len(seconds) == retries
    assert all(0 <= wait <= min(cap, base * 2**n) for n, wait in enumerate(seconds))


def record(level=logging.INFO):
    return logging.LogRecord("x", level, "", 0, "x", (), None)


def test_the_jitter_differs(waits):
    """The waits are random: handlers that fail together do not come back together."""
    for _ in range(5):
        RetryHandler(Flaky([OSError()] * 100)).emit(record())
    assert len(set(waits)) > 20


def test_giving_up_is_silent(logger, waits, capsys):
    """When all tries have failed, nothing is raised and nothing is printed."""
    handler = Flaky([OSError(number) for number in range(100)], swallow=True)
    logger.addHandler(RetryHandler(handler))
    logger.info("x")
    assert handler.tries == 6
    assert capsys.readouterr() == ("", "")


def test_a_handler_that_logs_while_it_writes_is_tried_again(logger, waits):
    """A line that a try makes itself, as clients do, goes through the same handler, and the try goes on after it."""

    class Chatty(Flaky):
        def emit(self, record):
            errors, self.errors = self.errors, []
            if errors:
                logger.info("connecting")
            self.errors = errors
            super().emit(record)

    handler = Chatty([OSError("1")], swallow=True)
    logger.addHandler(RetryHandler(handler))
    logger.info("x")
    assert [json.loads(text)["event"] for text in handler.texts] == ["connecting", "x"]
    assert len(waits) == 1


@pytest.mark.parametrize("swallow", [False, True])
def test_giving_up_can_raise_the_first_error(swallow, logger, waits):
    """With ``ignore_errors=False`` the log call raises the first of the errors."""
    handler = Flaky([OSError("first"), OSError("second"), OSError("third")], swallow=swallow)
    logger.addHandler(RetryHandler(handler, max_retries=2, ignore_errors=False))
    with pytest.raises(OSError, match="first"):
        logger.info("x")


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_exits_pass_at_once(error, logger, waits):
    """``SystemExit`` and ``KeyboardInterrupt`` end the program, not the try."""
    handler = Flaky([error()])
    logger.addHandler(RetryHandler(handler))
    with pytest.raises(error):
        logger.info("x")
    assert handler.tries == 1


def test_a_standard_handlers_own_errors_are_its_own_outside_of_a_try(logger, waits, capsys):
    """A wrapped handler that is also used by itself reports its errors as ever."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    RetryHandler(handler)
    stream.close()
    handler.handle(record())
    assert "Logging error" in capsys.readouterr().err
    assert waits == []


def test_a_closed_stream_is_retried(logger, waits):
    """The standard library's handlers, which never raise, are retried too."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger.addHandler(RetryHandler(handler, max_retries=3))
    stream.close()
    logger.info("x")
    assert len(waits) == 3


def test_level_filters_and_formatter_of_the_wrapped_handler_hold(logger, waits):
    """The wrapped handler gets only what its level and filters let pass, in the form that its formatter gives it."""
    handler = Flaky([])
    handler.setLevel(logging.WARNING)
    handler.addFilter(lambda record: "secret" not in record.getMessage())
    retrying = RetryHandler(handler)
    retrying.setFormatter(logging.Formatter("%(levelname)s"))
    logger.addHandler(retrying)
    logger.info("x")
    logger.error("secret")
    logger.warning("y")
    retrying.emit(record(logging.INFO))
    assert handler.texts == ["WARNING"]
    retrying.addFilter(lambda record: False)
    logger.error("z")
    assert handler.texts == ["WARNING"]


def test_flush_and_close_reach_the_wrapped_handler():
    """Flushing and closing are the wrapped handler's business."""
    handler = logging.Handler()
    called = []
    handler.flush = lambda: called.append("flush")
    handler.close = lambda: called.append("close")
    retrying = RetryHandler(handler)
    retrying.flush()
    retrying.close()
    assert called == ["flush", "close"]


def test_no_lock_is_held_while_waiting(logger, monkeypatch):
    """While one thread waits, another logs through the same handler."""
    waiting, go_on = threading.Event(), threading.Event()
    handler = Flaky([OSError()])

    def wait(_seconds):
        waiting.set()
        assert go_on.wait(10)

    monkeypatch.setattr(time, "sleep", wait)
    logger.addHandler(RetryHandler(handler))
    thread = threading.Thread(target=logger.info, args=("first",))
    thread.start()
    assert waiting.wait(10)
    logger.info("second")
    assert [json.loads(text)["event"] for text in handler.texts] == ["second"]
    go_on.set()
    thread.join()
    assert [json.loads(text)["event"] for text in handler.texts] == ["second", "first"]


def test_a_try_that_hangs_keeps_other_threads_for_their_own_tries_only(logger, monkeypatch):
    """A thread that finds the handler occupied by a hanging try gives up after its own tries."""
    monkeypatch.setattr("fleece._logging.retry._PATIENCE", 0.01)
    hanging, release = threading.Event(), threading.Event()

    class Hanging(logging.Handler):
        def emit(self, record):
            hanging.set()
            release.wait(10)

    logger.addHandler(RetryHandler(Hanging(), backoff_base=0, ignore_errors=False))
    thread = threading.Thread(target=logger.info, args=("first",))
    thread.start()
    assert hanging.wait(10)
    with pytest.raises(TimeoutError, match="Another thread"):
        logger.info("second")
    release.set()
    thread.join()


@pytest.fixture
def cloudwatch(fleece_aws, name):
    """Make watchtower's handler on the emulated CloudWatch Logs, with boto3's own retries off."""
    made = []

    def make(**options):
        client = fleece_aws.client("logs", config=Config(retries={"max_attempts": 0}))
        options = {"use_queues": False, "log_group_name": "group", "log_stream_name": "stream", **options}
        handler = watchtower.CloudWatchLogHandler(boto3_client=client, **options)
        made.append(handler)
        return handler

    yield make
    for handler in made:
        handler.close()


def arrived(fleece_aws):
    events = fleece_aws.client("logs").get_log_events(logGroupName="group", logStreamName="stream")["events"]
    return [json.loads(event["message"]) for event in events]


def throttle(fleece_aws, times):
    fleece_aws.fail("logs", "PutLogEvents", times, code="ThrottlingException", status=400)


def test_watchtower_sends_the_line_that_is_printed(fleece_aws, cloudwatch, name, fleece_logs):
    """A watchtower handler on the logger sends the text that is on stdout to CloudWatch, of plain records too."""
    logger = get_logger(name)
    logger.addHandler(cloudwatch())
    logger.info("ours", a=1)
    logger.info({"a": {"b": 1}})
    logging.getLogger(name).info("theirs", extra={"a": 1})
    lines = [line for line in fleece_logs.lines if line["logger"] == name]
    assert arrived(fleece_aws) == lines
    assert len(lines) == 3


@pytest.mark.parametrize("use_queues", [False, True])
def test_throttled_watchtower_waits_and_delivers(use_queues, fleece_aws, cloudwatch, logger, waits):
    """A line that CloudWatch throttles arrives, after waits that are the backoff's; boto3's client is not changed."""
    handler = cloudwatch(use_queues=use_queues)
    client = handler.cwl_client
    retrying = RetryHandler(handler, backoff_base=0.5, backoff_cap=3)
    logger.addHandler(retrying)
    logger.info("first")  # creates the stream
    retrying.flush()
    assert waits == []
    throttle(fleece_aws, 4)
    logger.info("second")
    retrying.flush()
    assert [line["event"] for line in arrived(fleece_aws)] == ["first", "second"]
    assert len(waits) == 4
    assert all(0 <= wait <= min(3, 0.5 * 2**n) for n, wait in enumerate(waits))
    assert "put_log_events" not in vars(client)


@pytest.mark.parametrize("use_queues", [False, True])
def test_a_dead_cloudwatch_is_given_up_silently(use_queues, fleece_aws, cloudwatch, logger, waits):
    """After ``max_retries`` the line is lost without an error or a warning; the next line is tried anew."""
    retrying = RetryHandler(cloudwatch(use_queues=use_queues), max_retries=2)
    logger.addHandler(retrying)
    logger.info("first")
    retrying.flush()
    throttle(fleece_aws, 3)
    logger.info("lost")
    retrying.flush()
    assert len(waits) == 2
    logger.info("third")
    retrying.flush()
    assert [line["event"] for line in arrived(fleece_aws)] == ["first", "third"]


def test_a_dead_cloudwatch_can_raise(fleece_aws, cloudwatch, logger, waits):
    """Without queues, ``ignore_errors=False`` raises CloudWatch's first error to the caller."""
    logger.addHandler(RetryHandler(cloudwatch(), max_retries=2, ignore_errors=False))
    logger.info("first")
    throttle(fleece_aws, 1)
    fleece_aws.fail("logs", "PutLogEvents", 2, code="ServiceUnavailableException", status=503)
    with pytest.raises(Exception, match="ThrottlingException"):
        logger.info("lost")
    assert len(fleece_aws.calls("logs", "PutLogEvents")) == 2 + 3  # creating the stream takes two


def test_watchtower_warns_of_a_batch_that_its_thread_has_lost(fleece_aws, cloudwatch, logger, waits):
    """With queues, ``ignore_errors=False`` has nobody to raise to: watchtower warns, and does not start all over."""
    retrying = RetryHandler(cloudwatch(use_queues=True), max_retries=2, ignore_errors=False)
    logger.addHandler(retrying)
    logger.info("first")
    retrying.flush()
    throttle(fleece_aws, 100)
    logger.info("lost")
    with pytest.warns(watchtower.WatchtowerWarning, match="Failed to deliver"):
        retrying.flush()
    assert len(waits) == 2


def in_threads(count, function):
    """Call a function, with a number, in that many threads at once, and require that all of them come back."""
    together = threading.Barrier(count)

    def work(number):
        together.wait()
        function(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


@pytest.fixture
def full_waits(monkeypatch):
    """Take the longest wait that the jitter allows, each time, and record it for its thread in the place of waiting."""
    seconds = collections.defaultdict(list)
    monkeypatch.setattr("fleece._logging.retry.random", lambda: 1.0)

    def wait(wanted):
        seconds[threading.get_ident()].append(wanted)

    monkeypatch.setattr(time, "sleep", wait)
    return seconds


@pytest.mark.parametrize("use_queues", [False, True])
def test_every_line_of_eight_threads_arrives(use_queues, fleece_aws, cloudwatch, logger, full_waits):
    """Throttled and failing in turns, CloudWatch gets every line of eight threads; the waits are the backoff's."""
    retrying = RetryHandler(cloudwatch(use_queues=use_queues), max_retries=100, backoff_base=0.5, backoff_cap=3)
    logger.addHandler(retrying)
    logger.info("first")  # creates the stream
    retrying.flush()
    for _ in range(10):
        throttle(fleece_aws, 2)
        fleece_aws.fail("logs", "PutLogEvents", 1, code="ServiceUnavailableException", status=503)
    in_threads(8, lambda thread: [logger.info("line", thread=thread, number=number) for number in range(5)])
    retrying.flush()
    lines = [(line["thread"], line["number"]) for line in arrived(fleece_aws) if line["event"] == "line"]
    assert sorted(lines) == sorted(itertools.product(range(8), range(5)))
    assert sum(map(len, full_waits.values())) == 30
    for waits in full_waits.values():
        for before, wait in zip([None, *waits], waits):  # noqa: B905 (the last has no successor)
            assert wait in (0.5, before and min(3, before * 2))


def test_no_lock_is_held_while_cloudwatch_is_waited_for(fleece_aws, cloudwatch, logger, monkeypatch):
    """While one thread waits to try again, the lines of seven others arrive."""
    waiting, go_on = threading.Event(), threading.Event()

    def wait(_seconds):
        waiting.set()
        assert go_on.wait(30)

    monkeypatch.setattr(time, "sleep", wait)
    logger.addHandler(RetryHandler(cloudwatch()))
    logger.info("first")
    throttle(fleece_aws, 1)
    slow = threading.Thread(target=logger.info, args=("slow",))
    slow.start()
    assert waiting.wait(30)
    in_threads(7, lambda number: logger.info("quick"))
    assert [line["event"] for line in arrived(fleece_aws)] == ["first"] + ["quick"] * 7
    go_on.set()
    slow.join(30)
    assert [line["event"] for line in arrived(fleece_aws)].count("slow") == 1


def test_eight_threads_log_while_cloudwatch_is_down(fleece_aws, cloudwatch, logger, full_waits):
    """With CloudWatch down, each of eight threads makes its own tries and no more, and all of them come back."""
    logger.addHandler(RetryHandler(cloudwatch(), max_retries=3, backoff_base=0.5))
    logger.info("first")
    fleece_aws.fail("logs", "PutLogEvents", 8 * 4, code="ServiceUnavailableException", status=503)
    in_threads(8, lambda number: logger.info("lost"))
    assert sorted(full_waits.values()) == [[0.5, 1, 1]] * 8
    assert len(arrived(fleece_aws)) == 1


def test_eight_threads_log_while_nobody_listens(fleece_aws, logger, full_waits, recwarn):
    """With no server at CloudWatch's address, the log calls of eight threads end after their tries, with no error."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        options = Config(retries={"max_attempts": 0})
        client = fleece_aws.client("logs", endpoint_url=address, config=options)
        handler = watchtower.CloudWatchLogHandler(
            boto3_client=client,
            use_queues=False,
            log_group_name="group",
            log_stream_name="stream",
            create_log_group=False,
            create_log_stream=False,
        )
        logger.addHandler(RetryHandler(handler, max_retries=2, backoff_base=0.5))
        in_threads(8, lambda number: logger.info("lost"))
        handler.close()
    assert sorted(full_waits.values()) == [[0.5, 1]] * 8
    assert not recwarn.list
