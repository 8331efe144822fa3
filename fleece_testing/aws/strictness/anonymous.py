"""S3 without a signature: what is public may be read, and nothing else be done.

Moto looks at whether an object is public where it is read; here it is looked at for everything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleece_testing.aws.errors import AWSError

if TYPE_CHECKING:
    from fleece_testing.aws.requests import Request
    from fleece_testing.aws.strictness.state import State

_LEFT_TO_MOTO = frozenset({"GetObject", "HeadObject"})
_ACTIONS = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PostObject": "PutObject",
}
"""What a policy calls them, where it is not as the API does."""


def check(request: Request, state: State) -> AWSError | None:
    """Refuse what only the bucket's own account may do."""
    if request.operation in _LEFT_TO_MOTO:
        return None
    bucket, key = str(request.parameters.get("Bucket", "")), str(request.parameters.get("Key", ""))
    action = _ACTIONS.get(request.operation, request.operation)
    if bucket and state.is_public(bucket, action, key):
        return None
    return AWSError("AccessDenied", "Access Denied", 403)
