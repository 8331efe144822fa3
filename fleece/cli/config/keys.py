"""Encrypting and decrypting with AWS KMS: one client for each environment and region, calls side by side.

The rest of the package takes a `KeyService`, and does not know that it is KMS.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from fleece.cli import aws
from fleece.cli.config.side_by_side import call_each
from fleece.cli.errors import CommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from fleece.cli.config.tree import Stage

    Answer = TypeVar("Answer")

    class Track(Protocol):
        """What `fleece.cli._progress.track` is, which belongs to the command line."""

        def __call__(self, items: Iterable[Answer], label: str, total: int) -> Iterator[Answer]:
            """Yield the items as they come."""


MAX_PLAINTEXT = 4096
"""Most bytes that KMS encrypts in one call."""


class KeyServiceError(CommandError):
    """KMS has refused, or could not be reached; the message names the value and its stage."""


class Item(NamedTuple):
    """Something to encrypt or decrypt: where it is, for messages; whose key; and its bytes."""

    title: str
    stage: Stage
    content: bytes


class Undecryptable(NamedTuple):
    """Stands for the plaintext of what could not be decrypted, and says why."""

    reason: str


class KeyService(Protocol):
    """Encrypts and decrypts with the keys of stages."""

    def encrypt(self, items: Sequence[Item]) -> list[bytes]:
        """Return the ciphertext of each plaintext, in order.

        Raises:
            KeyServiceError: one could not be encrypted.
        """

    def decrypt(self, items: Sequence[Item]) -> list[bytes | Undecryptable]:
        """Return the plaintext of each ciphertext, in order.

        Raises:
            KeyServiceError: the service could not be reached, or has had enough of us.
        """


class KMS:
    """AWS KMS as a `KeyService`.

    Args:
        client_for: makes the KMS client for an environment's name and the key, from which a region can be read. It is
            called once for each such pair, from the thread that calls `encrypt` or `decrypt`.
        any_key: whether a ciphertext of another key than the stage's is decrypted too.
        track: passes answers on as they come, with what is done and how many there will be, to show how far it is.
    """

    def __init__(
        self, client_for: Callable[[str, str], Any], *, any_key: bool = False, track: Track | None = None
    ) -> None:
        self._client_for = client_for
        self._any_key = any_key
        self._track = track
        self._clients: dict[tuple[str, str], Any] = {}
        self._plaintexts: dict[tuple[Stage, bytes], bytes] = {}

    def encrypt(self, items: Sequence[Item]) -> list[bytes]:
        """Return the ciphertext of each plaintext, in order.

        Raises:
            KeyServiceError: KMS refused; the calls not yet made are not made.
        """
        return self._side_by_side(self._encrypt, items, "Encrypting")

    def decrypt(self, items: Sequence[Item]) -> list[bytes | Undecryptable]:
        """Return the plaintext of each ciphertext, in order; KMS is asked once for each.

        Raises:
            KeyServiceError: KMS could not be reached, or throttles for longer than we try.
        """
        unknown = [item for item in items if (item.stage, item.content) not in self._plaintexts]
        answers: dict[Any, bytes | Undecryptable] = {}
        for item, answer in zip(unknown, self._side_by_side(self._decrypt, unknown, "Decrypting"), strict=True):
            answers[item.stage, item.content] = answer
            if isinstance(answer, bytes):
                self._plaintexts[item.stage, item.content] = answer
        answers.update(self._plaintexts)
        return [answers[item.stage, item.content] for item in items]

    def _side_by_side(self, call: Callable[[Item], Answer], items: Sequence[Item], what: str) -> list[Answer]:
        """Make a call for each item, a few at a time; the first that fails stops those that have not begun."""
        for item in items:
            # Made here, one after the other: finding credentials may ask the user something.
            self._prepare(item)
        answers = call_each(call, items, aws.CONNECTIONS)
        return list(self._track(answers, what, len(items)) if self._track else answers)

    def _prepare(self, item: Item) -> None:
        """Make the client for an item; that there are no credentials for it, for instance, is told with its place."""
        try:
            self._client(item.stage)
        except CommandError as error:
            kind = UsageError if isinstance(error, UsageError) else KeyServiceError
            raise kind(f"{item.title}: the key {item.stage.key!r} cannot be used: {error}") from error

    def _encrypt(self, item: Item) -> bytes:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 (slow; only for those who call AWS)

        try:
            answer = self._client(item.stage).encrypt(KeyId=key_id(item.stage.key), Plaintext=item.content)
        except (BotoCoreError, ClientError) as error:
            raise KeyServiceError(
                f"{item.title}: cannot be encrypted with the key {item.stage.key!r}: {aws.reason(error)}"
            ) from error
        return bytes(answer["CiphertextBlob"])

    def _decrypt(self, item: Item) -> bytes | Undecryptable:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        key = {} if self._any_key else {"KeyId": key_id(item.stage.key)}
        try:
            answer = self._client(item.stage).decrypt(CiphertextBlob=item.content, **key)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "IncorrectKeyException":
                return Undecryptable(self._wrong_key(item))
            if code in _TRY_LATER:
                raise self._not_now(item, error) from error
            return Undecryptable(f"{aws.reason(error)} (the stage's key is {item.stage.key!r})")
        except BotoCoreError as error:
            raise self._not_now(item, error) from error
        return bytes(answer["Plaintext"])

    def _not_now(self, item: Item, error: Exception) -> KeyServiceError:
        return KeyServiceError(
            f"{item.title}: cannot be decrypted with the key {item.stage.key!r} now: {aws.reason(error)}"
        )

    def _wrong_key(self, item: Item) -> str:
        """Say which key was meant and which it is: KMS tells the latter when it may decrypt with any."""
        from botocore.exceptions import ClientError  # noqa: PLC0415

        try:
            other = self._client(item.stage).decrypt(CiphertextBlob=item.content)["KeyId"]
        except ClientError:
            other = "another, which these credentials may not use"
        return (
            f"it was encrypted with the key {other}, and the stage's key is {item.stage.key!r}; "
            "--any-key decrypts it all the same"
        )

    def _client(self, stage: Stage) -> Any:
        what = (stage.environment, stage.key)
        if what not in self._clients:
            self._clients[what] = self._client_for(*what)
        return self._clients[what]


def size_problem(content: bytes) -> str | None:
    """Return why KMS does not encrypt a plaintext; None when it does."""
    if not content:
        return "an empty secret cannot be encrypted; write '' without :encrypt:"
    if len(content) > MAX_PLAINTEXT:
        return f"a secret of {len(content)} bytes is too long, KMS encrypts {MAX_PLAINTEXT} at most; split it"
    return None


_KEY_ID = re.compile(r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def key_id(key: str) -> str:
    """Return the key as KMS takes it: an ARN, a key id, or an alias, which may come without ``alias/``."""
    if key.startswith(("arn:", "alias/")) or _KEY_ID.fullmatch(key):
        return key
    return f"alias/{key}"


# Whether the value can be decrypted is not known after these.
_TRY_LATER = frozenset(
    {
        "DependencyTimeoutException",
        "InternalFailure",
        "KMSInternalException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
