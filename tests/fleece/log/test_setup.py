"""Setting up, and who writes which lines where."""

import io
import json
import logging
import os
import subprocess
import sys
import threading

import pytest

from fleece.log import clobber_root_handlers, get_logger, setup_root_logger


def parsed(text):
    return [json.loads(line) for line in text.splitlines()]


def test_get_logger_alone_writes_lines(name, fleece_logs):
    """Without any set-up, lines of every level and of every logger of the process are written."""
    get_logger(name).debug("ours")
    logging.getLogger("other").debug("theirs")
    assert [line["event"] for line in fleece_logs.lines] == ["ours", "theirs"]


def test_get_logger_sets_up_once(name, fleece_logs):
    """Further calls change neither the root's level nor its handlers, and lines are written once."""
    get_logger(name)
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    handlers = root.handlers[:]
    get_logger(name + ".other")
    setup = get_logger(name)
    assert (root.level, root.handlers) == (logging.INFO, handlers)
    setup.info("x")
    assert len(fleece_logs.lines) == 1


def test_records_of_other_libraries_become_lines_with_their_extra_fields(fleece_logs):
    """A plain logger's record is a line like any other, with arguments, extra fields and exception in it."""
    setup_root_logger()
    try:
        int("x")
    except ValueError:
        logging.getLogger("somelib.part").warning("%d left", 3, extra={"bucket": "b"}, exc_info=True)
    (line,) = fleece_logs.lines
    assert (line["event"], line["level"], line["logger"], line["bucket"]) == ("3 left", "warning", "somelib.part", "b")
    assert line["exception"].endswith("base 10: 'x'")
    assert fleece_logs.out.count("\n") == 1


@pytest.mark.parametrize("make", [get_logger, logging.getLogger])
@pytest.mark.parametrize("where", ["logger", "root"])
def test_every_handler_gets_the_line(make, where, name, plain_handler, fleece_logs):
    """A handler on the logger or on the root, with no formatter, gets the text that is on stdout; also of a dict."""
    setup_root_logger()
    logging.getLogger(name if where == "logger" else None).addHandler(plain_handler)
    try:
        make(name).info("x")
        make(name).info({"a": 1})
        try:
            int("x")
        except ValueError:
            make(name).exception("failed", stack_info=True)
    finally:
        logging.getLogger().removeHandler(plain_handler)
    assert plain_handler.texts == fleece_logs.out.splitlines()
    assert len(plain_handler.texts) == 3


def test_a_formatter_adds_to_the_line_and_prints_no_traceback(name, fleece_logs):
    """A handler with a formatter of its own gets the line as the message; the traceback is in it, and nowhere else."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger = get_logger(name)
    logger.addHandler(handler)
    try:
        int("x")
    except ValueError:
        logger.exception("failed", stack_info=True)
    (text,) = stream.getvalue().splitlines()
    assert text.startswith('ERROR {"event": "failed"')
    assert json.loads(text[6:])["exception"].endswith("base 10: 'x'")


def test_the_exception_stays_on_the_record_under_fleeces_name(name, plain_handler):
    """``exc_info`` is cleared once its text is in the line; handlers find the triple at ``fleece_exc_info``."""
    logger = get_logger(name)
    logger.addHandler(plain_handler)
    error = ValueError("x")
    logger.info("failed", exc_info=error)
    record = plain_handler.records[0]
    assert record.exc_info is None
    assert record.exc_text is None
    assert record.fleece_exc_info[:2] == (ValueError, error)


def test_a_filter_of_one_handler_can_hide_what_others_show(name, plain_handler, fleece_logs):
    """A handler's filter that changes the record changes the line of that handler."""
    logger = get_logger(name)
    logger.addHandler(plain_handler)

    def redact(record):
        record.msg = "redacted"
        return True

    logging.getLogger().handlers[-1].addFilter(redact)
    logger.info("secret")
    assert json.loads(plain_handler.texts[0])["event"] == "secret"
    assert fleece_logs.lines[0]["event"] == "redacted"


def test_a_queue_carries_the_line(name):
    """A record that goes through a queue, copied and pickled, arrives as its line, with a traceback in it or not."""
    import logging.handlers
    import pickle
    import queue

    waiting = queue.SimpleQueue()
    logger = get_logger(name)
    logger.propagate = False
    logger.addHandler(logging.handlers.QueueHandler(waiting))
    logger.bind(lock=threading.Lock()).info("failed %d", 1, exc_info=ValueError("x"))
    record = pickle.loads(pickle.dumps(waiting.get()))  # noqa: S301 (just written)
    stream = io.StringIO()
    logging.StreamHandler(stream).handle(record)
    (line,) = parsed(stream.getvalue())
    assert (line["event"], line["exception"]) == ("failed 1", "ValueError: x")


def test_a_queue_may_stand_before_stdout(name, fleece_logs):
    """A program that writes its lines from another thread, by the standard queue, gets the same lines."""
    import logging.handlers
    import queue

    logger = get_logger(name)
    waiting = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(waiting, logger.root.handlers[-1])
    logger.addHandler(logging.handlers.QueueHandler(waiting))
    logger.propagate = False
    listener.start()
    logger.info("x", a=1)
    listener.stop()
    assert [(line["event"], line["a"]) for line in fleece_logs.lines] == [("x", 1)]


def test_the_programs_record_factory_stays(name, fleece_logs):
    """A record factory that the program has set is still asked, before fleece's set-up and after it."""
    before = logging.getLogRecordFactory()

    def factory(*args, **kwargs):
        record = before(*args, **kwargs)
        record.build = "b1"
        return record

    logging.setLogRecordFactory(factory)
    get_logger(name).info("ours", a=1)
    logging.getLogger(name).info("theirs")
    fleeces = logging.getLogRecordFactory()

    def later(*args, **kwargs):
        record = fleeces(*args, **kwargs)
        record.later = True
        return record

    logging.setLogRecordFactory(later)
    get_logger(name).info("later")
    assert [line["build"] for line in fleece_logs.lines] == ["b1"] * 3
    assert fleece_logs.lines[0]["a"] == 1
    assert fleece_logs.lines[2]["later"] is True


def test_a_record_of_a_foreign_factory_is_a_line_on_stdout(name, fleece_logs):
    """A factory set after fleece's that makes plain records costs the other handlers the line, not stdout."""
    logger = get_logger(name)
    logging.setLogRecordFactory(logging.LogRecord)
    logger.info("ours", a=1)
    logging.getLogger(name).info("theirs", extra={"a": 1})
    assert [(line["event"], line["a"]) for line in fleece_logs.lines] == [("ours", 1), ("theirs", 1)]


def test_stdout_is_looked_up_when_a_line_is_written(name, monkeypatch):
    """``stream=None`` follows ``sys.stdout`` as it is at each line."""
    logger = get_logger(name)
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", first)
    logger.info("1")
    monkeypatch.setattr(sys, "stdout", second)
    logger.info("2")
    assert [parsed(stream.getvalue())[0]["event"] for stream in (first, second)] == ["1", "2"]


def test_a_stream_of_its_own_takes_a_loggers_lines_and_those_below(name, fleece_logs):
    """A logger's own stream gets its lines, and stdout does not get them again; another stream replaces it."""
    first, second = io.StringIO(), io.StringIO()
    get_logger(name, stream=first).info("a")
    logging.getLogger(f"{name}.below").info("b")
    get_logger(f"{name} beside").info("c")
    get_logger(name, stream=second).info("d")
    assert [line["event"] for line in parsed(first.getvalue())] == ["a", "b"]
    assert [line["event"] for line in parsed(second.getvalue())] == ["d"]
    assert [line["event"] for line in fleece_logs.lines] == ["c"]


def test_the_roots_stream(name, fleece_logs):
    """``setup_root_logger`` and ``get_logger()`` set where the lines of all loggers go."""
    first, second = io.StringIO(), io.StringIO()
    setup_root_logger(stream=first)
    get_logger(name).info("a")
    get_logger(stream=second)
    get_logger(name).info("b")
    assert (len(parsed(first.getvalue())), len(parsed(second.getvalue()))) == (1, 1)
    assert fleece_logs.lines == []


def test_set_up_again_writes_no_line_twice(name, fleece_logs):
    """Repeated set-ups leave one handler."""
    for _ in range(3):
        setup_root_logger()
    get_logger(name).info("x")
    assert len(fleece_logs.lines) == 1


def test_console_handlers_make_room_and_others_stay(name, tmp_path, fleece_logs):
    """Handlers on stdout and stderr are replaced; a file's stays and gets the lines."""
    root = logging.getLogger()
    console = [logging.StreamHandler(sys.stdout), logging.StreamHandler(), logging.StreamHandler(sys.__stderr__)]
    file = logging.FileHandler(tmp_path / "log")
    for handler in (*console, file):
        root.addHandler(handler)
    get_logger(name).info("x")
    file.close()
    assert not set(console) & set(root.handlers)
    assert file in root.handlers
    assert (tmp_path / "log").read_text() == fleece_logs.out
    assert fleece_logs.err == ""
    assert len(fleece_logs.lines) == 1


def test_console_handlers_can_stay(name, fleece_logs):
    """Without clobbering, a handler on the console stays and prints the line, which is not printed again."""
    root = logging.getLogger()
    handler = logging.StreamHandler()
    root.addHandler(handler)
    get_logger(name, clobber_root_handler=False).debug("x")
    root.setLevel(logging.INFO)
    get_logger(name, clobber_root_handler=False).debug("y")
    assert root.level == logging.INFO
    assert handler in root.handlers
    assert fleece_logs.out == ""
    assert [line["event"] for line in parsed(fleece_logs.err)] == ["x"]


def test_without_console_handlers_there_is_one_all_the_same(name, fleece_logs):
    """Where nothing is on the console, not clobbering still prints lines."""
    get_logger(name, clobber_root_handler=False).info("x")
    assert len(fleece_logs.lines) == 1


def test_clobbering_takes_the_consoles_and_lambdas_handlers():
    """``clobber_root_handlers`` removes what AWS's runtime client has put there, and leaves fleece's own."""
    from awslambdaric.bootstrap import LambdaLoggerHandler, StandardLogSink

    setup_root_logger()
    root = logging.getLogger()
    before = root.handlers[:]
    root.addHandler(LambdaLoggerHandler(StandardLogSink()))
    root.addHandler(logging.StreamHandler(sys.stdout))
    clobber_root_handlers()
    assert root.handlers == before


@pytest.mark.parametrize(
    ("variable", "level", "expected"),
    [
        (None, None, logging.DEBUG),
        ("WARN", None, logging.WARNING),
        ("TRACE", None, logging.DEBUG),
        ("FATAL", None, logging.CRITICAL),
        ("nonsense", None, logging.DEBUG),
        ("", None, logging.DEBUG),
        ("WARN", "info", logging.INFO),
        ("WARN", logging.ERROR, logging.ERROR),
        ("WARN", "15", 15),
        (None, "trace", logging.DEBUG),
    ],
)
def test_levels_are_numbers_names_or_the_environments(variable, level, expected, monkeypatch):
    """A level is taken as number or name; none is ``AWS_LAMBDA_LOG_LEVEL``, and ``DEBUG`` when that says nothing."""
    if variable is not None:
        monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", variable)
    setup_root_logger(level)
    assert logging.getLogger().level == expected


@pytest.mark.parametrize("variable", ["AWS_LAMBDA_LOG_LEVEL", "FLEECE_LOG_MAX_BYTES"])
def test_a_variable_that_cannot_be_read_is_told_of_once(variable, name, monkeypatch, fleece_logs):
    """Garbage in the environment is taken for the default, with one line about it in the life of the process."""
    monkeypatch.setenv(variable, "nonsense")
    for _ in range(3):
        setup_root_logger()
        get_logger(name).debug("x")
    told, *others = fleece_logs.lines
    assert (told["level"], told["logger"], told["found"]) == ("warning", "fleece.log", "nonsense")
    assert told["event"].startswith(f"{variable} cannot be read")
    assert [line["event"] for line in others] == ["x"] * 3


def test_what_a_program_asks_for_needs_no_variable(name, monkeypatch, fleece_logs):
    """Variables that can be read, or are empty, are not told of."""
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", "")
    monkeypatch.setenv("FLEECE_LOG_MAX_BYTES", "4096")
    get_logger(name).info("x" * 5000)
    assert [line["truncated"] for line in fleece_logs.lines] == [True]


def test_the_clients_debug_lines_stay_out(fleece_logs):
    """botocore, boto3, s3transfer and urllib3 log from INFO on, unless asked for more; others from DEBUG on."""
    setup_root_logger()
    chatty = ["botocore.auth", "boto3.x", "s3transfer.x", "urllib3.connectionpool"]
    for name in [*chatty, "requests", "botocoreish"]:
        logging.getLogger(name).debug("debug of %s", name)
        logging.getLogger(name).info("info")
    assert [line["event"] for line in fleece_logs.lines if line["level"] == "debug"] == [
        "debug of requests", "debug of botocoreish",
    ]  # fmt: skip
    get_logger("botocore", level="DEBUG")
    setup_root_logger()
    fleece_logs.clear()
    logging.getLogger("botocore.auth").debug("asked for")
    assert len(fleece_logs.lines) == 1


def test_the_clients_follow_a_higher_level_of_the_root(fleece_logs):
    """Quiet clients do not speak up when the root's level is above INFO, and are as before when it is lowered."""
    setup_root_logger("ERROR")
    logging.getLogger("botocore").warning("x")
    assert fleece_logs.lines == []
    setup_root_logger("DEBUG")
    logging.getLogger("botocore").debug("x")
    logging.getLogger("botocore").info("x")
    assert [line["level"] for line in fleece_logs.lines] == ["info"]


def test_a_level_of_its_own(name, fleece_logs):
    """``level`` sets that logger's level; without one it has the root's."""
    setup_root_logger("WARNING")
    get_logger(f"{name}.verbose", level="DEBUG").debug("shown")
    get_logger(f"{name}.usual").info("hidden")
    logging.getLogger(f"{name}.verbose").setLevel(logging.NOTSET)
    assert [line["event"] for line in fleece_logs.lines] == ["shown"]


def test_threads_that_start_together_set_up_once(fleece_logs):
    """Threads that get their first loggers at the same moment leave one handler."""
    barrier = threading.Barrier(8)

    def work():
        barrier.wait()
        get_logger("together").info("x")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fleece_logs.lines) == 8


WRITES_MUCH = (
    "import os; from fleece.log import get_logger; log = get_logger('x'); os.set_blocking(1, False)\n"
    "for number in range(3000): log.info('x' * 100, number=number)\n"
    "os.write(2, b'survived')\n"
    "os._exit(0)\n"
)


def test_a_full_pipe_raises_nothing():
    """A stdout that takes no more ends no program, and what it has taken are the lines from the first one on."""
    read, write = os.pipe()
    with os.fdopen(read, "rb") as reader:
        with os.fdopen(write, "wb"):
            command = [sys.executable, "-c", WRITES_MUCH]
            child = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=True)
        *lines, _cut_off = reader.read().split(b"\n")
    assert child.stderr.endswith(b"survived")
    assert [json.loads(line)["number"] for line in lines] == list(range(len(lines)))
    assert 100 < len(lines) < 3000


def test_lines_for_a_pipe_whose_reader_has_gone_are_on_stderr():
    """A stdout that nobody reads any more ends no program, and costs no line: they are on stderr, once."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb"):
        command = [sys.executable, "-c", WRITES_MUCH]
        child = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=True)
    *lines, last = child.stderr.splitlines()
    assert last == b"survived"
    assert [json.loads(line)["number"] for line in lines] == list(range(3000))


def test_a_line_that_a_full_pipe_has_kept_is_not_written_elsewhere(name, capsys):
    """A stream that would have to wait keeps the line for its next flush: stdout and stderr do not get it too."""

    class Full(io.StringIO):
        def flush(self):
            raise BlockingIOError(11, "write could not complete without blocking")

    stream = Full()
    get_logger(name, stream=stream).info("x")
    assert [line["event"] for line in parsed(stream.getvalue())] == ["x"]
    assert capsys.readouterr() == ("", "")


def test_stderr_is_not_tried_again_in_its_own_place(name, monkeypatch):
    """Where lines go to stderr, and that fails, it does not get the line twice."""

    class Full(io.StringIO):
        def flush(self):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    get_logger(name, stream=sys.stderr).info("x")
    assert [line["event"] for line in parsed(sys.stderr.getvalue())] == ["x"]


def test_a_full_disk_costs_no_line(name, capsys):
    """A stream that fails when it is flushed has not taken the line, which is written once, elsewhere."""

    class Full(io.StringIO):
        def flush(self):
            raise OSError(28, "No space left on device")

    get_logger(name, stream=Full()).info("x")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line["event"] for line in parsed(captured.err)] == ["x"]
