"""The documents that Rackspace Identity and FAWS answer with, built by pure functions."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleece_testing._rackspace_directory import Token

_IDENTITY_FAULTS = {
    400: "badRequest",
    401: "unauthorized",
    403: "userDisabled",
    404: "itemNotFound",
    405: "badMethod",
    413: "overLimit",
    429: "overLimit",
    503: "serviceUnavailable",
}


class RefusedError(Exception):
    """What ends the handling of a request, with the answer to give."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def as_json(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(json.dumps(document), status, headers, mimetype="application/json")


def identity_fault(status: int, message: str | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as Identity words it: the kind of fault is the document's one key."""
    detail = {"code": status, "message": message or HTTP_STATUS_CODES.get(status, "Unknown")}
    return as_json({_IDENTITY_FAULTS.get(status, "identityFault"): detail}, status, headers)


def faws_fault(status: int, message: str | None = None) -> Response:
    """Return an error of FAWS, whose documents are of another shape than Identity's."""
    return as_json({"error": {"code": status, "message": message or HTTP_STATUS_CODES.get(status, "Unknown")}}, status)


def passcode_wanted(session: str) -> Response:
    """Return the 401 that asks for the passcode of a user with multi-factor authentication."""
    return identity_fault(
        401,
        "Additional authentication credentials required",
        {"WWW-Authenticate": f"OS-MF sessionId='{session}', factor='PASSCODE'"},
    )


def access(token: Token) -> Response:
    """Return Identity's answer about a token, both to whoever asks for one and to whoever validates one."""
    moment = datetime.fromtimestamp(token.expires, timezone.utc).isoformat(timespec="milliseconds")
    about: dict[str, Any] = {"id": token.id, "expires": moment.replace("+00:00", "Z")}
    if token.tenant is not None:
        about["tenant"] = {"id": token.tenant, "name": token.tenant}
    name = token.user.name
    user = {"id": f"id-of-{name}", "name": name, "roles": [{"id": role, "name": role} for role in token.user.roles]}
    return as_json({"access": {"token": about, "user": user}})


def cut(response: Response) -> Response:
    """Return the same answer with half of its body, as when the connection breaks off in the middle."""
    body = response.get_data()
    half = Response(body[: len(body) // 2], response.status_code, response.headers)
    half.automatically_set_content_length = False
    half.headers["Content-Length"] = str(len(body))
    return half
