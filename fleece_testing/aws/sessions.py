"""Temporary credentials of an IAM user, which STS answers GetSessionToken with; moto's are the same for everybody."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from fleece_testing.aws.credentials import Credentials

DEFAULT_SESSION = 43_200
"""How long they are good for when nobody says how long, in seconds."""

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def answer(issued: Credentials) -> Response:
    """Return STS's answer with the credentials."""
    expiration = "" if issued.expiration is None else issued.expiration.strftime("%Y-%m-%dT%H:%M:%SZ")
    parts = {
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": issued.secret_access_key,
        "SessionToken": issued.session_token or "",
        "Expiration": expiration,
    }
    credentials = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in parts.items())
    body = (
        f'<GetSessionTokenResponse xmlns="{_NAMESPACE}"><GetSessionTokenResult><Credentials>{credentials}</Credentials>'
        f"</GetSessionTokenResult><ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
        "</GetSessionTokenResponse>"
    )
    return Response(body, content_type="text/xml")
