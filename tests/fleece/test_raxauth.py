"""`authenticate`, over real HTTP against the stand-in for Rackspace Identity."""

import asyncio
import contextvars
import functools
import inspect
import json
import logging
import re
import socket
import traceback

import pytest
import requests
from hypothesis import HealthCheck, example, given, settings, strategies as st

from fleece import _identity, raxauth, requests as fleece_requests, xray
from fleece._defaults import defaults
from fleece.httperror import HTTPError
from fleece.raxauth import authenticate, validate

SECRET = "AAsecret-token_0123456789"
FORM = re.compile(r"[A-Za-z0-9_-]{8,512}")


@authenticate()
def handler(token, userinfo):
    """Say who calls."""
    return userinfo["access"]["user"]["name"]


@pytest.fixture
def rackspace(fleece_rackspace):
    return fleece_rackspace


@pytest.fixture
def about(rackspace):
    """Make Identity's answer to the next question: that about a valid token, changed."""

    def answer(token=SECRET, **changes):
        document = {"id": token, "expires": "2999-01-01T00:00:00.000Z", "tenant": {"id": "42", "name": "42"}, **changes}
        body = json.dumps({"access": {"token": document, "user": {"name": "me", "roles": changes.get("roles", [])}}})
        rackspace.fail("validate", 200, body=body)

    return answer


def status(call, *args, **kwargs):
    """Return the status that a call ends with; 200 for a result."""
    try:
        call(*args, **kwargs)
    except HTTPError as error:
        return error.status_code
    return 200


class TestCalls:
    """How a function takes the token, and what it is told."""

    def test_a_valid_token_gets_in(self, rackspace):
        """All that a test of a protected handler needs is a token of the stand-in."""
        assert handler(token=rackspace.token()) == "fleece"

    def test_by_name_and_by_position(self, rackspace):
        """The token is found wherever the function has it, and the other arguments arrive as they were given."""

        @authenticate()
        def function(event, token, *rest, userinfo=None, **others):
            return event, token, rest, userinfo["access"]["token"]["id"], others

        token = rackspace.token()
        assert function("e", token, 1, 2, a=3) == ("e", token, (1, 2), token, {"a": 3})
        assert function(token=token, event="e") == ("e", token, (), token, {})

    def test_among_any_keywords(self, rackspace):
        """A function that takes any keyword gets the token and the answer there."""
        seen = authenticate()(lambda **keywords: keywords)(token=rackspace.token(), a=1)
        assert (sorted(seen), seen["a"]) == (["a", "token", "userinfo"], 1)
        assert status(authenticate()(lambda **keywords: keywords), a=1) == 401

    def test_without_userinfo(self, rackspace):
        """A function that does not take the answer does not get it."""
        assert authenticate()(lambda token: "in")(rackspace.token()) == "in"

    def test_userinfo_is_identitys(self, rackspace):
        """What a caller gives as ``userinfo`` is not what the function sees."""
        token = rackspace.token()
        fake = {"access": {"user": {"name": "root"}}}
        assert handler(token=token, userinfo=fake) == handler(token, fake) == "fleece"
        seen = authenticate()(lambda **keywords: keywords)(token=token, userinfo=fake)
        assert seen["userinfo"]["access"]["user"]["name"] == "fleece"

    def test_methods_and_partials(self, rackspace):
        """Methods and partials are functions too."""

        class Service:
            @authenticate()
            def call(self, token):
                return self

        service = Service()
        assert service.call(rackspace.token()) is service
        assert authenticate()(functools.partial(lambda event, token: event, "e"))(rackspace.token()) == "e"

    def test_the_function_keeps_its_name(self):
        """The decorated function looks like the one that was decorated."""
        assert (handler.__name__, handler.__doc__) == ("handler", "Say who calls.")

    def test_a_function_without_a_token_is_a_mistake(self):
        """A function that no token can be given to is refused where it is decorated."""
        for function in (lambda event: event, lambda *token: token):
            with pytest.raises(TypeError, match="has no parameter 'token'"):
                authenticate()(function)

    def test_a_default_is_not_the_callers_token(self, rackspace):
        """A token in the function's own signature lets nobody in."""
        token = rackspace.token()
        assert status(authenticate()(lambda token=token: token)) == 401
        assert rackspace.requests == []

    def test_what_the_function_raises_passes(self, rackspace):
        """Errors of the function are its own."""
        with pytest.raises(ZeroDivisionError):
            authenticate()(lambda token: 1 / 0)(rackspace.token())


class TestAsync:
    """Coroutine functions."""

    def test_it_is_a_coroutine_function(self, rackspace):
        """An ``async def`` stays one, and the answer is asked for with its context variables."""
        variable = contextvars.ContextVar("variable")

        @authenticate()
        async def function(token, userinfo):
            return userinfo["access"]["user"]["name"], variable.get()

        async def main():
            variable.set("mine")
            return await function(token=rackspace.token())

        assert inspect.iscoroutinefunction(function)
        assert asyncio.run(main()) == ("fleece", "mine")

    def test_a_slow_answer_holds_up_nobody_else(self, rackspace):
        """While one caller waits for Identity, the loop serves others."""

        @authenticate()
        async def function(token):
            return "in"

        async def main():
            slow = asyncio.create_task(function(rackspace.token()))
            while rackspace._faults["validate"]:  # noqa: ASYNC110 (the server is in a thread, and has no event to wait for)
                await asyncio.sleep(0.01)
            seen = await function(rackspace.token()), slow.done()
            rackspace.clear()
            return seen, (await asyncio.gather(slow, return_exceptions=True))[0]

        rackspace.fail("validate", None, delay=600)
        seen, error = asyncio.run(main())
        assert (seen, error.status_code) == (("in", False), 401)

    def test_a_bad_token_is_refused(self, rackspace):
        """The same rules hold."""

        @authenticate(roles="admin")
        async def function(token):
            raise AssertionError

        for token, expected in (("../extensions", 401), (rackspace.token(seconds=-1), 401), (rackspace.token(), 403)):
            with pytest.raises(HTTPError) as caught:
                asyncio.run(function(token))
            assert caught.value.status_code == expected


class TestTokens:
    """Which tokens get in: none but a valid one."""

    @pytest.mark.parametrize(
        "token",
        [
            None,
            "",
            7,
            True,
            b"AAAAAAAAAAAAAAAA",
            ["AAAAAAAAAAAAAAAA"],
            "../extensions",
            "..",
            "../../v2.0/extensions",
            "AAAAAAAA/../../extensions",
            "%2e%2e%2fextensions",
            "AAAAAAAAAAAAAAA%2e",
            "AAAAAAAA AAAAAAAA",
            " AAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAA\n",
            "AAAAAAAAAAAAAAAA\r\nX-Other: 1",
            "AAAAAAAAAAAAAAAA?belongsTo=1",
            "AAAAAAAAAAAAAAAA#",
            "AAAAAAAA\x00AAAAAAAA",
            "Ünbelievable-token",
            "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
            "short",
            "A" * 10_240,
        ],
    )
    def test_what_is_not_of_a_tokens_form_is_refused_without_a_request(self, rackspace, token):
        """Slashes, dots, percent signs, spaces, 10 kB, other scripts, other types: 401, and Identity hears nothing."""
        assert status(handler, token=token) == 401
        assert rackspace.requests == []

    @settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.text() | st.from_regex(r"[A-Za-z0-9_\-./%]{6,20}", fullmatch=True))
    @example("AAAAAAAAAAAAAAAA")
    def test_no_text_gets_in(self, rackspace, token):
        """Whatever the text, it is refused, and asked about only if it is of a token's form."""
        rackspace.requests.clear()
        assert status(handler, token) == 401
        assert len(rackspace.requests) == (1 if FORM.fullmatch(token) else 0)

    def test_tokens_that_were_valid_once(self, rackspace):
        """Expired and revoked tokens, and one that was never given out, are refused."""
        revoked = rackspace.token()
        rackspace.revoke_tokens()
        assert [status(handler, token) for token in (rackspace.token(seconds=-1), revoked, SECRET)] == [401] * 3
        assert len(rackspace.requests) == 3

    @pytest.mark.parametrize("other", [SECRET.lower(), SECRET[:-1], SECRET + "0", "", "é", "\ud800"])
    def test_an_answer_about_another_token(self, about, other):
        """An answer counts for the token that it is about, to the letter."""
        about(SECRET)
        assert status(handler, SECRET) == 200
        about(other)
        assert status(handler, SECRET) == 401

    @pytest.mark.parametrize(
        ("expires", "expected"),
        [
            ("2999-01-01T00:00:00Z", 200),
            ("2999-01-01T00:00:00.000-06:00", 200),
            ("2001-01-01T00:00:00.000Z", 401),
            ("2999-01-01T00:00:00", 503),
            ("never", 503),
            ("", 503),
            (None, 503),
            (32503680000, 503),
        ],
    )
    def test_the_answers_own_end_counts(self, about, expires, expected):
        """A token that Identity calls valid is refused when it says itself that it has ended, or not when."""
        about(expires=expires)
        assert status(handler, SECRET) == expected


class TestIdentity:
    """What Identity does, and what comes of it."""

    @pytest.mark.parametrize(
        ("answered", "expected"),
        [
            *[(code, 401) for code in (401, 403, 404)],
            *[(code, 503) for code in (201, 204, 301, 302, 307, 400, 405, 413, 429, 500, 502, 503, 504)],
        ],
    )
    def test_errors(self, rackspace, answered, expected):
        """Refusals are a 401; everything else that is no answer is a 503."""
        rackspace.fail("validate", answered, headers={"Retry-After": "0"})
        assert status(handler, rackspace.token()) == expected
        assert len(rackspace.requests) == 1

    def test_203_is_an_answer_too(self, rackspace):
        """Identity answers 200 or 203."""
        token = rackspace.token()
        body = requests.get(f"{rackspace.url}/v2.0/tokens/{token}", headers={"X-Auth-Token": token}, timeout=10).text
        rackspace.fail("validate", 203, body=body)
        assert status(handler, token) == 200

    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_redirects_are_refused(self, rackspace, code):
        """A token is not sent to where an answer points, not even to Identity itself."""
        token = rackspace.token()
        rackspace.fail("validate", code, headers={"Location": f"{rackspace.url}/v2.0/tokens/{token}"})
        assert status(handler, token) == 503
        assert [entry.status for entry in rackspace.requests] == [code]

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "<html>",
            "null",
            "[]",
            '{"access": null}',
            '{"access": {"token": []}}',
            '{"access": {"token": {"id": 7, "expires": "2999-01-01T00:00:00Z"}}}',
            '{"access": {"token": {"expires": "2999-01-01T00:00:00Z"}}}',
            '{"access"',
            "[" * 200_000,
            "9" * 5_000,
            "\ufeff{}",
        ],
    )
    def test_nonsense_is_no_answer(self, rackspace, body):
        """What is no document about a token is a 503."""
        rackspace.fail("validate", 200, body=body)
        assert status(handler, rackspace.token()) == 503

    def test_half_an_answer(self, rackspace):
        """A connection that breaks off in the answer is a 503."""
        rackspace.fail("validate", None, cut=True)
        assert status(handler, rackspace.token()) == 503

    def test_nobody_there(self, rackspace, monkeypatch):
        """A refused connection is a 503."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            monkeypatch.setenv("FLEECE_IDENTITY_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
            assert status(handler, SECRET) == 503

    def test_a_slow_answer(self, rackspace, monkeypatch):
        """An answer that does not come in time is a 503; there is always a time."""
        assert all(seconds > 0 for seconds in _identity._TIMEOUT)
        monkeypatch.setattr(_identity, "_TIMEOUT", (3.0, 0.05))
        rackspace.fail("validate", None, delay=20)
        assert status(handler, rackspace.token()) == 503

    def test_the_processs_retries_and_timeouts_are_for_others(self, rackspace):
        """Defaults that a program sets for its own requests change nothing."""
        fleece_requests.set_default_retries(3, status_forcelist=[404, 500])
        fleece_requests.set_default_timeout(1e-9)
        rackspace.fail("validate", 404)
        rackspace.fail("validate", 500)
        assert [status(handler, rackspace.token()) for _ in range(3)] == [401, 503, 200]
        assert len(rackspace.requests) == 3

    def test_the_connection_stays_open(self, rackspace):
        """The second question goes over the connection of the first."""
        for _ in range(2):
            handler(rackspace.token())
        pools = defaults.resource("raxauth.adapter", object).poolmanager.pools
        [pool] = [pools[key] for key in pools.keys()]  # noqa: SIM118 (urllib3's container is no dict)
        assert (pool.num_connections, pool.num_requests) == (1, 2)

    @pytest.mark.parametrize(
        "url",
        [
            "http://identity.example",
            "ftp://127.0.0.1",
            "127.0.0.1:1",
            "https://a@b",
            "http://127.0.0.1@example.com",
            "https://a b",
        ],
    )
    def test_where_tokens_may_go(self, monkeypatch, url):
        """An Identity is at https, or on this machine; a URL that is neither is a mistake in the configuration."""
        monkeypatch.setenv("FLEECE_IDENTITY_URL", url)
        with pytest.raises(ValueError, match="FLEECE_IDENTITY_URL"):
            handler(SECRET)

    def test_loopback_needs_no_proxy(self, rackspace, monkeypatch):
        """A token for this machine does not go through the proxy of the environment."""
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        assert handler(rackspace.token()) == "fleece"

    def test_the_request(self, rackspace, monkeypatch):
        """Identity is asked for the token, by the token, at a slash or not."""
        monkeypatch.setenv("FLEECE_IDENTITY_URL", rackspace.url + "/")
        handler(rackspace.token())
        [entry] = rackspace.requests
        assert (entry.kind, entry.method, entry.user, entry.status) == ("validate", "GET", "fleece", 200)

    def test_rackspaces_own_address(self):
        """1.2.1's constant is where tokens go when nothing else is said."""
        assert raxauth.TOKEN_URL_FMT == "https://identity.api.rackspacecloud.com/v2.0/tokens/{token}"


class TestSecrecy:
    """The token and the URL that it is in stay where they are."""

    @pytest.mark.parametrize(
        "fault",
        [
            {"status": 404},
            {"status": 500},
            {"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}},
            {"status": None, "cut": True},
            {"status": 200, "body": "<html>"},
            None,
        ],
    )
    def test_no_error_and_no_log_line_has_them(self, rackspace, monkeypatch, caplog, fault):
        """Neither the error, nor those behind it, nor a log line of urllib3's at any level."""
        token = rackspace.token()
        if fault is None:
            monkeypatch.setenv("FLEECE_IDENTITY_URL", "http://127.0.0.1:1")
        else:
            rackspace.fail("validate", **fault)
        caplog.set_level(logging.DEBUG)
        caplog.set_level(logging.DEBUG, "urllib3")
        with pytest.raises(HTTPError) as caught:
            handler(token=token)
        shown, error = caplog.text + "".join(traceback.format_exception(caught.value)), caught.value
        while error is not None:
            shown += repr(error)
            error = error.__cause__ or error.__context__
        assert token not in shown
        assert "/v2.0/tokens" not in shown

    def test_a_success_is_not_logged_either_and_other_requests_are(self, rackspace, caplog):
        """Only the lines about tokens are left out."""
        caplog.set_level(logging.DEBUG, "urllib3")
        handler(token=rackspace.token())
        assert caplog.text == ""
        requests.get(f"{rackspace.url}/v2.0/extensions", timeout=10)
        assert "/v2.0/extensions" in caplog.text

    def test_the_question_is_not_traced(self, rackspace, fleece_xray):
        """Where requests are traced, this one has no subsegment."""
        xray.monkey_patch_requests_for_xray()
        try:
            handler(token=rackspace.token())
        finally:
            xray.unpatch_xray()
        assert fleece_xray.documents == []


class TestRestrictions:
    """``tenant`` and ``roles``."""

    @pytest.mark.parametrize(("tenant", "expected"), [("42", 200), (42, 200), ("43", 403), (None, 200)])
    def test_a_tenant(self, rackspace, tenant, expected):
        """A token of another tenant is valid, and still does not get in."""
        rackspace.user("me", "k", tenant="42")
        assert status(authenticate(tenant=tenant)(lambda token: 0), rackspace.token("me")) == expected

    def test_a_token_without_a_tenant(self, rackspace):
        """Users without a tenant are of no tenant that is asked for."""
        rackspace.user("me", "k", tenant=None)
        token = rackspace.token("me")
        assert [status(authenticate(tenant)(lambda token: 0), token) for tenant in (None, "None", "42")] == [
            200,
            403,
            403,
        ]

    @pytest.mark.parametrize(
        ("roles", "expected"),
        [
            ("admin", 200),
            (["admin"], 200),
            (("nobody", "admin"), 200),
            ({"nobody"}, 403),
            ("a", 403),
            ("ADMIN", 403),
            (None, 200),
        ],
    )
    def test_roles(self, rackspace, roles, expected):
        """One of the roles is enough, and by its whole name."""
        rackspace.user("me", "k", roles=("identity:default", "admin"))
        assert status(authenticate(roles=roles)(lambda token: 0), rackspace.token("me")) == expected

    @pytest.mark.parametrize(
        ("roles", "expected"),
        [
            ([{"name": "admin"}], 200),
            ([{"name": "admin", "tenantId": "42"}], 200),
            ([{"name": "admin", "tenantId": "43"}], 403),
            ([{"name": ["admin"]}], 403),
            ([{}], 403),
            (["admin"], 403),
            ({"name": "admin"}, 403),
            (None, 403),
        ],
    )
    def test_roles_are_the_tenants(self, about, roles, expected):
        """A role in one tenant says nothing about another, and what is no list of roles has none."""
        about(roles=roles)
        assert status(authenticate(roles="admin")(lambda token: 0), SECRET) == expected

    def test_both(self, rackspace):
        """Tenant and role are both needed where both are asked for."""
        rackspace.user("me", "k", tenant="42", roles=("admin",))
        token = rackspace.token("me")
        wanted = [("42", "admin"), ("43", "admin"), ("42", "other")]
        seen = [status(authenticate(tenant, roles)(lambda token: 0), token) for tenant, roles in wanted]
        assert seen == [200, 403, 403]

    @pytest.mark.parametrize("wanted", [{"tenant": ""}, {"tenant": " "}, {"roles": []}, {"roles": ""}, {"roles": [""]}])
    def test_empty_is_not_all(self, wanted):
        """A tenant or roles that got lost on the way from a configuration let nobody in, and say so at once."""
        with pytest.raises(ValueError, match="leave it out"):
            authenticate(**wanted)

    @pytest.mark.parametrize("wanted", [{"tenant": lambda token: 0}, {"tenant": True}, {"roles": [1]}, {"roles": 7}])
    def test_other_types_are_mistakes(self, wanted):
        """``@authenticate`` without its parentheses, and the like."""
        with pytest.raises(TypeError):
            authenticate(**wanted)


def test_validate_alone(rackspace):
    """1.2.1's `validate` returns Identity's answer, or raises as the decorator does."""
    token = rackspace.token()
    assert validate(token)["access"]["token"]["id"] == token
    assert status(validate, "../extensions") == 401
