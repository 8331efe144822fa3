"""KMS: keys that are switched off, of another usage, or not the ciphertext's.

Sources: the errors of Encrypt, Decrypt, ReEncrypt and Sign in the KMS API reference, and "Key states of AWS KMS keys".
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

from fleece_testing.aws.errors import AWSError

if TYPE_CHECKING:
    from fleece_testing.aws.requests import Request
    from fleece_testing.aws.strictness.state import Amendment, Key, Principal, Rule, State

_KEY_ID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_USAGES = {
    "Encrypt": "ENCRYPT_DECRYPT",
    "GenerateDataKey": "ENCRYPT_DECRYPT",
    "GenerateDataKeyWithoutPlaintext": "ENCRYPT_DECRYPT",
    "Sign": "SIGN_VERIFY",
    "Verify": "SIGN_VERIFY",
    "GenerateMac": "GENERATE_VERIFY_MAC",
    "VerifyMac": "GENERATE_VERIFY_MAC",
}


def check_key(request: Request, caller: Principal, state: State) -> AWSError | None:
    """Check the key that an operation other than Decrypt names."""
    return _check_named(request, caller, state, "KeyId", _USAGES[request.operation])


def check_decrypt(request: Request, caller: Principal, state: State) -> AWSError | None:
    """Check the ciphertext's key, and that it is the one that the request names, if it names one."""
    return _check_ciphertext(request, caller, state, "KeyId")


def check_re_encrypt(request: Request, caller: Principal, state: State) -> AWSError | None:
    """Check the key of the ciphertext, then the one that it shall be encrypted with."""
    return _check_ciphertext(request, caller, state, "SourceKeyId") or _check_named(
        request, caller, state, "DestinationKeyId", "ENCRYPT_DECRYPT"
    )


def _check_named(request: Request, caller: Principal, state: State, member: str, usage: str) -> AWSError | None:
    """Check a key that the request names; that there is none of that name is left to moto."""
    key_id = str(request.parameters.get(member, ""))
    key = state.key(caller.account, request.region, key_id)
    return _foreign(request, caller, key_id) if key is None else _unusable(key, request.operation, usage)


def _check_ciphertext(request: Request, caller: Principal, state: State, member: str) -> AWSError | None:
    """Check a ciphertext and the key that the request names for it; a damaged one is left to moto."""
    try:
        blob = base64.b64decode(request.parameters.get("CiphertextBlob", ""), validate=True)
    except (binascii.Error, TypeError):
        return None
    key_id = request.parameters.get(member)
    named = None if key_id is None else state.key(caller.account, request.region, str(key_id))
    if key_id is not None and named is None:
        return _foreign(request, caller, str(key_id))
    key = state.key_of_ciphertext(caller.account, request.region, blob)
    if key is None:
        # One of a key that is elsewhere, or deleted, is moto's AccessDenied, as it is KMS's.
        return None if named is not None and not named.symmetric else _garbage(blob)
    if named is not None and named.arn != key.arn:
        message = "The key ID in the request does not identify a CMK that can perform this operation."
        return AWSError("IncorrectKeyException", message)
    return _unusable(key, request.operation, "ENCRYPT_DECRYPT")


def _garbage(blob: bytes) -> AWSError | None:
    """Refuse what does not even begin as the ciphertexts of moto do, with the id of a key: moto takes it for one."""
    return None if _KEY_ID.match(blob) else AWSError("InvalidCiphertextException", "The ciphertext is not valid.")


def _foreign(request: Request, caller: Principal, key_id: str) -> AWSError | None:
    """Refuse the ARN of a key of elsewhere; moto would look at the id alone, and take it for one of the account."""
    parts = key_id.split(":")
    if len(parts) != 6:  # noqa: PLR2004 (arn:partition:kms:region:account:key/id)
        return None
    region, account = parts[3:5]
    if region != request.region:
        return AWSError("NotFoundException", f"Invalid arn {region}")
    if account != caller.account:
        message = f"User: {caller.arn} is not authorized to perform: kms:{request.operation} on this resource"
        return AWSError("AccessDeniedException", message)
    return None


def _unusable(key: Key, operation: str, usage: str) -> AWSError | None:
    if key.state == "Disabled":
        return AWSError("DisabledException", f"{key.arn} is disabled.")
    if key.state != "Enabled":
        words = "pending deletion" if key.state == "PendingDeletion" else f"in the state {key.state}"
        return AWSError("KMSInvalidStateException", f"{key.arn} is {words}.")
    if key.usage != usage:
        message = f"{key.arn} key usage is {key.usage} which is not valid for {operation}."
        return AWSError("InvalidKeyUsageException", message)
    return None


RULES: dict[str, Rule] = {
    **dict.fromkeys(_USAGES, check_key),
    "Decrypt": check_decrypt,
    "ReEncrypt": check_re_encrypt,
}


def without_arn(request: Request, _caller: Principal, _state: State) -> dict[str, Any]:
    """Name the key by its id: moto knows it by nothing else in these operations, while AWS takes the ARN as well."""
    return {**request.parameters, "KeyId": str(request.parameters.get("KeyId", "")).rpartition("/")[2]}


AMENDMENTS: dict[str, Amendment] = dict.fromkeys(
    ("CancelKeyDeletion", "DisableKey", "EnableKey", "ScheduleKeyDeletion"), without_arn
)
