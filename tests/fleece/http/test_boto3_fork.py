"""fleece.boto3 after a fork and after a SnapStart restore: each process has connections of its own."""

from __future__ import annotations

import gc
import os
import threading
import weakref

import pytest
import snapshot_restore_py
from botocore.config import Config

from fleece import boto3
from fleece._defaults import defaults

pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")  # 3.12's; the server's threads


def made_by_client(**kwargs):
    return boto3.client("s3", **kwargs)


def made_by_resource(**kwargs):
    return boto3.resource("s3", **kwargs).meta.client


def made_by_session(**kwargs):
    return boto3.Session().client("s3", **kwargs)


def made_by_resource_of_session(**kwargs):
    return boto3.Session().resource("s3", **kwargs).meta.client


@pytest.fixture(params=[False, True], ids=["http", "https"])
def server(request, app, secure_app):
    return secure_app if request.param else app


@pytest.fixture
def make(server, authority):
    """Return what makes a client of that server: only its `who`, one of the functions above, is left to say."""

    def made(who=made_by_client):
        return who(
            endpoint_url=server.url,
            verify=authority.file,
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=60),
            region_name="eu-west-1",
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
        )

    return made


def ask(client, who, times=15):
    for _ in range(times):
        client.head_object(Bucket=who, Key="key")


def connections(server, who):
    return {one.connection for one in server.requests if one.path == f"/{who}/key"}


@pytest.mark.parametrize("who", [made_by_client, made_by_resource, made_by_session, made_by_resource_of_session])
def test_parent_and_child_use_a_client_at_once(server, make, who):
    """A client that was used before the fork works in both, the parent's on the connection that it had."""
    client = make(who)
    ask(client, "before", 1)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            ask(client, "child")
            status = 0
        finally:
            os._exit(status)
    ask(client, "parent")
    assert os.waitpid(child, 0)[1] == 0
    ask(client, "after", 1)
    assert connections(server, "before") == connections(server, "parent") == connections(server, "after")
    assert len(connections(server, "child")) == 1
    assert connections(server, "child") != connections(server, "parent")


def test_many_threads_of_a_child_use_a_client_at_once(server, make):
    """The connections of the parent are dropped once, and none that a thread of the child has opened."""
    client = make()
    ask(client, "before", 1)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            failed = []

            def work():
                try:
                    ask(client, "child")
                except Exception as error:  # noqa: BLE001 (told by the exit code)
                    failed.append(error)

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            status = len(failed)
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert len([one for one in server.requests if one.path == "/child/key"]) == 60
    assert not connections(server, "child") & connections(server, "before")


def test_connections_are_not_used_after_a_snapstart_restore(server, make, monkeypatch):
    """What was opened before the snapshot leads nowhere after the restore; AWS's hooks say when that was."""
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    monkeypatch.setattr(defaults, "_restore_hook", False)
    monkeypatch.setattr(snapshot_restore_py, "_after_restore_registry", [])
    client = make()
    ask(client, "before", 2)
    for hook, args, kwargs in snapshot_restore_py.get_after_restore():
        hook(*args, **kwargs)
    ask(client, "after", 2)
    assert len(connections(server, "before")) == len(connections(server, "after")) == 1
    assert connections(server, "before") != connections(server, "after")


def test_client_is_not_kept_alive(make):
    """A client that nobody has any more is gone at once, as boto3's is, and its connections with it."""
    client = make()
    ask(client, "once", 1)
    seen = weakref.ref(client)
    gc.disable()
    try:
        del client
        assert seen() is None
    finally:
        gc.enable()
