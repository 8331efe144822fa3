"""The six steps of the demo. Each does its part, shows it, checks it, and returns what it achieved in one line."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING, Any

from rich.text import Text

from fleece_testing import events
from fleece_testing._environment import scrubbed
from fleece_testing._text import printable
from fleece_testing.local.build_image import has_build_image
from fleece_testing.local.demo_checks import SECRETS, contents, expect, expect_no_secret, expect_request_ids, sha256
from fleece_testing.local.directory import TEAMS
from fleece_testing.local.waterfall import waterfall
from fleece_testing.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleece_testing.local.demo import Demo
    from fleece_testing.runtime import Invocation

DEVELOPMENT = "111111111111"
BUCKET = "users-of-development"
_PIP_LINES = 8


def start_stack(demo: Demo) -> str:
    """Start the servers, and make a working copy that leads to them."""
    stack = demo.stack.start()
    services = {"AWS (moto, strict)": stack.aws.url, "Rackspace": stack.rackspace.url, "X-Ray": stack.xray.address}
    for name, address in {**services, "team directory": demo.directory.url}.items():
        demo.show(f"{name:<20} {address}")
    demo.show("\n".join(f"seeded {resource}" for resource in stack.resources), style="dim")
    for name, old, new in (
        ("environments.yml", "http://127.0.0.1:4566", stack.aws.url),
        ("config.open.yml", "http://127.0.0.1:8080", demo.directory.url),
    ):
        text = (demo.source / name).read_text(encoding="utf-8")
        (demo.work / name).write_text(text.replace(old, new), encoding="utf-8")
    shutil.copytree(demo.source / "service", demo.service)
    home = demo.work / "home"
    home.mkdir()
    demo.environ = {
        **scrubbed(os.environ),
        **stack.environment(),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "SOURCE_DATE_EPOCH": "1704067200",
    }
    if demo.wheels is not None:
        demo.environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(demo.wheels)}
    expect(len(stack.resources) > 1, "nothing was seeded from resources.yml")
    return f"{len(services) + 1} servers on loopback, {len(stack.resources)} resources seeded"


def configure(demo: Demo) -> str:
    """Encrypt the open configuration, put it into the service, and upload it to Parameter Store."""
    closed = demo.work / "config.yml"
    opened = (demo.work / "config.open.yml").read_text(encoding="utf-8")
    demo.run("config", "import", stdin=opened, source="config.open.yml")
    text = closed.read_text(encoding="utf-8")
    demo.show(text)
    expect_no_secret("config.yml", [text])
    expect(text.count(":decrypt:") == len(SECRETS), f"config.yml should have {len(SECRETS)} ciphertexts")

    encrypted = len(demo.stack.aws.calls("kms", "Encrypt"))
    exported = demo.run("config", "export")
    demo.run("config", "import", stdin=exported, source="what was exported")
    encrypted_again = len(demo.stack.aws.calls("kms", "Encrypt")) - encrypted
    expect(
        closed.read_text(encoding="utf-8") == text, "export | import of an unchanged configuration changed config.yml"
    )
    expect(encrypted_again == 0, f"export | import of an unchanged configuration made {encrypted_again} Encrypt calls")

    module = demo.run("config", "render", "--python", "dev")
    demo.show(module, limit=12)
    expect(SECRETS["dev"] not in module, "the rendered module has a secret in clear")
    (demo.service / "src" / "fleece_config.py").write_text(module, encoding="utf-8")

    demo.show(demo.run("config", "render", "--parameter-store", "/users/dev", "dev"))
    ssm = demo.stack.aws.client("ssm", account=DEVELOPMENT)
    stored = {
        one["Name"]: (one["Type"], one["Value"])
        for one in ssm.get_parameters_by_path(Path="/users/dev", Recursive=True, WithDecryption=True)["Parameters"]
    }
    wanted = ("SecureString", SECRETS["dev"])
    expect(stored.get("/users/dev/directory/token") == wanted, f"Parameter Store has {sorted(stored)}, not the secret")
    return f"{len(SECRETS)} secrets encrypted, round trip without a change, {len(stored)} parameters uploaded"


def run_with_credentials(demo: Demo) -> str:
    """Start a child whose credentials came through Identity, FAWS and AssumeRole."""
    output = demo.run("run", "-e", "local", "--", sys.executable, "service/seed.py", BUCKET)
    demo.show(output)
    role = f"arn:aws:sts::{DEVELOPMENT}:assumed-role/LambdaDeployRole/fleece_assumed_role"
    expect(role in output, f"the child should have been {role}")
    objects = demo.stack.aws.client("s3", account=DEVELOPMENT).list_objects_v2(Bucket=BUCKET).get("Contents", [])
    expect(len(objects) == len(TEAMS), f"the child should have put {len(TEAMS)} objects into S3, not {len(objects)}")
    demo.show("\n".join(f"asked {one.method} {one.path}" for one in demo.stack.rackspace.requests), style="dim")
    return f"the child was {role.rpartition(':')[2]} and put {len(objects)} objects"


def build(demo: Demo) -> str:
    """Make the zip for the Python that runs this, twice, and compare; where Docker is ready, there as well."""
    from fleece.cli.build.target import target_for  # noqa: PLC0415 (of the extra `cli`)

    version = ".".join(platform.python_version_tuple()[:2])
    target = target_for(version, "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64")
    arguments = ("build", "--python", version, "--architecture", target.architecture, "service")
    demo.show(demo.run(*arguments, "--no-docker", limit=_PIP_LINES))
    expect(demo.zip.is_file(), f"there is no {demo.zip.name}")
    first = sha256(demo.zip)
    demo.show(demo.run(*arguments, "--no-docker"))
    second = sha256(demo.zip)
    expect(first == second, f"two builds of the same source differ: {first} and {second}")
    in_docker = has_build_image(target, demo.environ)
    if in_docker:
        demo.show(demo.run(*arguments, "--target", "docker", limit=_PIP_LINES))
        differing = contents(demo.work / "docker" / demo.zip.name) ^ contents(demo.zip)
        expect(not differing, f"the build in Docker differs from the one without: {sorted(differing)[:4]}")
    with zipfile.ZipFile(demo.zip) as package:
        names = package.namelist()
    expect("handler.py" in names and "swagger.yml" in names, "the zip lacks the service's own files")
    again = "the same twice, and in Docker but for bytecode" if in_docker else "the same twice"
    return f"{demo.zip.stat().st_size / 1024**2:.1f} MB, {len(names)} files, sha256 {first[:12]}..., {again}"


def _requests() -> list[tuple[str, dict[str, Any], int, Callable[[Any], bool]]]:
    """Return what is asked of the function: a title, the event, the status to come, and a check of the body."""
    ada = {"id": 1, "name": "Ada", "team": TEAMS[1]}

    def request(method: str, path: str, kind: str, body: Any = None) -> dict[str, Any]:
        headers = {} if body is None else {"content-type": "application/json"}
        data = None if body is None else json.dumps(body)
        return events.request(method, path, headers=headers, body=data, kind=kind)

    return [
        ("GET /v1/users/1 (REST API)", request("GET", "/v1/users/1", "rest"), 200, lambda body: body == ada),
        ("GET /v1/users/1 (HTTP API)", request("GET", "/v1/users/1", "http"), 200, lambda body: body == ada),
        (
            "POST /v1/users (HTTP API)",
            request("POST", "/v1/users", "http", {"name": "Barbara"}),
            201,
            lambda body: body == {"id": 3, "name": "Barbara"},
        ),
        (
            "POST /v1/users, no name",
            request("POST", "/v1/users", "rest", {}),
            400,
            lambda body: "name" in body["detail"],
        ),
        ("GET /v1/users/99", request("GET", "/v1/users/99", "rest"), 404, lambda body: body["title"] == "Not Found"),
    ]


def invoke(demo: Demo) -> str:
    """Boot the zip under AWS's own runtime client, send it API events, and look at answers and logs."""
    environment = {
        **demo.stack.aws.issue_credentials(DEVELOPMENT).environment(),
        "AWS_ENDPOINT_URL": demo.stack.aws.url,
    }
    with Runtime(
        demo.zip,
        "handler.lambda_handler",
        environment=environment,
        function_name="users",
        account=DEVELOPMENT,
        region=demo.stack.aws.region,
        init_timeout=60,
        xray=demo.stack.xray,
        echo=False,
    ) as runtime:
        for title, event, status, fits in _requests():
            invocation = runtime.invoke(event, deadline=60)
            demo.invocations.append(invocation)
            _check_answer(demo, title, invocation, status, fits)
            demo.show("\n".join(invocation.logs), style="dim")
            expect_request_ids(event, invocation)
        line = next(line for line in demo.invocations[0].logs if "User found" in line)
        demo.console.print(Text.assemble("One of these lines in full: ", (printable(line), "cyan")))
    expect_no_secret("a log line", [line for one in demo.invocations for line in one.logs])
    lines = sum(len(one.log_lines) for one in demo.invocations)
    return f"{len(demo.invocations)} events answered as they should be, {lines} log lines with their request ids"


def _check_answer(demo: Demo, title: str, invocation: Invocation, status: int, fits: Callable[[Any], bool]) -> None:
    failed = "\n".join([f"{title}: the function failed: {invocation.error}", *invocation.logs])
    expect(invocation.error is None, failed)
    answer: Mapping[str, Any] = invocation.result
    seconds = f"{invocation.duration * 1000:.0f} ms"
    demo.console.print(
        Text.assemble(
            (title, "bold"), f" → {answer['statusCode']} ", (seconds, "cyan"), f"  {printable(answer['body'].strip())}"
        ),
        no_wrap=True,
        overflow="ellipsis",
        crop=True,
    )
    expect(answer["statusCode"] == status, f"{title}: expected status {status}, got {answer['statusCode']}")
    expect(fits(json.loads(answer["body"])), f"{title}: this is not the answer expected: {answer['body']}")


def draw_trace(demo: Demo) -> str:
    """Check what the X-Ray daemon received, and draw the trace of the first call and of one in the warm container."""
    xray = demo.stack.xray
    xray.check()
    for name, parent, fields in (
        ("get_user", "lambda_handler", {"annotations": {"user_id": 1}}),
        ("S3", "get_user", {"namespace": "aws", "aws": {"operation": "GetObject"}}),
        ("127.0.0.1", "directory", {"namespace": "remote", "http": {"response": {"status": 200}}}),
    ):
        xray.assert_subsegment(name, parent=parent, **fields)
    expect_no_secret("a trace", [json.dumps(document) for document in xray.documents])
    traces = xray.traces()
    roots = [[root.name for root in trace.roots] for trace in traces]
    expected = [["lambda_handler"]] * len(demo.invocations)
    expect(
        roots == expected, f"each invocation should have one trace with lambda_handler at its root, there are {roots}"
    )
    for trace in traces[:2]:
        demo.console.print(waterfall(trace, demo.console.width))
        demo.console.print()
    return f"{len(traces)} traces of {len(xray.subsegments)} subsegments, as the X-Ray daemon and service take them"


STEPS: dict[str, Callable[[Demo], str]] = {
    "stack: what a service talks to, on loopback": start_stack,
    "config: encrypt, render, upload": configure,
    "run: a child with temporary credentials": run_with_credentials,
    "build: the package": build,
    "invoke: the package under AWS's runtime client": invoke,
    "trace: where the time went": draw_trace,
}
