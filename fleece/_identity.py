"""Rackspace Identity, asked what it knows of a token.

The token is in the request's URL. So the URL is a secret: it is not traced, not logged, not sent through a redirect or
without TLS, and in no error.
"""

from __future__ import annotations

import logging
import os
from contextvars import ContextVar
from urllib.parse import quote

from urllib3.util import Retry

from fleece import _endpoints, requests
from fleece._defaults import defaults
from fleece._requests.connections import WarmAdapter

TOKEN_PATH = "/v2.0/tokens/{token}"  # noqa: S105 (a path)
URL_VARIABLE = "FLEECE_IDENTITY_URL"

_TIMEOUT = (3.0, 10.0)  # seconds to connect, and between two bytes of an answer; API Gateway waits for 29 in all
_LOGGERS_OF_URLS = ("urllib3.connectionpool", "urllib3.util.retry")
_asking: ContextVar[bool] = ContextVar("fleece.raxauth.asking", default=False)


class UnavailableError(Exception):
    """Identity cannot be asked; the message says why, without the URL."""


class _Session(requests.Session):
    """The session of one question: nothing stays of it but the connection, which is kept warm for the next."""

    fleece_untraced = True  # fleece.xray leaves it alone

    def __init__(self, base: str) -> None:
        # No retries, whatever the process's default: the caller waits.
        super().__init__(timeout=_TIMEOUT, retries=Retry(0, read=False))
        self.mount(base, defaults.resource("raxauth.adapter", WarmAdapter))
        # Without TLS it is for this machine, and a proxy would see it.
        self.trust_env = base.startswith("https:")


def ask(token: str) -> requests.Response:
    """Return Identity's answer about a token, whatever its status.

    Raises:
        UnavailableError: there is no answer.
        ValueError: the URL in ``FLEECE_IDENTITY_URL`` is not one that secrets may be sent to.
    """
    base = _base_url()
    defaults.resource("raxauth.log_filter", _silence_urls)
    reset = _asking.set(True)
    try:
        return _Session(base).get(
            base + TOKEN_PATH.format(token=quote(token, safe="")),
            headers={"X-Auth-Token": token, "Accept": "application/json"},
            allow_redirects=False,
        )
    except Exception as error:  # noqa: BLE001 (each of them may quote the URL)
        failure = type(error).__name__
    finally:
        _asking.reset(reset)
    # Out of the except clause: as this error's context, the other would be shown or sent on with it.
    raise UnavailableError(f"cannot be reached ({failure})")


def _base_url() -> str:
    url = os.environ.get(URL_VARIABLE) or _endpoints.IDENTITY_URL
    problem = _endpoints.problem(url)
    if problem is not None:
        raise ValueError(f"The URL in {URL_VARIABLE} {problem}")
    return url.rstrip("/")


def _silence_urls() -> None:
    """Have urllib3 log nothing of our requests: its lines have their URL in them, some of them as warnings."""
    for name in _LOGGERS_OF_URLS:
        logging.getLogger(name).addFilter(_is_not_ours)


def _is_not_ours(_record: logging.LogRecord) -> bool:
    return not _asking.get()
