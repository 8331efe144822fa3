"""The X-Ray daemon's TCP side: a proxy for two calls of the service, here answered with its default rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

_DEFAULT_RULE = {
    "RuleName": "Default",
    "RuleARN": "arn:aws:xray:us-east-1:123456789012:sampling-rule/Default",
    "ResourceARN": "*",
    "Priority": 10000,
    "FixedRate": 1.0,
    "ReservoirSize": 1,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
    "Attributes": {},
}
_RULES = {"SamplingRuleRecords": [{"SamplingRule": _DEFAULT_RULE, "CreatedAt": 0.0, "ModifiedAt": 0.0}]}


def sampling(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer as the service does for an account with no rules of its own, where everything is sampled."""
    request = Request(environ)
    answer: dict[str, Any] | None = None
    if request.method == "POST" and request.path == "/GetSamplingRules":
        answer = _RULES
    elif request.method == "POST" and request.path == "/SamplingTargets":
        answer = _targets(request.get_json(force=True, silent=True))
    if answer is None:
        response = Response("404 page not found\n", status=404)
    else:
        response = Response(json.dumps(answer), content_type="application/json")
    sent: Iterable[bytes] = response(environ, start_response)
    return sent


def _targets(asked: Any) -> dict[str, Any]:
    """Give each rule that was reported on its rate again."""
    statistics = asked.get("SamplingStatisticsDocuments", []) if isinstance(asked, dict) else []
    names = [one.get("RuleName") for one in statistics if isinstance(one, dict)]
    known = [name for name in names if name == "Default"]
    unknown = [name for name in names if name != "Default"]
    no_such_rule = {"ErrorCode": "ResourceNotFoundException", "Message": "There is no such rule"}
    return {
        "SamplingTargetDocuments": [{"RuleName": name, "FixedRate": 1.0, "Interval": 10} for name in known],
        "LastRuleModification": 0.0,
        "UnprocessedStatistics": [{"RuleName": name, **no_such_rule} for name in unknown],
    }
