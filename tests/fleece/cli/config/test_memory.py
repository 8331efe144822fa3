"""How much memory an import takes: a little for each secret, however many there are."""

import base64
import tracemalloc

from fleece.cli.config import closed, document
from fleece.cli.config.keys import KMS
from fleece.cli.config.source import Source

REST = 50_000  # bytes of an answer of KMS besides the value, in headers for instance


class Client:
    """Answers as a KMS client does, with a lot besides the value."""

    def encrypt(self, KeyId, Plaintext):  # noqa: N803 (boto3's names)
        return {"CiphertextBlob": b"E" + Plaintext, "KeyId": KeyId, "ResponseMetadata": bytearray(REST)}

    def decrypt(self, CiphertextBlob, KeyId):  # noqa: N803
        return {"Plaintext": CiphertextBlob[1:], "KeyId": KeyId, "ResponseMetadata": bytearray(REST)}


def configuration(count, secret):
    values = "".join(f"  v{i}: {{+dev: '{secret(i)}'}}\n" for i in range(count))
    return document.parse(Source("config.yml", f"stages:\n  dev: {{environment: d, key: k}}\nconfig:\n{values}"))


def peak(count):
    """Return how many bytes the import of so many secrets, all changed, takes at most."""
    there = configuration(count, lambda i: ":decrypt:" + base64.b64encode(b"Eold %d" % i).decode())
    opened = configuration(count, lambda i: f":encrypt:new {i}")
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        closed.import_(opened, there, KMS(lambda _environment, _key: Client()))
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_memory_is_flat():
    """2,000 secrets take no more memory each than 200, and no answer of KMS stays longer than its value is read."""
    few, many = peak(200), peak(2000)
    assert many <= 11 * few
    assert many / 2000 < REST / 5
