"""200 GETs to one https server with the calls of the module: ``requests.get(url)``.

fleece's module-level calls share kept-alive connections, as does a session of requests'; plain ``requests.get`` makes a
connection, and a TLS handshake, for each call. Each contestant begins with no connection.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.model import Contestant, Once, Ratio, Row
from harness.peers import FLEECE
from services.https import URL, https_server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import Response

REQUESTS = 200


def time_gets(get: Callable[[str], Response], clock: Callable[[], float]) -> Mapping[str, float]:
    url = os.environ[URL]
    begin = clock()
    for _ in range(REQUESTS):
        assert get(url).json() == {"status": "ok"}
    return {"": clock() - begin}


def fleece(clock: Callable[[], float]) -> Mapping[str, float]:
    from fleece import requests

    return time_gets(requests.get, clock)


def plain(clock: Callable[[], float]) -> Mapping[str, float]:
    import requests

    return time_gets(requests.get, clock)


def session(clock: Callable[[], float]) -> Mapping[str, float]:
    import requests

    with requests.Session() as session:
        return time_gets(session.get, clock)


ROW = Row(
    work="200 GETs to one https server",
    clock="wall",
    stage=https_server,
    contestants=(
        Contestant("fleece.requests.get", FLEECE, Once(fleece)),
        Contestant("requests.get", FLEECE, Once(plain)),
        Contestant("requests.Session", FLEECE, Once(session)),
    ),
    bars=(
        Ratio("fleece.requests.get", "requests.get", 0.35),
        Ratio("fleece.requests.get", "requests.Session", 1.1),
    ),
)
