"""``fleece config import`` of 200 secrets that have all changed, in a process of its own, with KMS at 20 ms a call.

Both take their credentials from Rackspace's services, and write a file that is there. 1.2.1 encrypts everything anew;
fleece decrypts the old values first, to see that they have changed. The same with nothing changed, and with 2,000, is
fleece beside itself.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.model import Contestant, Evidence, Once, Ratio, Row
from harness.peers import FLEECE_1_2_1, FLEECE_CLI
from services.kms import URL, ciphertext, kms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ENVIRONMENTS = "environments:\n  - {{name: dev, account: '123456789012'{extra}}}\n"
STAGES = "stages:\n  dev: {environment: dev, key: k}\n  prod: {environment: dev, key: k}\nconfig:\n"
VALUE = "  group{number}:\n    password:\n      +dev: '{dev}'\n      +prod: '{prod}'\n"


def configuration(count: int, secret: Callable[[str], str]) -> str:
    """Return a configuration with `count` secrets."""
    values = (
        VALUE.format(number=number, dev=secret(f"dev-{number}"), prod=secret(f"prod-{number}"))
        for number in range(count // 2)
    )
    return STAGES + "".join(values)


def prepare(count: int, suffix: str, extra: str = "") -> None:
    """Write the files, and put what is imported on stdin."""
    closed = configuration(count, lambda text: ":decrypt:" + ciphertext("alias/k", text))
    Path("config.yml").write_text(closed, encoding="utf-8")
    Path("environments.yml").write_text(ENVIRONMENTS.format(extra=extra), encoding="utf-8")
    opened = configuration(count, lambda text: f":encrypt:{text}{suffix}")
    sys.stdin = io.TextIOWrapper(io.BytesIO(opened.encode()), encoding="utf-8")
    os.environ |= {"RS_USERNAME": "me", "RS_API_KEY": "key", "AWS_DEFAULT_REGION": "us-east-1"}


def fleece(count: int, suffix: str, clock: Callable[[], float]) -> Mapping[str, float]:
    url = os.environ[URL]
    prepare(count, suffix, extra=f", endpoint_url: '{url}'")
    os.environ |= {"FLEECE_IDENTITY_URL": url, "FLEECE_FAWS_URL": url}
    begin = clock()
    from fleece.cli.config import main

    main(["import"])
    return {"": clock() - begin}


def fleece_1_2_1(clock: Callable[[], float]) -> Mapping[str, float]:
    import requests

    server = os.environ[URL]
    prepare(200, "-new")
    os.environ["AWS_ENDPOINT_URL"] = server
    send = requests.Session.request

    def redirected(self: requests.Session, method: str, url: str, **options: Any) -> requests.Response:
        for service in ("https://identity.api.rackspacecloud.com", "https://accounts.api.manage.rackspace.com"):
            url = url.replace(service, server)
        return send(self, method, url, **options)

    setattr(requests.Session, "request", redirected)  # noqa: B010 (mypy takes no assignment to a method)
    begin = clock()
    importlib.import_module("fleece.cli.config.config").main(["import"])  # 1.2.1's, which mypy does not see
    return {"": clock() - begin}


def check(encrypted: int, evidence: Evidence) -> None:
    """Require that so many secrets were encrypted."""
    assert evidence.received.count(b"Encrypt") == encrypted


ROW = Row(
    work="config import, KMS at 20 ms a call",
    clock="wall",
    rounds=5,
    stage=kms,
    contestants=(
        Contestant("200 changed", FLEECE_CLI, Once(partial(fleece, 200, "-new")), check=partial(check, 200)),
        Contestant("200 changed, 1.2.1", FLEECE_1_2_1, Once(fleece_1_2_1), check=partial(check, 200)),
        Contestant("200 unchanged", FLEECE_CLI, Once(partial(fleece, 200, "")), check=partial(check, 0)),
        Contestant("2,000 changed", FLEECE_CLI, Once(partial(fleece, 2000, "-new")), check=partial(check, 2000)),
    ),
    bars=(
        Ratio("200 changed", "200 changed, 1.2.1", 0.1),
        Ratio("200 unchanged", "200 changed, 1.2.1"),
        Ratio("2,000 changed", "200 changed", 11),
    ),
)
