"""Checked by mypy and pyright, never run: a star import brings the names that requests' own brings."""

from typing_extensions import assert_type

from fleece.requests import *  # noqa: F403 (its subject)


def check() -> None:
    set_default_timeout(3)  # noqa: F405
    try:
        assert_type(get("https://example.com", retries=2).status_code, int)  # noqa: F405
    except (Timeout, HTTPError):  # noqa: F405
        assert_type(Session().headers.get("a"), "str | None")  # noqa: F405
