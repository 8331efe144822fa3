"""A LocalStack that is already running, with the embedded server for what it does not have: X-Ray.

It is on this machine, and ready when ``GET /_localstack/init`` says so. The account of a call is its access key id,
which is therefore the account's number.
"""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from fleece.cli.errors import CommandError
from fleece_testing.aws import AWS
from fleece_testing.aws.credentials import Credentials
from fleece_testing.local.control import GoneError, ask

if TYPE_CHECKING:
    from typing_extensions import Self

_HOSTS = ("127.0.0.1", "[::1]")  # in a container it has the first, and without one it may have the second alone
_SECRET = "test"
_USER = "fleece"
_FEDERATED_ROLE = "federated"
_POLL = 0.25  # seconds
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


class LocalStack(AWS):
    """AWS of which all but X-Ray is a LocalStack's; `calls` and the faults are those of X-Ray.

    What is seeded stays there when this stops, and what is there already is taken as it is.

    Args:
        port: where on this machine the LocalStack listens.
        region: as for `AWS`.
        account: as for `AWS`.
        patience: how long to wait for it to become ready, in seconds.
    """

    def __init__(self, port: int, *, region: str, account: str, patience: float = 60) -> None:
        super().__init__(region=region, account=account)
        self._localstack_port = port
        self._patience = patience
        self._localstack = ""

    def start(self) -> Self:
        """Find the LocalStack, wait until it is ready, and start the server for X-Ray.

        Raises:
            CommandError: there is none, or it does not become ready.
        """
        self._localstack = _find(self._localstack_port)
        _wait_until_ready(self._localstack, self._patience)
        return super().start()

    @property
    def url(self) -> str:
        """The endpoint of every service but X-Ray."""
        return self._localstack

    @property
    def xray_url(self) -> str:
        """The endpoint of X-Ray."""
        return super().url

    def environment(self) -> dict[str, str]:
        """Return the variables that lead any AWS SDK to both."""
        return {**super().environment(), "AWS_ENDPOINT_URL_XRAY": self.xray_url}

    def credentials(self, account: str | None = None) -> Credentials:
        """Return keys that LocalStack takes for the account's, and the server for X-Ray as well."""
        account = account or self.account
        if account not in self._user_keys:
            key = self._moto.new_access_key(account, _USER)
            key.access_key_id, key.secret_access_key = account, _SECRET
            self._user_keys[account] = key
            self._register_users()
        return super().credentials(account)

    def issue_credentials(self, account: str | None = None, seconds: float = 3600) -> Credentials:
        """Return temporary credentials from LocalStack's STS, for LocalStack alone; nothing there ends them."""
        account = account or self.account
        # The role need not be there.
        role = f"arn:aws:iam::{account}:role/{_FEDERATED_ROLE}"
        sts = self.client("sts", account=account)
        given = sts.assume_role(RoleArn=role, RoleSessionName=_USER)["Credentials"]
        sts.close()
        expiration = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        return Credentials(account, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], expiration)

    def client(self, name: str, *, account: str | None = None, **arguments: Any) -> Any:
        """Return a boto3 client on whichever has the service."""
        if name == "xray":
            arguments.setdefault("endpoint_url", self.xray_url)
        return super().client(name, account=account, **arguments)

    def kms_key(self, alias: str | None = None, *, account: str | None = None, region: str | None = None) -> str:
        """Create a symmetric KMS key, unless there is one with this alias, and return its ARN."""
        kms = self.client("kms", account=account, region_name=region or self.region)
        name = None if alias is None else f"alias/{alias.removeprefix('alias/')}"
        if name is not None:
            try:
                return str(kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"])
            except kms.exceptions.NotFoundException:
                pass
        key = kms.create_key()["KeyMetadata"]
        if name is not None:
            kms.create_alias(AliasName=name, TargetKeyId=key["KeyId"])
        return str(key["Arn"])

    def role(self, name: str, account: str | None = None) -> str:
        """Create an IAM role that anyone may assume, unless it is there, and return its ARN."""
        iam = self.client("iam", account=account)
        try:
            made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))
        except iam.exceptions.EntityAlreadyExistsException:
            made = iam.get_role(RoleName=name)
        return str(made["Role"]["Arn"])


def _find(port: int) -> str:
    """Return the address of the LocalStack at the port."""
    for host in _HOSTS:
        url = f"http://{host}:{port}"
        try:
            _is_ready(url)
        except GoneError:
            continue
        return url
    raise CommandError(
        f"no LocalStack answers on port {port} of this machine: start it, name its port with --port, "
        "or leave --backend localstack away"
    )


def _wait_until_ready(url: str, patience: float) -> None:
    end = time.monotonic() + patience
    while not _is_ready(url):
        if time.monotonic() > end:
            raise CommandError(f"the LocalStack at {url} is not ready after {patience:.0f} s; its own log says why")
        time.sleep(_POLL)


def _is_ready(url: str) -> bool:
    completed = ask(url, "/_localstack/init").get("completed")
    if not isinstance(completed, dict):
        raise GoneError(f"{url}: this is not LocalStack")
    return bool(completed.get("READY"))
