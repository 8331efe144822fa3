"""The pytest plugin: fixtures, and nothing that runs before one is asked for.

Loading this module imports pytest alone. Each fixture imports what it needs when it is first used, and a package that
is missing is an error that names the extra to install.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from types import ModuleType

    from fleece_testing.api import Client
    from fleece_testing.aws import AWS, KMS, CloudWatch, ParameterStore
    from fleece_testing.command_line import CommandLine
    from fleece_testing.context import LambdaContext
    from fleece_testing.docker_engine import DockerEngine
    from fleece_testing.logs import Logs
    from fleece_testing.rackspace import Rackspace
    from fleece_testing.runtime import Runtime
    from fleece_testing.xray_daemon import XRayDaemon


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch for isolation."""
    about = "let nothing leave this machine, with dummies for credentials, and report each attempt with its line"
    parser.getgroup("fleece").addoption("--fleece-isolate", action="store_true", help=about)
    parser.addini("fleece_isolate", about, type="bool", default=False)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Isolate the session, where that is asked for, before anything of the tests is imported."""
    _isolate_if_asked(early_config, early_config.known_args_namespace)


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker; and isolate here where a ``conftest.py`` loaded this plugin, too late for the hook above."""
    config.addinivalue_line(
        "markers",
        "fleece_expects_refusal: the test tries to leave the machine on purpose; in an isolated session it is "
        "refused all the same, but not reported",
    )
    _isolate_if_asked(config, config.option)


def _isolate_if_asked(config: pytest.Config, options: Namespace) -> None:
    if options.fleece_isolate or config.getini("fleece_isolate"):
        importlib.import_module("fleece_testing._isolation.reporter").isolate(config)


def _need(module: str, fixture: str) -> ModuleType:
    """Import a module of this package, and say what to install when what it stands on is missing."""
    try:
        return importlib.import_module(f"fleece_testing.{module}")
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.partition(".")[0] in ("", "fleece", "fleece_testing"):
            raise
    # Out of the except clause, where pytest would show the other error as well.
    pytest.fail(f"The fixture {fixture} needs the package {missing!r}: pip install 'fleece[testing]'", pytrace=False)


def _keywords(request: pytest.FixtureRequest, function: Callable[..., Any]) -> dict[str, Any]:
    """Return what indirect parametrisation gives to the fixture, for `function` to be called with."""
    arguments = _need("_arguments", request.fixturename or "")
    try:
        keywords: dict[str, Any] = arguments.keywords_of(request.fixturename, request)
        arguments.check_names(request.fixturename, function, keywords)
    except TypeError as error:
        wrong = str(error)
    else:
        return keywords
    pytest.fail(wrong, pytrace=False)


def _refuse_parameters(request: pytest.FixtureRequest, instead: str | None = None) -> None:
    """Fail where indirect parametrisation gives something to a fixture that takes nothing: it would be overlooked."""
    if hasattr(request, "param"):
        hint = f"; parametrise {instead}, which it hands out" if instead else ""
        pytest.fail(f"{request.fixturename} takes no parameters{hint}", pytrace=False)


def _set_environment(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def fleece_context(request: pytest.FixtureRequest) -> Callable[..., LambdaContext]:
    """Make Lambda context objects: ``fleece_context(function_name="users")``.

    Indirect parametrisation gives the keywords that every call starts from.

    Examples:
        >>> fleece_context(function_name="users", memory_limit_in_mb=512).memory_limit_in_mb
        '512'
    """
    made: type[LambdaContext] = _need("context", "fleece_context").LambdaContext
    check = _need("_arguments", "fleece_context").check_names
    defaults = _keywords(request, made)

    def make(**fields: Any) -> LambdaContext:
        __tracebackhide__ = True
        check("fleece_context", made, fields)
        return made(**{**defaults, **fields})

    return make


@pytest.fixture
def fleece_events(request: pytest.FixtureRequest) -> ModuleType:
    """Build events: the functions of `fleece_testing.events`, such as ``fleece_events.request("GET", "/users")``.

    Examples:
        >>> fleece_events.request("GET", "/users", kind="http")["rawPath"]
        '/users'
    """
    _refuse_parameters(request)
    return _need("events", "fleece_events")


@pytest.fixture
def fleece_api(request: pytest.FixtureRequest, fleece_context: Callable[..., LambdaContext]) -> Callable[..., Client]:
    """Call a handler as HTTP clients would: ``fleece_api(handler, kind="http").get("/v1/users/1")``.

    Indirect parametrisation gives the keywords that every call starts from, such as ``{"kind": "http"}``; the context
    objects are those of `fleece_context`.

    Examples:
        >>> api = fleece_api(lambda event, context: {"statusCode": 200, "body": context.function_name}, kind="http")
        >>> api.get("/users").status
        200
    """
    made: type[Client] = _need("api", "fleece_api").Client
    defaults = {"context": fleece_context, **_keywords(request, made)}

    def client(handler: Callable[[Any, Any], Any], **options: Any) -> Client:
        __tracebackhide__ = True
        return made(handler, **{**defaults, **options})

    return client


@pytest.fixture
def fleece_logs(request: pytest.FixtureRequest) -> Iterator[Logs]:
    r"""Read the JSON lines that the test has written to stdout, from this process and its children.

    What it read is written again at the end, for pytest to show with a failing test.

    Examples:
        >>> import os
        >>> written = os.write(1, b'{"event": "Order received", "order_id": 7}\n')
        >>> fleece_logs.assert_logged("Order received")["order_id"]
        7
    """
    _refuse_parameters(request)
    for name in ("capsys", "capsysbinary", "capfdbinary", "capteesys"):
        if name in request.fixturenames:
            pytest.fail(f"fleece_logs and {name} both take the output: use fleece_logs.out and .err", pytrace=False)
    logs: Logs = _need("logs", "fleece_logs").Logs(request.getfixturevalue("capfd"))
    yield logs
    logs.give_back()


@pytest.fixture(scope="session")
def fleece_aws_server(request: pytest.FixtureRequest) -> Iterator[AWS]:
    """Hold the emulated AWS that `fleece_aws` hands out, one for the session (and for each xdist worker).

    Indirect parametrisation, or an override in a ``conftest.py``, gives it another ``region`` or ``account``.
    Fixtures of a wider scope than a function's use this one, and clear what they leave in it.

    Examples:
        >>> fleece_aws_server.url.startswith("http://127.0.0.1:")
        True
    """
    made: type[AWS] = _need("aws", "fleece_aws").AWS
    with made(**_keywords(request, made)) as aws:
        yield aws


@pytest.fixture
def fleece_aws(request: pytest.FixtureRequest, fleece_aws_server: AWS, monkeypatch: pytest.MonkeyPatch) -> AWS:
    """Emulate AWS on loopback, empty, for this process and its children.

    Credentials and endpoints that were in the environment are removed for the length of the test, and loopback is
    reached without a proxy.

    Examples:
        >>> import boto3
        >>> key = fleece_aws.kms_key("orders")
        >>> [alias["AliasName"] for alias in boto3.client("kms").list_aliases(KeyId=key)["Aliases"]]
        ['alias/orders']
    """
    _refuse_parameters(request, "fleece_aws_server")
    environment = importlib.import_module("fleece_testing._environment")
    for name in environment.to_scrub(os.environ):
        monkeypatch.delenv(name)
    _set_environment(monkeypatch, environment.NO_OTHER_SOURCES)
    _set_environment(monkeypatch, environment.past_proxies(os.environ))
    # boto3 keeps a session of its own, with the credentials that it found when it was first used.
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    fleece_aws_server.start().clear()
    _set_environment(monkeypatch, fleece_aws_server.environment())
    return fleece_aws_server


@pytest.fixture
def fleece_kms(request: pytest.FixtureRequest, fleece_aws: AWS) -> KMS:
    """Use KMS of `fleece_aws`: ``fleece_kms.key("app")``, ``.encrypt(key, text)``, ``.decrypt(text)``.

    Examples:
        >>> key = fleece_kms.key("orders")
        >>> fleece_kms.decrypt(fleece_kms.encrypt(key, "open sesame"))
        'open sesame'
    """
    _refuse_parameters(request, "fleece_aws_server")
    kms: KMS = _need("aws", "fleece_kms").KMS(fleece_aws)
    return kms


@pytest.fixture
def fleece_ssm(request: pytest.FixtureRequest, fleece_aws: AWS) -> ParameterStore:
    """Use Parameter Store of `fleece_aws`: ``fleece_ssm.put(name, value)``, ``.tree(path)``.

    Examples:
        >>> fleece_ssm.put("/orders/table", "orders-1")
        >>> fleece_ssm.tree("/orders")
        {'/orders/table': 'orders-1'}
    """
    _refuse_parameters(request, "fleece_aws_server")
    ssm: ParameterStore = _need("aws", "fleece_ssm").ParameterStore(fleece_aws)
    return ssm


@pytest.fixture
def fleece_cloudwatch(request: pytest.FixtureRequest, fleece_aws: AWS) -> CloudWatch:
    """Use CloudWatch Logs of `fleece_aws`: ``.lines(group)``, ``.assert_logged(event, order_id=7)``.

    Examples:
        >>> fleece_cloudwatch.stream("/aws/lambda/orders")[0]
        '/aws/lambda/orders'
        >>> fleece_cloudwatch.lines("/aws/lambda/orders")
        []
    """
    _refuse_parameters(request, "fleece_aws_server")
    cloudwatch: CloudWatch = _need("aws", "fleece_cloudwatch").CloudWatch(fleece_aws)
    return cloudwatch


@pytest.fixture(scope="session")
def fleece_rackspace_server(request: pytest.FixtureRequest, fleece_aws_server: AWS) -> Iterator[Rackspace]:
    """Hold the Rackspace stub that `fleece_rackspace` hands out, one for the session.

    Examples:
        >>> fleece_rackspace_server.url.startswith("http://127.0.0.1:")
        True
    """
    _refuse_parameters(request)
    with _need("rackspace", "fleece_rackspace").Rackspace(fleece_aws_server) as rackspace:
        yield rackspace


@pytest.fixture
def fleece_rackspace(
    request: pytest.FixtureRequest,
    fleece_aws: AWS,  # noqa: ARG001 (its credentials must be known to the emulated AWS of this very test)
    fleece_rackspace_server: Rackspace,
    monkeypatch: pytest.MonkeyPatch,
) -> Rackspace:
    """Stand in for Rackspace Identity and the FAWS credentials API; its credentials work on `fleece_aws`.

    Examples:
        >>> user = fleece_rackspace.user("me", "key")
        >>> fleece_rackspace.account("210987654321", users=["me"])
    """
    _refuse_parameters(request)
    fleece_rackspace_server.start().clear()
    _set_environment(monkeypatch, fleece_rackspace_server.environment())
    return fleece_rackspace_server


@pytest.fixture(scope="session")
def fleece_xray_server(request: pytest.FixtureRequest) -> Iterator[XRayDaemon]:
    """Hold the X-Ray daemon that `fleece_xray` hands out, one for the session.

    Indirect parametrisation gives it other ``namespaces``.

    Examples:
        >>> fleece_xray_server.address.startswith("127.0.0.1:")
        True
    """
    made: type[XRayDaemon] = _need("xray_daemon", "fleece_xray").XRayDaemon
    with made(**_keywords(request, made)) as daemon:
        yield daemon


@pytest.fixture
def fleece_xray(
    request: pytest.FixtureRequest, fleece_xray_server: XRayDaemon, monkeypatch: pytest.MonkeyPatch
) -> Iterator[XRayDaemon]:
    """Receive traces as the X-Ray daemon does, with a sampled trace header set.

    A datagram that the real daemon or service would refuse fails the test.

    Examples:
        >>> from fleece.xray import subsegment
        >>> with subsegment("orders"), subsegment("read"):
        ...     pass
        >>> fleece_xray.assert_subsegment("read", parent="orders")["name"]
        'read'
    """
    _refuse_parameters(request, "fleece_xray_server")
    fleece_xray_server.start().clear()
    _set_environment(monkeypatch, fleece_xray_server.environment())
    yield fleece_xray_server
    try:
        fleece_xray_server.check()
    except AssertionError as error:
        wrong = str(error)
    else:
        return
    pytest.fail(wrong, pytrace=False)


@pytest.fixture(scope="session")
def fleece_docker_server(request: pytest.FixtureRequest) -> Iterator[DockerEngine]:
    """Hold the Docker engine that `fleece_docker` hands out, one for the session.

    Examples:
        >>> fleece_docker_server.url.startswith("unix://")
        True
    """
    _refuse_parameters(request)
    with _need("docker_engine", "fleece_docker").DockerEngine() as engine:
        yield engine


@pytest.fixture
def fleece_docker(
    request: pytest.FixtureRequest, fleece_docker_server: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DockerEngine]:
    r"""Stand in for a Docker engine, without images at first: ``fleece_docker.image("example/python:3")``.

    ``docker.from_env()`` leads to it, in this process and its children; the user's own configuration is not read.

    Examples:
        >>> import docker
        >>> image = fleece_docker.image("example/python:3")
        >>> client = docker.from_env()
        >>> client.containers.run("example/python:3", ["echo", "Hello"], remove=True)
        b'Hello\n'
        >>> client.close()
    """
    _refuse_parameters(request)
    for name in ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    fleece_docker_server.start().clear()
    _set_environment(monkeypatch, fleece_docker_server.environment())
    yield fleece_docker_server
    fleece_docker_server.start().clear()


@pytest.fixture
def fleece_runtime(request: pytest.FixtureRequest) -> Iterator[Callable[..., Runtime]]:
    """Boot handlers under AWS's own runtime client: ``fleece_runtime("src", "handler.main").invoke(event)``.

    The function finds those of `fleece_aws`, `fleece_rackspace` and `fleece_xray` that the test uses; variables in
    ``environment=...`` take precedence. Indirect parametrisation gives the keywords that every call starts from.

    Examples:
        >>> code = (tmp_path / "app.py").write_text("def main(event, context): return event + 1")
        >>> fleece_runtime(tmp_path, "app.main").invoke(1).result
        2
    """
    made: type[Runtime] = _need("runtime", "fleece_runtime").Runtime
    check = _need("_arguments", "fleece_runtime").check_names
    parameters = _keywords(request, made)
    defaults = _defaults_of_runtime(request)
    defaults["environment"] |= parameters.pop("environment", None) or {}
    with contextlib.ExitStack() as running:

        def boot(code: str | Path, handler: str, **options: Any) -> Runtime:
            __tracebackhide__ = True
            check("fleece_runtime", made, options)
            environment = {**defaults["environment"], **(options.pop("environment", None) or {})}
            runtime = made(code, handler, **{**defaults, **parameters, **options, "environment": environment})
            runtime.start()  # not by the stack, whose lines pytest would show where it fails
            running.callback(runtime.stop)
            return runtime

        yield boot


def _defaults_of_runtime(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the arguments of a `Runtime` that lead its function to the stubs of this test."""
    environment: dict[str, str] = {}
    defaults: dict[str, Any] = {"environment": environment}
    if "fleece_aws" in request.fixturenames:
        aws: AWS = request.getfixturevalue("fleece_aws")
        # Not all of its environment: the region is an argument of its own, and may be another one.
        environment |= {"AWS_ENDPOINT_URL": aws.url, **aws.credentials().environment()}
        defaults |= {"region": aws.region, "account": aws.account}
    if "fleece_rackspace" in request.fixturenames:
        environment |= request.getfixturevalue("fleece_rackspace").environment()
    if "fleece_xray" in request.fixturenames:
        xray: XRayDaemon = request.getfixturevalue("fleece_xray")
        environment["_X_AMZN_TRACE_ID"] = xray.trace_header
        defaults["xray"] = xray
    return defaults


@pytest.fixture
def fleece_cli(request: pytest.FixtureRequest, tmp_path: Path) -> CommandLine:
    """Run the ``fleece`` command in an empty folder: ``fleece_cli("config", "export").stdout``.

    As a child without a terminal; ``fleece_cli(..., in_process=True)`` runs it in this process, and ``with
    fleece_cli.terminal(...) as terminal:`` on a terminal. Indirect parametrisation gives ``{"in_process": True}`` for
    all calls of the test.

    Examples:
        >>> fleece_cli("--version").stdout.startswith("fleece ")
        True
    """
    made: type[CommandLine] = _need("command_line", "fleece_cli").CommandLine
    return made(**{"folder": tmp_path, **_keywords(request, made)})


@pytest.fixture
def fleece_environments(
    request: pytest.FixtureRequest, fleece_cli: CommandLine, fleece_rackspace: Rackspace
) -> Callable[..., Path]:
    """Write an ``environments.yml`` whose environments lead to the emulators, where `fleece_cli` runs.

    Examples:
        >>> fleece_environments(staging={"account": "210987654321"}).name
        'environments.yml'
    """
    _refuse_parameters(request)
    command_line = _need("command_line", "fleece_environments")

    def write(**environments: Mapping[str, Any]) -> Path:
        __tracebackhide__ = True
        path: Path = command_line.write_environments(fleece_cli.folder, fleece_rackspace.aws.url, environments)
        return path

    return write
