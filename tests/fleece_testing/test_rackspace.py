"""The stand-in for Rackspace Identity and FAWS, over real HTTP."""

import datetime as dt
import re
import threading

import pytest
import requests


def log_in(rackspace, name=None, key=None):
    """Ask for a token as fleece does."""
    environment = rackspace.environment()
    credentials = {"username": name or environment["RS_USERNAME"], "apiKey": key or environment["RS_API_KEY"]}
    body = {"auth": {"RAX-KSKEY:apiKeyCredentials": credentials}}
    return requests.post(f"{rackspace.url}/v2.0/tokens", json=body, timeout=10)


def get_credentials(rackspace, token, account="123456789012", tenant="890123", duration="3600"):
    """Ask FAWS for credentials as fleece does."""
    headers = {"X-Auth-Token": token} | ({"X-Tenant-Id": tenant} if tenant else {})
    url = f"{rackspace.url}/v0/awsAccounts/{account}/credentials"
    return requests.post(url, headers=headers, json={"credential": {"duration": duration}}, timeout=10)


def validate(rackspace, token, asking=None):
    """Ask Identity about a token."""
    headers = {"X-Auth-Token": asking or token}
    return requests.get(f"{rackspace.url}/v2.0/tokens/{token}", headers=headers, timeout=10)


class TestIdentity:
    """``POST /v2.0/tokens`` and ``GET /v2.0/tokens/{token}``."""

    def test_an_api_key_gives_a_token_for_24_hours(self, fleece_rackspace):
        """The answer has the token, its tenant and its end, a day from now."""
        answer = log_in(fleece_rackspace)
        token = answer.json()["access"]["token"]
        left = dt.datetime.fromisoformat(token["expires"].replace("Z", "+00:00")) - dt.datetime.now(dt.timezone.utc)
        assert token["tenant"] == {"id": "890123", "name": "890123"}
        assert dt.timedelta(hours=23) < left <= dt.timedelta(hours=24)

    @pytest.mark.parametrize(("name", "key"), [("fleece", "wrong"), ("nobody", "wrong")])
    def test_a_wrong_key_is_unauthorized(self, fleece_rackspace, name, key):
        """A wrong key and an unknown user get the same 401."""
        answer = log_in(fleece_rackspace, name, key)
        assert (answer.status_code, list(answer.json())) == (401, ["unauthorized"])
        assert "WWW-Authenticate" not in answer.headers

    def test_a_disabled_user_is_forbidden(self, fleece_rackspace):
        """A user that is switched off gets 403."""
        fleece_rackspace.user("off", "k", enabled=False)
        answer = log_in(fleece_rackspace, "off", "k")
        assert (answer.status_code, list(answer.json())) == (403, ["userDisabled"])

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b'{"auth": {}}', b'{"auth": {"RAX-KSKEY:apiKeyCredentials": 1}}']
    )
    def test_a_body_of_another_form_is_a_bad_request(self, fleece_rackspace, body):
        """What is not a login is 400, whatever it is."""
        answer = requests.post(f"{fleece_rackspace.url}/v2.0/tokens", data=body, timeout=10)
        assert (answer.status_code, list(answer.json())) == (400, ["badRequest"])

    def test_multi_factor_asks_for_the_passcode(self, fleece_rackspace):
        """The key alone is a 401 with a session; the passcode in that session gives a token, without a tenant."""
        fleece_rackspace.user("me", "k", mfa="123456")
        first = log_in(fleece_rackspace, "me", "k")
        scheme, _, rest = first.headers["WWW-Authenticate"].partition(" ")
        session = rest.split("'")[1]
        assert (first.status_code, scheme) == (401, "OS-MF")
        url = f"{fleece_rackspace.url}/v2.0/tokens"
        statuses = [
            requests.post(
                url,
                json={"auth": {"RAX-AUTH:passcodeCredentials": {"passcode": passcode}}},
                headers={"X-SessionId": session},
                timeout=10,
            )
            for passcode in ("000000", "123456", "123456")
        ]
        assert [answer.status_code for answer in statuses] == [401, 200, 401]
        assert "tenant" not in statuses[1].json()["access"]["token"]

    def test_a_token_can_be_asked_about(self, fleece_rackspace):
        """A valid token's user and roles are told to whoever has it."""
        fleece_rackspace.user("me", "k", roles=("admin", "billing"))
        token = fleece_rackspace.token("me")
        access = validate(fleece_rackspace, token).json()["access"]
        assert access["token"]["id"] == token
        assert [role["name"] for role in access["user"]["roles"]] == ["admin", "billing"]

    def test_a_token_has_the_tenant_and_the_end_that_a_test_wants(self, fleece_rackspace):
        """The tenant is the user's, if it has one, and the end as far away as was asked for."""
        fleece_rackspace.user("here", "k", tenant="42")
        fleece_rackspace.user("nowhere", "k", tenant=None)
        tokens = {
            name: validate(fleece_rackspace, fleece_rackspace.token(name, seconds=60)).json()["access"]["token"]
            for name in ("here", "nowhere")
        }
        assert (tokens["here"]["tenant"]["id"], "tenant" in tokens["nowhere"]) == ("42", False)
        left = dt.datetime.fromisoformat(tokens["here"]["expires"].replace("Z", "+00:00")) - dt.datetime.now(
            dt.timezone.utc
        )
        assert dt.timedelta(0) < left <= dt.timedelta(seconds=60)

    def test_expired_and_revoked_tokens_are_refused(self, fleece_rackspace):
        """A token of the past, one that was revoked and one never issued are no valid tokens."""
        valid = fleece_rackspace.token()
        assert validate(fleece_rackspace, fleece_rackspace.token(seconds=-1)).status_code == 401
        assert validate(fleece_rackspace, "never-issued", asking=valid).status_code == 404
        fleece_rackspace.revoke_tokens()
        assert validate(fleece_rackspace, valid).status_code == 401


class TestFAWS:
    """``POST /v0/awsAccounts/{account}/credentials``."""

    def test_the_credentials_work_on_the_emulated_aws(self, fleece_rackspace):
        """What FAWS gives out is a session in the account that was asked for."""
        fleece_rackspace.account("210987654321")
        answer = get_credentials(fleece_rackspace, fleece_rackspace.token(), "210987654321")
        credential = answer.json()["credential"]
        sts = fleece_rackspace.aws.client(
            "sts",
            aws_access_key_id=credential["accessKeyId"],
            aws_secret_access_key=credential["secretAccessKey"],
            aws_session_token=credential["sessionToken"],
        )
        assert sts.get_caller_identity()["Account"] == "210987654321"

    def test_an_account_of_others_is_not_found(self, fleece_rackspace):
        """An account that is not there, and one that is other users', are both 404."""
        fleece_rackspace.account("111111111111", users=["somebody"])
        token = fleece_rackspace.token()
        accounts = ["111111111111", "222222222222"]
        assert [get_credentials(fleece_rackspace, token, number).status_code for number in accounts] == [404, 404]

    def test_a_token_is_needed(self, fleece_rackspace):
        """No token, an expired one and another tenant are 401."""
        valid = fleece_rackspace.token()
        assert get_credentials(fleece_rackspace, "nope").status_code == 401
        assert get_credentials(fleece_rackspace, fleece_rackspace.token(seconds=-1)).status_code == 401
        assert get_credentials(fleece_rackspace, valid, tenant="1").status_code == 401

    @pytest.mark.parametrize(
        ("duration", "status"), [("900", 200), (3600, 200), ("899", 400), ("3601", 400), ("1h", 400), (None, 400)]
    )
    def test_the_duration_is_15_minutes_to_an_hour(self, fleece_rackspace, duration, status):
        """A duration is a number of seconds, as a string or not, within what role chaining allows."""
        answer = get_credentials(fleece_rackspace, fleece_rackspace.token(), duration=duration)
        assert answer.status_code == status


class TestFailures:
    """Failures on demand, and the log of requests."""

    def test_failures_come_in_order_and_end(self, fleece_rackspace):
        """Each failure happens as often as it was set, then the service is well again."""
        fleece_rackspace.fail("tokens", 413, headers={"Retry-After": "7"})
        fleece_rackspace.fail("tokens", 503, times=2)
        seen = [log_in(fleece_rackspace) for _ in range(4)]
        assert [answer.status_code for answer in seen] == [413, 503, 503, 200]
        assert (list(seen[0].json()), seen[0].headers["Retry-After"]) == (["overLimit"], "7")

    def test_the_services_differ_in_their_errors(self, fleece_rackspace):
        """FAWS words its errors in another way than Identity."""
        fleece_rackspace.fail("credentials", 500)
        fleece_rackspace.fail("validate", 500)
        token = fleece_rackspace.token()
        assert list(get_credentials(fleece_rackspace, token).json()) == ["error"]
        assert list(validate(fleece_rackspace, token).json()) == ["identityFault"]

    def test_a_broken_answer_can_be_of_any_form(self, fleece_rackspace):
        """A failure can have a body of its own, be a redirect, or break off in the middle."""
        fleece_rackspace.fail("tokens", 200, body="<html>")
        assert log_in(fleece_rackspace).text == "<html>"
        fleece_rackspace.fail("tokens", 302, headers={"Location": "http://127.0.0.1:1/"})
        with pytest.raises(requests.ConnectionError, match="port=1"):
            log_in(fleece_rackspace)
        fleece_rackspace.fail("tokens", None, cut=True)
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            log_in(fleece_rackspace)

    def test_a_slow_answer_ends_with_the_test(self, fleece_rackspace):
        """A request that waits in a slow answer is let go by clear(), and is not in the next test's log."""
        fleece_rackspace.fail("tokens", None, delay=600)
        answers = []
        thread = threading.Thread(target=lambda: answers.append(log_in(fleece_rackspace).status_code))
        thread.start()
        while fleece_rackspace._faults["tokens"]:
            thread.join(0.01)
        fleece_rackspace.clear()
        thread.join()
        assert (answers, fleece_rackspace.requests) == ([200], [])

    def test_an_unknown_kind_is_a_mistake(self, fleece_rackspace):
        """The kinds of requests are named when none has that name."""
        with pytest.raises(ValueError, match="tokens, validate, credentials"):
            fleece_rackspace.fail("login")

    def test_the_log_has_no_secrets(self, fleece_rackspace):
        """Requests are logged with their user and status, and without key, token and passcode."""
        user = fleece_rackspace.user("me", "secret-key", mfa="123456")
        log_in(fleece_rackspace, "me", "secret-key")
        token = fleece_rackspace.token("me")
        validate(fleece_rackspace, token)
        get_credentials(fleece_rackspace, token)
        log = [(entry.kind, entry.user, entry.status) for entry in fleece_rackspace.requests]
        assert log == [("tokens", None, 401), ("validate", "me", 200), ("credentials", "me", 200)]
        for secret in ("secret-key", "123456'", token):
            assert secret not in repr(fleece_rackspace.requests) + repr(user)

    def test_requests_that_nobody_answers_are_logged_too(self, fleece_rackspace):
        """A test that says "no request was made" would see those to other paths as well, without a token in them."""
        token = fleece_rackspace.token()
        for path in ("/v2.0/extensions", f"/v2.0/tokens/{token}/endpoints"):
            assert requests.get(fleece_rackspace.url + path, timeout=10).status_code == 404
        assert [(entry.kind, entry.path, entry.status) for entry in fleece_rackspace.requests] == [
            ("unknown", "/v2.0/extensions", 404),
            ("unknown", "/v2.0/tokens/***", 404),
        ]

    def test_a_question_about_a_token_can_go_wrong_in_every_way(self, fleece_rackspace):
        """Slow, cut, rate-limited, redirected: each happens to a valid token too."""
        token = fleece_rackspace.token()
        fleece_rackspace.fail("validate", None, delay=0.01)
        fleece_rackspace.fail("validate", 413, headers={"Retry-After": "7"})
        assert [validate(fleece_rackspace, token).status_code for _ in range(2)] == [200, 413]
        fleece_rackspace.fail("validate", 302, headers={"Location": f"{fleece_rackspace.url}/v2.0/tokens/{token}"})
        assert [answer.status_code for answer in validate(fleece_rackspace, token).history] == [302]
        fleece_rackspace.fail("validate", None, cut=True)
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            validate(fleece_rackspace, token)

    def test_clear_leaves_the_user_of_the_environment(self, fleece_rackspace):
        """Users, accounts, tokens, failures and the log go; the environment stays as it was."""
        environment = fleece_rackspace.environment()
        fleece_rackspace.user("me", "k")
        fleece_rackspace.fail("tokens")
        token = fleece_rackspace.token()
        fleece_rackspace.clear()
        assert fleece_rackspace.environment() == environment
        assert (log_in(fleece_rackspace).status_code, log_in(fleece_rackspace, "me", "k").status_code) == (200, 401)
        assert validate(fleece_rackspace, token).status_code == 401
        assert len(fleece_rackspace.requests) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "token"}, "There is no request of the kind 'token': use one of tokens, validate, credentials"),
        ({"times": 0}, "times is how many answers fail, one or more, not 0"),
        ({"times": "2"}, "times is how many answers fail, one or more, not '2'"),
        ({"status": 99}, "status is the number of an HTTP status, 200 to 599, not 99"),
        ({"status": "503"}, "status is the number of an HTTP status, 200 to 599, not '503'"),
        ({"delay": -1}, "delay is how much later a call is answered, in seconds, not -1"),
    ],
)
def test_a_senseless_failure_is_refused(fleece_rackspace, arguments, message):
    """What no answer can be spoilt by is refused where it is asked for."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        fleece_rackspace.fail(**{"kind": "tokens", **arguments})


@pytest.mark.parametrize("details", [{"api_key": 5}, {"mfa": 123456}, {"name": None}, {"tenant": 890123}])
def test_a_user_is_made_of_texts(fleece_rackspace, details):
    """A number, such as that of a passcode, is sent as text, so it is to be given as one; it is not repeated."""
    with pytest.raises(TypeError, match=rf"^{next(iter(details))} of a Rackspace user must be text: \w+ was given$"):
        fleece_rackspace.user(**{"name": "me", "api_key": "key", **details})


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda stub: stub.user("me", "key", mfaa="1"), "A Rackspace user has no field 'mfaa'; did you mean 'mfa'?"),
        (lambda stub: stub.user("me", "key", roles="admin"), "roles must be a list: write ['admin'], not 'admin'"),
        (lambda stub: stub.user("me", "key", roles=[5]), "A role of a Rackspace user must be text: 5 was given"),
        (
            lambda stub: stub.user("me", "key", token_seconds="9"),
            "token_seconds must be a number of seconds: '9' was given",
        ),
        (lambda stub: stub.token(seconds="9"), "seconds must be a number of seconds: '9' was given"),
        (lambda stub: stub.account("210987654321", users=5), "users must be a list: 5 was given"),
        (lambda stub: stub.fail("tokens", headers=["a"]), "headers must be a dictionary: ['a'] was given"),
        (
            lambda stub: stub.fail("tokens", headers={"Retry-After": 1}),
            "headers['Retry-After'] must be text: 1 was given",
        ),
        (lambda stub: stub.fail("tokens", body=b"x"), "body must be text: b'x' was given"),
    ],
)
def test_a_wrong_type_is_told_where_it_is_given(fleece_rackspace, ask, said):
    """What would fail in the server's thread, or be taken letter by letter, is refused with its name."""
    with pytest.raises(TypeError, match=f"^{re.escape(said)}$"):
        ask(fleece_rackspace)


@pytest.mark.parametrize(
    ("mfa", "tenant", "status"),
    [
        (None, "890123", 200),
        (None, None, 401),
        (None, "1", 401),
        ("7", None, 200),
        ("7", "890123", 200),
        ("7", "1", 401),
    ],
)
def test_faws_is_asked_for_the_tokens_tenant(fleece_rackspace, mfa, tenant, status):
    """The tenant that Identity has named is wanted in X-Tenant-Id; after a passcode it names none."""
    fleece_rackspace.user("me", "key", mfa=mfa)
    answer = log_in(fleece_rackspace, "me", "key")
    if mfa:
        session = re.search("sessionId='(.*?)'", answer.headers["WWW-Authenticate"])[1]
        body = {"auth": {"RAX-AUTH:passcodeCredentials": {"passcode": mfa}}}
        headers = {"X-SessionId": session}
        answer = requests.post(f"{fleece_rackspace.url}/v2.0/tokens", json=body, headers=headers, timeout=10)
    token = answer.json()["access"]["token"]["id"]
    assert get_credentials(fleece_rackspace, token, tenant=tenant).status_code == status
