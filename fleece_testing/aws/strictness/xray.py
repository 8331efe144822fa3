"""X-Ray: documents that PutTraceSegments answers as unprocessed, while it takes the others.

The rules of a document are those that the X-Ray daemon's stub goes by.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fleece_testing import _xray_rules as rules

if TYPE_CHECKING:
    from collections.abc import Iterable


def divide(documents: Iterable[str]) -> tuple[list[str], list[dict[str, str]]]:
    """Return the good documents, and an entry of ``UnprocessedTraceSegments`` for each of the others.

    The service's own codes are not documented; these say whether the document could be read at all.
    """
    good: list[str] = []
    unprocessed: list[dict[str, str]] = []
    for text in documents:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            unprocessed.append({"ErrorCode": "ParseError", "Message": str(error)})
            continue
        reason = _fault(text, document)
        if reason is None:
            good.append(text)
        else:
            unprocessed.append({**_identity(document), "ErrorCode": "InvalidSegment", "Message": reason})
    return good, unprocessed


def _fault(text: str, document: Any) -> str | None:
    if len(text.encode()) > rules.MAX_DOCUMENT:
        return f"The document has more than {rules.MAX_DOCUMENT} bytes"
    try:
        rules.check_document(document)
    except ValueError as error:
        return str(error)
    return None


def _identity(document: Any) -> dict[str, str]:
    """Return the id that the answer names the document by, where it has one."""
    found = document.get("id") if isinstance(document, dict) else None
    return {"Id": found} if isinstance(found, str) else {}
