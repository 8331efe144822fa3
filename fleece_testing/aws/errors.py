"""Errors of AWS as values, and their form in each protocol."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from fleece_testing.aws.requests import JSON, REST_JSON, REST_XML

if TYPE_CHECKING:
    from fleece_testing.aws.requests import Request


@dataclass(frozen=True)
class AWSError:
    """What a service answers in place of a result; `code` is what ``ClientError`` has in ``Error.Code``."""

    code: str
    message: str
    status: int = 400


def response(error: AWSError, request: Request) -> Response:
    """Return the error in the protocol of the request."""
    request_id = str(uuid.uuid4())
    headers = {"x-amzn-RequestId": request_id}
    if request.protocol in (JSON, REST_JSON):
        body = json.dumps({"__type": error.code, "message": error.message})
        headers["x-amzn-ErrorType"] = error.code
        kind = "application/x-amz-json-1.1" if request.protocol == JSON else "application/json"
    else:
        body, kind = _xml(error, request, request_id), "text/xml"
    if request.method == "HEAD":
        body = ""  # such an answer has none; SDKs go by its status
    return Response(body, error.status, headers, content_type=kind)


def _xml(error: AWSError, request: Request, request_id: str) -> str:
    detail = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    if request.protocol == REST_XML:
        return f"<Error>{detail}<RequestId>{request_id}</RequestId></Error>"
    if request.service == "ec2":
        return f"<Response><Errors><Error>{detail}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    side = "Sender" if error.status < 500 else "Receiver"  # noqa: PLR2004 (the border of HTTP's classes)
    detail = f"<Type>{side}</Type>{detail}"
    return f"<ErrorResponse><Error>{detail}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
