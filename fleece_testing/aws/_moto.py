"""Everything that fleece reads from moto and sets in it, in one place.

Moto's state belongs to the process, not to a server. What is used of it: its WSGI application, its reset, and the
dictionaries ``<service>_backends[account][region or partition]``.
"""

from __future__ import annotations

import atexit
import json
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend
from moto.iam.access_control import PermissionResult
from moto.iam.models import AccessKey, iam_backends
from moto.kms.models import kms_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends
from moto.sts.utils import random_session_token

from fleece_testing._http import QuietRequestHandler
from fleece_testing.aws.credentials import Credentials
from fleece_testing.aws.strictness.state import Key, Parameter, Principal, Role
from fleece_testing.aws.strictness.trust import read

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

PARTITION = "aws"


class RequestHandler(QuietRequestHandler, MotoRequestHandler):
    """Keep moto's spelling of S3's metadata headers, and answer ``Expect: 100-continue`` at once."""

    def handle_expect_100(self) -> bool:
        """Send the interim answer now: buffered, it would leave boto3 waiting a second before each upload."""
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed


def application() -> WSGIApplication:
    """Return moto's server as a WSGI application."""
    app: WSGIApplication = DomainDispatcherApplication(create_backend_app)
    return app


def reset() -> None:
    """Forget every resource of every account."""
    moto_api_backend.reset()


def backend(service: str, account: str, region: str) -> Any:
    """Return the object that holds everything of a service in an account and region."""
    name: Any = service  # one of the literals that moto knows
    regions: Any = get_backend(name)[account]
    return regions[PARTITION if service == "iam" else region]


def close_at_exit() -> None:
    """Close what Python would complain of at exit: aws_xray_sdk, which moto's X-Ray imports, keeps a socket open."""
    sdk = sys.modules.get("aws_xray_sdk.core")
    if sdk is not None:
        atexit.register(sdk.xray_recorder.emitter._socket.close)  # noqa: SLF001 (it has nothing to close it with)


def new_access_key(account: str, user: str, prefix: str = "AKIA") -> Any:
    """Make an access key of an IAM user, without adding it to the account."""
    key: Any = AccessKey  # its type information calls it abstract
    return key(user_name=user, prefix=prefix, account_id=account)


def credentials_of(account: str, key: Any) -> Credentials:
    """Return an access key of `new_access_key` as credentials."""
    return Credentials(account, key.access_key_id, key.secret_access_key)


def add_user(account: str, region: str, key: Any) -> None:
    """Add the user that `key` was made for to the account, and let the key be used; twice is the same as once."""
    backend = iam_backends[account][PARTITION]
    if key.access_key_id not in backend.access_keys:
        # Another server of this process may have added the user already.
        user: Any = backend.users.get(key.user_name) or backend.create_user(region, key.user_name)
        user.access_keys.append(key)
        backend.access_keys[key.access_key_id] = key


def open_session(account: str, region: str, role: str, session: str, seconds: float) -> Credentials:
    """Issue temporary credentials of a role session, which end after `seconds`."""
    backend: Any = sts_backends[account][PARTITION]
    opened = backend.assume_role(
        region_name=region,
        role_session_name=session,
        role_arn=f"arn:{PARTITION}:iam::{account}:role/{role}",
        policy=None,
        duration=seconds,
        external_id=None,
    )
    return Credentials(
        account,
        opened.access_key_id,
        opened.secret_access_key,
        opened.session_token,
        opened.expiration.replace(tzinfo=timezone.utc),
    )


def open_user_session(account: str, user_key: str, seconds: float) -> Credentials:
    """Issue temporary credentials of the user whose access key that is, which end after `seconds`."""
    backend: Any = iam_backends[account][PARTITION]
    key = new_access_key(account, backend.access_keys[user_key].user_name, prefix="ASIA")
    key.session_token, key.user_key = random_session_token(), user_key
    key.expires = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    # Not among the user's own keys, which IAM lists.
    backend.access_keys[key.access_key_id] = key
    return Credentials(account, key.access_key_id, key.secret_access_key, key.session_token, key.expires)


def add_key(account: str, region: str, alias: str | None) -> str:
    """Create a symmetric KMS key and return its ARN."""
    backend = kms_backends[account][region]
    key = backend.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", None)
    if alias is not None:
        backend.create_alias(key.id, alias)
    arn: str = key.arn
    return arn


def has_kms(account: str, region: str) -> bool:
    """Whether there is such a region, with KMS in it."""
    return region in kms_backends[account]


def has_alias(account: str, region: str, alias: str) -> bool:
    """Whether a KMS key has the alias."""
    return bool(kms_backends[account][region].get_key_id_from_alias(alias))


def has_role(account: str, name: str) -> bool:
    """Whether there is an IAM role of that name."""
    return any(role.name == name for role in iam_backends[account][PARTITION].get_roles())


def add_role(account: str, name: str) -> str:
    """Create an IAM role that every principal of AWS may assume, and return its ARN."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
    role = iam_backends[account][PARTITION].create_role(
        role_name=name,
        assume_role_policy_document=json.dumps(trust),
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration=None,
    )
    arn: str = role.arn
    return arn


class MotoState:
    """Moto's accounts, as the rules of `strictness` see them."""

    def open_user_session(self, account: str, user_key: str, seconds: float) -> Credentials:
        """Issue temporary credentials of the user whose access key that is, which end after `seconds`."""
        return open_user_session(account, user_key, seconds)

    def principal(self, access_key_id: str) -> Principal | None:
        """Return whoever the active access key is of."""
        for account, partitions in list(iam_backends.items()):
            key: Any = partitions[PARTITION].access_keys.get(access_key_id)
            if key is None or key.status != "Active":
                continue
            session: Any = sts_backends[account][PARTITION].get_assumed_role_from_access_key(access_key_id)
            if session is not None:
                expires = session.expiration.replace(tzinfo=timezone.utc)
                return Principal(account, session.arn, session.secret_access_key, session.session_token, expires)
            arn = partitions[PARTITION].get_user(key.user_name).arn
            if getattr(key, "user_key", None) is None:
                return Principal(account, arn, key.secret_access_key)
            return Principal(account, arn, key.secret_access_key, key.session_token, key.expires, key.user_key)
        return None

    def key(self, account: str, region: str, key_id: str) -> Key | None:
        """Return the KMS key with this id, ARN or alias."""
        if key_id.startswith("arn:") and key_id.split(":")[3:5] != [region, account]:
            return None
        backend = kms_backends[account][region]
        name = backend.get_alias_name(key_id)
        found = backend.get_key_id_from_alias(name) if name.startswith("alias/") else backend.get_key_id(key_id)
        return _key(backend.keys.get(found or ""))

    def key_of_ciphertext(self, account: str, region: str, blob: bytes) -> Key | None:
        """Return the key of this account and region that a ciphertext was made with."""
        # Moto's ciphertexts begin with the id of their key.
        return _key(kms_backends[account][region].keys.get(blob[:36].decode("ascii", "replace")))

    def parameter(self, account: str, region: str, name: str) -> Parameter | None:
        """Return the SSM parameter of that name."""
        if name.startswith("/aws/"):  # public ones and secrets of Secrets Manager: nobody's to put, and slow to look up
            return None
        # Not imported above: it imports all of EC2, which takes longer than all the rest.
        parameters = backend("ssm", account, region)._parameters  # noqa: SLF001 (nothing public)
        versions: Any = parameters[name] if name in parameters else None  # noqa: SIM401 (its `get` does not find it)
        if not versions:
            return None
        newest = versions[-1]
        return Parameter(newest.parameter_type, newest.tier, newest.keyid or None)

    def role(self, arn: str) -> Role | None:
        """Return the IAM role with this ARN, of any account."""
        account = arn.split(":")[4] if arn.count(":") > 4 else ""  # noqa: PLR2004 (arn:partition:iam::account:role/...)
        if account not in iam_backends:
            return None
        role: Any
        for role in iam_backends[account][PARTITION].get_roles():
            if role.arn == arn:
                trust = read(role.assume_role_policy_document)
                return Role(arn, int(role.max_session_duration or 3600), trust)
        return None

    def is_public(self, bucket: str, action: str, key: str) -> bool:
        """Whether anybody may do that with an S3 bucket, or with an object in it, by its policy or its ACL."""
        found: Any = _bucket(bucket)
        if found is None:
            return False
        resource = f"arn:{PARTITION}:s3:::{bucket}" + (f"/{key}" if key else "")
        permitted: bool = found.get_permission(f"s3:{action}", resource) is PermissionResult.PERMITTED
        return permitted or (action == "ListBucket" and found.acl is not None and found.acl.public_read)


def _bucket(name: str) -> Any:
    """Return the S3 bucket of any account."""
    partitions = [one[PARTITION] for one in list(s3_backends.values())]
    return next((one.buckets[name] for one in partitions if name in one.buckets), None)


def _key(key: Any) -> Key | None:
    if key is None:
        return None
    return Key(key.arn, key.key_state, key.key_usage or "ENCRYPT_DECRYPT", key.key_spec == "SYMMETRIC_DEFAULT")
