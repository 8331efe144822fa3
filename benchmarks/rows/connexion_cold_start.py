"""The time from nothing to the first answer of a connexion application, in parts: information, without a bar.

``import`` is of fleece's connexion handler, ``specification`` makes the application from twenty operations, and
``first request`` is a validated GET. The specification is a YAML file, a JSON file, or a dict that the program has.
Beside it, the same application behind Mangum.
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from apps.events import rest
from apps.specification import specification
from harness.model import Contestant, Once, Ratio, Row
from harness.peers import FLEECE_CONNEXION, MANGUM_CONNEXION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Framework: TypeAlias = Literal["flask", "async"]
    Clock: TypeAlias = Callable[[], float]

FRAMEWORKS: tuple[Framework, ...] = ("flask", "async")
EVENT = rest("GET", "/orders/17", {"expand": "items", "limit": "5"})
TO_YAML = "import json, yaml; yaml.safe_dump(json.load(open('openapi.json')), open('openapi.yaml', 'w'))"


def as_yaml() -> Path:
    as_json()
    # Not in this process: PyYAML would be there already when the clock starts. Nor with a module that nobody needs.
    status = os.spawnl(os.P_WAIT, sys.executable, sys.executable, "-I", "-c", TO_YAML)  # noqa: S606 (no shell is wanted)
    assert status == 0
    return Path("openapi.yaml")


def as_json() -> Path:
    path = Path("openapi.json")
    path.write_text(json.dumps(specification("apps.orders")), encoding="utf-8")
    return path


def as_dict() -> dict[str, Any]:
    return specification("apps.orders")


def fleece(framework: Framework, make: Callable[[], Path | dict[str, Any]], clock: Clock) -> Mapping[str, float]:
    source = make()
    begin = clock()
    from fleece.connexion import get_connexion_app

    imported = clock()
    app = get_connexion_app("orders", source, framework=framework)
    made = clock()
    return parts(begin, imported, made, app.call_proxy_api(EVENT), clock())


def mangum(clock: Clock) -> Mapping[str, float]:
    source = as_yaml()
    begin = clock()
    from connexion import FlaskApp
    from mangum import Mangum

    imported = clock()
    app = FlaskApp("orders", specification_dir=".")
    app.add_api(source.name, strict_validation=True, validate_responses=True)
    adapter = Mangum(app, lifespan="off")
    context: Any = None
    made = clock()
    return parts(begin, imported, made, adapter(EVENT, context), clock())


def parts(begin: float, imported: float, made: float, answer: dict[str, Any], answered: float) -> Mapping[str, float]:
    assert answer["statusCode"] == 200, answer
    return {
        "import": imported - begin,
        "specification": made - imported,
        "first request": answered - made,
        "total": answered - begin,
    }


ROW = Row(
    work="first answer of a connexion application",
    contestants=(
        *(
            Contestant(f"{framework}, {name}", FLEECE_CONNEXION, Once(partial(fleece, framework, make)))
            for framework in FRAMEWORKS
            for name, make in (("YAML", as_yaml), ("JSON", as_json), ("dict", as_dict))
        ),
        Contestant("mangum, flask, YAML", MANGUM_CONNEXION, Once(mangum)),
    ),
    bars=(
        Ratio("flask, YAML: total", "mangum, flask, YAML: total"),
        Ratio("flask, JSON: total", "flask, YAML: total"),
        Ratio("async, YAML: total", "flask, YAML: total"),
    ),
    rounds=5,
)
