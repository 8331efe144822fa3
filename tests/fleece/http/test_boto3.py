"""fleece.boto3: the order of precedence of timeouts, on clients that are really made."""

from __future__ import annotations

import importlib
import re
import socket
import threading

import boto3 as plain_boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from hypothesis import given, strategies as st

from fleece import boto3
from fleece._defaults import defaults

HERE = {"region_name": "eu-west-1", "aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}
seconds = st.none() | st.integers(1, 900) | st.floats(0.01, 900)


def first(*values):
    return next(value for value in values if value is not None)


@pytest.mark.parametrize("make", [boto3.client, boto3.resource, boto3.Session().client, boto3.Session().resource])
@given(timeout=seconds, connect=seconds, read=seconds, configured=seconds, default=st.tuples(seconds, seconds, seconds))
def test_first_timeout_given_wins(make, timeout, connect, read, configured, default):
    """Own argument, timeout, config, default of its kind, default timeout, botocore's 60 s: the first given wins."""
    config = Config(retries={"max_attempts": 7}, **({} if configured is None else {"read_timeout": configured}))
    with defaults.override():
        boto3.set_default_timeout(*default)
        made = make("s3", timeout=timeout, connect_timeout=connect, read_timeout=read, config=config, **HERE)
    effective = getattr(made, "meta", made).client.meta.config if hasattr(made.meta, "client") else made.meta.config
    assert effective.connect_timeout == first(connect, timeout, default[1], default[0], 60)
    assert effective.read_timeout == first(read, timeout, configured, default[2], default[0], 60)
    assert effective.retries["total_max_attempts"] == 8


def test_client_is_plain_with_nothing_set():
    """With no timeout anywhere, the client has the configuration that boto3 itself gives."""
    ours = boto3.client("s3", **HERE).meta.config
    theirs = plain_boto3.client("s3", **HERE).meta.config
    assert (ours.connect_timeout, ours.read_timeout) == (theirs.connect_timeout, theirs.read_timeout) == (60, 60)


def test_timeout_that_was_set_is_the_one_that_fires():
    """A server that accepts and never answers ends in botocore's ReadTimeoutError, not in a minute's wait."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}",
            read_timeout=0.2,
            config=Config(retries={"total_max_attempts": 1}),
            **HERE,
        )
        with pytest.raises(ReadTimeoutError):
            client.list_buckets()


@pytest.mark.parametrize("bad", [0, -1, "5", True, float("nan"), float("inf"), [1]])
@pytest.mark.parametrize("name", ["timeout", "connect_timeout", "read_timeout"])
@pytest.mark.parametrize("call", [lambda **kw: boto3.client("s3", **HERE, **kw), boto3.set_default_timeout])
def test_senseless_timeout_is_refused_by_name(call, name, bad):
    """What is not a number of seconds above zero is a ValueError that names the argument and the value."""
    with pytest.raises(ValueError, match=rf"^{name} must be .*{re.escape(repr(bad))} was given$"):
        call(**{name: bad})


def test_config_of_the_wrong_type_is_refused():
    """A dict in place of a Config is a TypeError at the call."""
    with pytest.raises(TypeError, match=r"config must be a botocore\.config\.Config"):
        boto3.client("s3", timeout=1, config={"read_timeout": 3}, **HERE)


def test_session_keeps_its_own_client_configuration():
    """A botocore session's default configuration beats the process-wide default, as the caller's config does."""
    boto3.set_default_timeout(5)
    session = boto3.Session(**{key: value for key, value in HERE.items() if key != "x"})
    session._session.set_default_client_config(Config(read_timeout=33))
    config = session.client("s3").meta.config
    assert (config.connect_timeout, config.read_timeout) == (5, 33)


def test_every_other_name_is_boto3s():
    """Whatever boto3 has, the wrapper has, and it is the same object."""
    names = [name for name in dir(plain_boto3) if not name.startswith("_")]
    own = {"client", "resource", "Session"}
    assert {name for name in names if getattr(boto3, name) is not getattr(plain_boto3, name)} == own
    assert set(names) <= set(dir(boto3))


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
