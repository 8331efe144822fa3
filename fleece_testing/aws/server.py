"""The emulated AWS as an object: a server to start, credentials for it, clients on it, and helpers to furnish it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleece_testing._arguments import checked_lifetime, checked_text
from fleece_testing._http import LoopbackServer
from fleece_testing._lifecycle import Startable, not_started
from fleece_testing.aws import arguments as given
from fleece_testing.aws._routes import check, signing_name
from fleece_testing.aws.application import Application
from fleece_testing.aws.misbehaving import _Misbehaving

if TYPE_CHECKING:
    from types import ModuleType

    from typing_extensions import Self

    from fleece_testing.aws._clients import Clients
    from fleece_testing.aws.application import Call
    from fleece_testing.aws.credentials import Credentials

__tracebackhide__ = True  # pytest shows what fails here at the test's own line

_USER = "fleece"
_FEDERATED_ROLE = "federated"


class AWS(Startable, _Misbehaving):
    """AWS on a loopback port, for this process and its children.

    Moto keeps its resources per process: two instances in one process share them, and a `clear` of one clears both.

    Args:
        port: the TCP port; 0 takes a free one.
        region: the region of `client`, of the helpers and of `environment`.
        account: the account of the default credentials, 12 digits.

    Raises:
        TypeError: `region` is no text.
        ValueError: no account has that number; the methods that take an account say so as well.

    Examples:
        >>> import boto3
        >>> aws = AWS().start()
        >>> sorted(aws.environment())[2:4]
        ['AWS_ENDPOINT_URL', 'AWS_REGION']
        >>> key, role = aws.kms_key("shop"), aws.role("deploy")
        >>> kms = aws.client("kms")
        >>> kms.describe_key(KeyId="alias/shop")["KeyMetadata"]["Arn"] == key
        True
        >>> [call.status for call in aws.calls("kms", "DescribeKey")]
        [200]
        >>> session = aws.issue_credentials(seconds=900)
        >>> sts = boto3.client("sts", aws.region, endpoint_url=aws.url, **session.client_arguments())
        >>> sts.get_caller_identity()["Arn"]
        'arn:aws:sts::123456789012:assumed-role/federated/fleece'

        Failures on demand:

        >>> aws.fail("kms", "Encrypt", times=1, code="KMSInternalException")
        >>> aws.throttle("ssm", "PutParameter", per_second=3)
        >>> aws.deny("kms:Decrypt")
        >>> aws.delay("kms", "ListKeys", seconds=0.01)
        >>> aws.stale(2, "ssm")
        >>> len(kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]) > 0  # boto3 has called again
        True
        >>> kms.decrypt(CiphertextBlob=b"x")
        Traceback (most recent call last):
        ...
        botocore.exceptions.ClientError: ...is not authorized to perform: kms:Decrypt
        >>> aws.clear()
        >>> aws.client("kms", account="210987654321").list_keys()["Keys"]
        []
        >>> aws.stop()
    """

    def __init__(self, port: int = 0, *, region: str = "us-east-1", account: str = "123456789012") -> None:
        given.check_account(account)
        self.region = checked_text("region", region)
        self.account = account
        self._port = port
        self._server: LoopbackServer | None = None
        self._application: Application | None = None
        self._clients: Clients | None = None
        super().__init__(lambda *place: self._moto.backend(*place))  # noqa: PLW0108 (moto is imported when it is asked)
        self._user_keys: dict[str, Any] = {}

    def start(self) -> Self:
        """Listen; the first start in a process imports moto, which takes a second.

        Raises:
            OSError: the port is taken.
        """
        if self._server is None:
            moto = self._moto
            self._application = Application(moto.application(), moto.MotoState(), self._faults, self._lag)
            server = LoopbackServer(self._application, port=self._port, request_handler=moto.RequestHandler)
            self._server = server.start()
            self._register_users()
        return self

    def stop(self) -> None:
        """Stop listening and forget every resource; stopping twice does nothing."""
        server, self._server = self._server, None
        if server is not None:
            self._faults.clear()
            self._lag.clear()
            server.stop()
            self._moto.reset()
            self._moto.close_at_exit()

    def clear(self) -> None:
        """Forget resources, calls and faults, and every credential but those of `credentials`."""
        self._lag.clear()
        self._moto.reset()
        self._register_users()
        self._faults.clear()
        if self._application is not None:
            self._application.clear()

    @property
    def url(self) -> str:
        """The endpoint of every service, ``http://127.0.0.1:PORT``."""
        if self._server is None:
            raise not_started("The emulated AWS")
        return self._server.url

    def environment(self) -> dict[str, str]:
        """Return the variables that lead any AWS SDK to this server, with credentials of an IAM user."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            **self.credentials().environment(),
        }

    def credentials(self, account: str | None = None) -> Credentials:
        """Return the long-term keys of an IAM user of the account; they outlive `clear`.

        Examples:
            >>> fleece_aws.credentials().account
            '123456789012'
        """
        account = self._account(account)
        key = self._user_keys.get(account)
        if key is None:
            key = self._user_keys.setdefault(account, self._moto.new_access_key(account, _USER))
            self._register_users()
        credentials: Credentials = self._moto.credentials_of(account, key)
        return credentials

    def issue_credentials(self, account: str | None = None, seconds: float = 3600) -> Credentials:
        """Issue temporary credentials of a federated role session in the account, which end after `seconds`.

        A negative number is of credentials that have ended.

        Raises:
            TypeError: it is no number.
        """
        lifetime = checked_lifetime("seconds", seconds)
        issued: Credentials = self._moto.open_session(
            self._account(account), self.region, _FEDERATED_ROLE, _USER, lifetime
        )
        return issued

    def client(self, name: str, *, account: str | None = None, **arguments: Any) -> Any:
        """Return a real boto3 client on this server, whatever the environment and the configuration files say.

        Args:
            name: boto3's name of the service.
            account: whose IAM user signs the calls; `aws_access_key_id` and its kin take other credentials.
            arguments: as for ``boto3.client``.
        """
        if self._clients is None:
            from fleece_testing.aws._clients import Clients  # noqa: PLC0415 (boto3 is slow to import)

            self._clients = Clients()
        defaults: dict[str, Any] = {"endpoint_url": self.url, "region_name": self.region}
        if "aws_access_key_id" not in arguments:
            defaults |= self.credentials(account).client_arguments()
        return self._clients.make(name, **{**defaults, **arguments})

    def kms_key(self, alias: str | None = None, *, account: str | None = None, region: str | None = None) -> str:
        """Create a symmetric KMS key and return its ARN.

        Args:
            alias: a further name for it, with or without ``alias/``.
            account: whose key it is.
            region: where it is.

        Raises:
            ValueError: no key can have that alias, or another one has it; there is no such region.
        """
        account, region = self._account(account), region or self.region
        if not self._moto.has_kms(account, region):
            raise ValueError(f"KMS has no region {region!r}")
        if alias is not None:
            alias = f"alias/{checked_text('alias', alias).removeprefix('alias/')}"
            given.check_alias(alias)
            if self._moto.has_alias(account, region, alias):
                raise ValueError(f"There is a KMS key {alias} in {region} of account {account} already")
        with self._lag.present():
            arn: str = self._moto.add_key(account, region, alias)
        return arn

    def role(self, name: str, account: str | None = None) -> str:
        """Create an IAM role that anyone may assume, and return its ARN.

        Raises:
            ValueError: no role can have that name, or there is one already.
        """
        given.check_role(name)
        account = self._account(account)
        if self._moto.has_role(account, name):
            raise ValueError(f"There is an IAM role {name} in account {account} already")
        with self._lag.present():
            arn: str = self._moto.add_role(account, name)
        return arn

    def calls(self, service: str, operation: str | None = None) -> list[Call]:
        """Return the calls that were answered, in order: of one operation, or all of the service.

        Args:
            service: boto3's name of it.
            operation: as in the API, such as ``GetParameters``.

        Raises:
            ValueError: boto3 has no such service, or that no such operation.
        """
        check(service, operation)
        name = signing_name(service)
        found = [] if self._application is None else self._application.calls
        return [call for call in found if call.service == name and operation in (None, call.operation)]

    def _account(self, account: str | None) -> str:
        if account is None:
            return self.account
        given.check_account(account)
        return account

    @property
    def _moto(self) -> ModuleType:
        from fleece_testing.aws import _moto  # noqa: PLC0415 (moto is slow to import)

        return _moto

    def _register_users(self) -> None:
        for account, key in self._user_keys.items():
            self._moto.add_user(account, self.region, key)
