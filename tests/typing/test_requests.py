"""Checked by mypy and pyright, never run: fleece.requests is as typed as requests, and has two arguments more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import assert_type
from urllib3.util import Retry, Timeout

from fleece import requests
from fleece.requests import Response, exceptions, get as get_alone

if TYPE_CHECKING:
    # requests' own, so that this breaks when they take something new.
    from requests._types import (
        DataKwargs,
        DataType,
        GetKwargs,
        JsonType,
        ParamsType,
        PostKwargs,
        RequestKwargs,
        UriType,
    )
    from typing_extensions import Unpack


def fleece_takes_all_that_requests_takes(url: UriType, **kwargs: Unpack[RequestKwargs]) -> None:
    requests.request("GET", url, **kwargs)
    requests.options(url, **kwargs)
    requests.head(url, **kwargs)
    requests.delete(url, **kwargs)
    session = requests.Session()
    session.request("GET", url, **kwargs)
    session.options(url, **kwargs)
    session.head(url, **kwargs)
    session.delete(url, **kwargs)


def also_by_position(url: UriType, params: ParamsType, data: DataType, json: JsonType) -> None:
    session = requests.Session()
    requests.get(url, params)
    requests.post(url, data, json)
    requests.put(url, data)
    requests.patch(url, data)
    session.get(url, params)
    session.post(url, data, json)
    session.put(url, data)
    session.patch(url, data)


def get_takes_it(url: UriType, **kwargs: Unpack[GetKwargs]) -> None:
    requests.get(url, **kwargs)
    requests.Session().get(url, **kwargs)


def post_takes_it(url: UriType, **kwargs: Unpack[PostKwargs]) -> None:
    requests.post(url, **kwargs)
    requests.Session().post(url, **kwargs)


def put_and_patch_take_it(url: UriType, **kwargs: Unpack[DataKwargs]) -> None:
    requests.put(url, **kwargs)
    requests.patch(url, **kwargs)
    requests.Session().put(url, **kwargs)
    requests.Session().patch(url, **kwargs)


def timeouts_and_retries() -> None:
    requests.set_default_timeout(5)
    requests.set_default_timeout(connect_timeout=1.5, read_timeout=None)
    requests.set_default_retries(3, status_forcelist=[503])

    assert_type(requests.get("https://example.com", timeout=3, retries=2), Response)
    assert_type(get_alone("https://example.com", {"a": 1}, timeout=(1, None)), Response)
    requests.post("https://example.com", json={"a": [1, None]}, retries={"total": 2, "allowed_methods": ["POST"]})
    requests.put("https://example.com", b"x", retries=Retry(2), timeout=Timeout(connect=1))
    requests.head("https://example.com", timeout=None, retries=None)

    with requests.Session(timeout=(1, 2), retries=2) as session:
        assert_type(session, requests.Session)
        assert_type(session.get("https://example.com", retries=Retry(2)), Response)
        assert_type(session.post("https://example.com", {"a": "b"}, retries={"total": 1}), Response)
        assert_type(session.request("GET", "https://example.com", timeout=1, retries=1), Response)
    assert_type(requests.session(), requests.Session)
    assert_type(requests.session(timeout=(1, None), retries=Retry(2)), requests.Session)


def other_names_are_those_of_requests(session: requests.Session) -> None:
    session.mount("https://", requests.adapters.HTTPAdapter(max_retries=1))
    session.auth = requests.auth.HTTPBasicAuth("user", "password")
    try:
        response = session.send(session.prepare_request(requests.Request("GET", "https://example.com")), timeout=1)
    except (requests.exceptions.Timeout, exceptions.RetryError, requests.ConnectTimeout) as error:
        assert_type(error.request, "requests.Request | requests.PreparedRequest | None")
        return
    assert_type(response.status_code, int)
    assert_type(response.elapsed.total_seconds(), float)
    assert_type(response.headers, "requests.structures.CaseInsensitiveDict[str]")
    _ = (
        requests.__version__,
        requests.api.get,
        requests.certs,
        requests.codes,
        requests.compat,
        requests.cookies.RequestsCookieJar,
        requests.hooks,
        requests.models.Response,
        requests.packages,
        requests.sessions.Session,
        requests.status_codes.codes,
        requests.utils.default_headers,
    )


def mistakes() -> None:
    requests.gte("https://example.com")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    requests.get("https://example.com", timout=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    requests.get("https://example.com", timeout="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    requests.get("https://example.com", retries="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    requests.get("https://example.com", headers=["a"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    requests.post("https://example.com", json={1, 2})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    requests.Session(timout=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    requests.set_default_timeout("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    session = requests.Session()
    session.get("https://example.com", retry=2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    session.put("https://example.com", retries=2.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    session.request("GET", "https://example.com", verify=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
