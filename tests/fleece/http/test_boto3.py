"""fleece.boto3: the order of precedence of timeouts, on clients that are really made, and boto3's own names."""

from __future__ import annotations

import importlib
import inspect
import re
import socket
import sys
import threading
from unittest import mock

import boto3 as plain_boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from hypothesis import given, settings, strategies as st

from fleece import boto3
from fleece._defaults import defaults

KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}
HERE = {"region_name": "eu-west-1", **KEYS}
ONCE = {"retries": {"total_max_attempts": 1}}

seconds = st.none() | st.integers(1, 900) | st.floats(0.01, 900)
given_timeouts = st.fixed_dictionaries(
    {}, optional={"timeout": seconds, "connect_timeout": seconds, "read_timeout": seconds}
)
given_config = st.none() | st.fixed_dictionaries(
    {}, optional={name: seconds.filter(bool) for name in ("connect_timeout", "read_timeout")}
)


def oracle(kind, arguments, config, default):
    """Return the timeout of that kind, from what was given, in the order of the specification's words."""
    order = [
        arguments.get(kind),
        arguments.get("timeout"),
        (config or {}).get(kind),
        default.get(kind),
        default.get("timeout"),
        60,
    ]
    return [value for value in order if value is not None][0]  # noqa: RUF015 (as plain as can be)


def config_of(made):
    """Return the effective configuration of a client, or of a resource's client."""
    return getattr(made.meta, "client", made).meta.config


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (boto3.client, "sts"),
        (boto3.resource, "sqs"),
        (boto3.Session().client, "sts"),
        (boto3.Session().resource, "sqs"),
    ],
    ids=["client", "resource", "Session.client", "Session.resource"],
)
@settings(max_examples=60)
@given(arguments=given_timeouts, config=given_config, default=given_timeouts)
def test_first_timeout_given_wins(make, name, arguments, config, default):
    """Own argument, timeout, config, default of its kind, default timeout, botocore's 60 s: the first given wins."""
    of_caller = None if config is None else Config(retries={"max_attempts": 7}, **config)
    with defaults.override():
        boto3.set_default_timeout(**default)
        effective = config_of(make(name, config=of_caller, **arguments, **HERE))
    for kind in ("connect_timeout", "read_timeout"):
        assert getattr(effective, kind) == oracle(kind, arguments, config, default)
    if config is not None:
        assert effective.retries["total_max_attempts"] == 8


def test_config_of_the_caller_is_left_as_it_was():
    """What is merged is a new configuration: the caller may use theirs for other clients."""
    config = Config(read_timeout=7)
    boto3.client("sts", timeout=3, config=config, **HERE)
    assert (config.connect_timeout, config.read_timeout) == (60, 7)


def test_config_may_be_given_by_position():
    """Arguments go by position as boto3's do, the configuration among them."""
    by_position = ("sts", "eu-west-1", None, True, None, None, "AKIDEXAMPLE", "secret", None, Config(read_timeout=7))
    effective = boto3.client(*by_position, connect_timeout=3).meta.config
    assert (effective.connect_timeout, effective.read_timeout) == (3, 7)


def test_client_is_plain_with_nothing_set():
    """With no timeout anywhere, the client has the configuration that boto3 itself gives, option by option."""

    def options(module):
        return vars(module.client("s3", **HERE).meta.config)["_user_provided_options"]

    ours, theirs = boto3.client("s3", **HERE).meta.config, plain_boto3.client("s3", **HERE).meta.config
    assert (ours.connect_timeout, ours.read_timeout) == (theirs.connect_timeout, theirs.read_timeout) == (60, 60)
    assert options(boto3) == options(plain_boto3)


def test_boto3_is_given_what_was_given(monkeypatch):
    """Nothing is added to a call without timeouts, and what only a newer boto3 knows is handed on."""
    calls = []
    monkeypatch.setattr(plain_boto3, "client", lambda *args, **kwargs: calls.append((args, kwargs)))
    boto3.client("s3")
    boto3.client("s3", "eu-west-1", use_ssl=False, of_2027=True)
    assert calls == [(("s3",), {}), (("s3",), {"region_name": "eu-west-1", "use_ssl": False, "of_2027": True})]


@pytest.mark.parametrize("method", ["client", "resource"])
@pytest.mark.parametrize("ours", [boto3, boto3.Session], ids=["module", "Session"])
def test_signature_is_boto3s_and_the_timeouts(ours, method):
    """What help() and editors show is what boto3 takes, in its order, and the timeouts after that."""
    shown = list(inspect.signature(getattr(ours, method)).parameters)
    boto3s = list(inspect.signature(getattr(plain_boto3.Session, method)).parameters)
    if ours is boto3:
        boto3s.remove("self")
    assert shown[-4:] == ["timeout", "connect_timeout", "read_timeout", "newer"]
    assert [name for name in shown[:-4] if name in boto3s] == boto3s  # an older boto3 has not all of them


def test_read_timeout_that_was_set_is_the_one_that_fires():
    """A server that accepts and never answers ends in botocore's ReadTimeoutError, not in a minute's wait."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}",
            connect_timeout=50,
            read_timeout=0.2,
            config=Config(read_timeout=40, **ONCE),
            **HERE,
        )
        with pytest.raises(ReadTimeoutError):
            client.list_buckets()


def test_connect_timeout_that_was_set_is_the_one_that_fires():
    """A server whose queue is full never accepts, and ends in botocore's ConnectTimeoutError."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as first, socket.socket() as second:
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        boto3.set_default_timeout(0.2)
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{full.getsockname()[1]}",
            read_timeout=50,
            config=Config(**ONCE),
            **HERE,
        )
        with pytest.raises(ConnectTimeoutError):
            client.list_buckets()


@pytest.mark.parametrize("bad", [0, -1, "5", True, float("nan"), float("inf"), sys.maxsize, [1], (1, 2)])
@pytest.mark.parametrize("name", ["timeout", "connect_timeout", "read_timeout"])
@pytest.mark.parametrize(
    "call",
    [
        lambda **kw: boto3.client("s3", **HERE, **kw),
        lambda **kw: boto3.resource("s3", **HERE, **kw),
        lambda **kw: boto3.Session(region_name="eu-west-1").client("s3", **kw),
        lambda **kw: boto3.Session(region_name="eu-west-1").resource("s3", **kw),
        boto3.set_default_timeout,
    ],
    ids=["client", "resource", "Session.client", "Session.resource", "set_default_timeout"],
)
def test_senseless_timeout_is_refused_by_name(call, name, bad):
    """What is not a number of seconds above zero is a ValueError that names the argument and the value."""
    with pytest.raises(ValueError, match=rf"^{name} must be .*{re.escape(repr(bad))} was given$"):
        call(**{name: bad})


@pytest.mark.parametrize("timeouts", [{}, {"timeout": 1}])
def test_config_of_the_wrong_type_is_refused(timeouts):
    """A dict in place of a Config is a TypeError at the call, with and without timeouts."""
    with pytest.raises(TypeError, match=r"config must be a botocore\.config\.Config.*'read_timeout': 3.* was given"):
        boto3.client("s3", config={"read_timeout": 3}, **timeouts, **HERE)


def test_session_keeps_its_own_client_configuration():
    """A botocore session's default configuration beats the process-wide default, as the caller's config does."""
    boto3.set_default_timeout(5)
    session = boto3.Session(**HERE)
    session._session.set_default_client_config(Config(read_timeout=33))
    config = session.client("s3").meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 33)


def test_every_other_name_is_boto3s():
    """Whatever boto3 has, the wrapper has, and it is the same object."""
    names = [name for name in dir(plain_boto3) if not name.startswith("_")]
    own = {"client", "resource", "Session"}
    assert {name for name in names if getattr(boto3, name) is not getattr(plain_boto3, name)} == own
    assert set(names) <= set(dir(boto3))
    assert boto3.__version__ == plain_boto3.__version__


@pytest.fixture
def _default_session(monkeypatch):
    """Put boto3's default session back afterwards."""
    monkeypatch.setattr(plain_boto3, "DEFAULT_SESSION", None)


@pytest.mark.usefixtures("_default_session")
def test_default_session_that_is_set_is_boto3s():
    """`boto3.DEFAULT_SESSION = None` and a session of one's own are idioms of tests: boto3 itself has to see them."""
    boto3.DEFAULT_SESSION = session = plain_boto3.Session(region_name="ap-south-1", **KEYS)
    assert plain_boto3.DEFAULT_SESSION is session
    assert boto3.client("sts").meta.region_name == "ap-south-1"
    boto3.DEFAULT_SESSION = None
    boto3.setup_default_session(region_name="eu-west-1")
    assert boto3.DEFAULT_SESSION.region_name == "eu-west-1"


@pytest.mark.usefixtures("_default_session")
def test_default_session_can_be_patched():
    """`mock.patch` of it holds as long as the block, and the session from before is there again."""
    boto3.setup_default_session(region_name="eu-west-1")
    before = boto3.DEFAULT_SESSION
    with mock.patch("fleece.boto3.DEFAULT_SESSION", plain_boto3.Session(region_name="ap-south-1", **KEYS)):
        assert boto3.client("sts", timeout=3).meta.region_name == "ap-south-1"
    assert boto3.DEFAULT_SESSION is plain_boto3.DEFAULT_SESSION is before


@pytest.mark.usefixtures("_default_session")
def test_session_that_is_not_needed_is_not_made():
    """With `boto3.client` patched in a test and no timeouts set, nothing looks for profiles and credentials."""
    with mock.patch("boto3.client") as client:
        assert boto3.client("s3") is client.return_value
    assert plain_boto3.DEFAULT_SESSION is None


def test_star_import_brings_what_boto3_brings():
    """Every name that is promised to a star import is there."""
    names = {}
    exec("from fleece.boto3 import *", names)  # noqa: S102 (only a module may do that otherwise)
    assert {"client", "resource", "Session", "set_default_timeout", "setup_default_session"} <= set(names)
    assert not {"annotations", "made_by", "defaults"} & set(names)


def test_submodules_are_not_imported_a_second_time():
    """A submodule is reached as an attribute: imported as fleece's, it would be a copy with classes of its own."""
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("fleece.boto3.session")


def test_clients_can_be_made_from_many_threads():
    """Threads that make their first clients at once all get one (boto3's default session alone is not safe)."""
    made, errors = [], []
    barrier = threading.Barrier(8)

    def make():
        try:
            barrier.wait()
            made.append(boto3.client("sts", **HERE))
        except Exception as error:  # noqa: BLE001 (whatever it is, the test must see it)
            errors.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(made) == 8
