"""`AuthPolicy` and `simple_response`, with an evaluator of IAM policies that knows nothing of how they are made."""

import contextlib
import json
import re

import botocore.session
import pytest
from hypothesis import given, settings, strategies as st

from fleece.authpolicy import AuthPolicy, HttpVerb, PolicyError, simple_response
from fleece_testing import events

ACCOUNT = "123456789012"
API = {"rest_api_id": "a1b2c3d4e5", "region": "us-east-1", "stage": "prod"}
BASE = f"arn:aws:execute-api:us-east-1:{ACCOUNT}:a1b2c3d4e5/prod"
VERBS = ("GET", "POST", "PUT", "PATCH", "HEAD", "DELETE", "OPTIONS")


def glob(pattern, text):
    """Match as IAM does: ``*`` is any characters, slashes too, ``?`` is one, everything else is itself."""
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(each) or re.escape(each) for each in pattern), text, re.DOTALL) is not None


def arn_like(pattern, arn):
    """Match ARNs as IAM does: a wildcard does not reach over a colon of the ARN's own."""
    return all(glob(*pair) for pair in zip(pattern.split(":", 5), arn.split(":", 5), strict=True))


def permits(answer, arn, conditions_hold=True):
    """Evaluate an authorizer's answer for a method: what is denied is denied, and what is not allowed too."""
    effects = {
        statement["Effect"]
        for statement in answer["policyDocument"]["Statement"]
        if statement["Action"] == "execute-api:Invoke"
        and (conditions_hold or "Condition" not in statement)
        and any(arn_like(resource, arn) for resource in statement["Resource"])
    }
    return effects == {"Allow"}


def arn(verb, path, stage="prod", api="a1b2c3d4e5", region="us-east-1"):
    return f"arn:aws:execute-api:{region}:{ACCOUNT}:{api}/{stage}/{verb}{path}"


def policy(**changes):
    return AuthPolicy(ACCOUNT, "ann", **{**API, **changes})


def resources(answer, effect="Allow"):
    return [one["Resource"] for one in answer["policyDocument"]["Statement"] if one["Effect"] == effect]


# Names that a wildcard in the wrong place would mistake for a method or a stage.
segments = st.sampled_from(["users", "7", "GET", "POST", "prod", "dev", "a1b2c3d4e5", "~x+@=%20", "{id}", "a*", ""])
paths = st.lists(segments, max_size=4).map(lambda parts: "/" + "/".join(parts))
patterns = st.lists(segments | st.just("*"), max_size=4).map(lambda parts: "/" + "/".join(parts))
rules = st.lists(st.tuples(st.sampled_from(["allow", "deny"]), st.sampled_from([*VERBS, "*"]), patterns), min_size=1)
requests = st.tuples(st.sampled_from(["prod", "dev"]), st.sampled_from(VERBS), paths)


def as_written(rules, verb, path):
    """Whether the rules allow a method, each read by itself."""
    hits = {effect for effect, of, pattern in rules if of in (verb, "*") and glob(pattern, path)}
    return hits == {"allow"}


def built(made, rules):
    for effect, verb, path in rules:
        getattr(made, f"{effect}_method")(verb, path)
    return made.build()


class TestEvaluation:
    """What a policy lets through."""

    @settings(max_examples=300)
    @given(rules, st.lists(requests, min_size=1, max_size=8))
    def test_every_set_of_rules_evaluates_as_written(self, rules, requests):
        """Nothing is allowed or denied beyond the methods and paths of the rules, and nothing in another stage."""
        answer = built(policy(), rules)
        for stage, verb, path in requests:
            expected = stage == "prod" and as_written(rules, verb, path)
            assert permits(answer, arn(verb, path, stage)) == expected

    @settings(max_examples=100)
    @given(rules, requests, st.sampled_from(["a1b2c3d4e5", "zzzzzzzzzz"]), st.sampled_from(["us-east-1", "eu-west-1"]))
    def test_what_is_left_out_is_every_one(self, rules, request, api, region):
        """Without API, region and stage, rules are for all of them, to the letter where no path has a verb in it."""
        stage, verb, path = request
        path = path.replace("GET", "get").replace("POST", "post")
        answer = built(AuthPolicy(ACCOUNT, "ann"), rules)
        assert permits(answer, arn(verb, path, stage, api, region)) == as_written(rules, verb, path)

    def test_all_methods(self):
        """Everything in the stage is allowed or denied at once, the root too; denied wins."""
        made = policy()
        made.allow_all_methods()
        answer = made.build()
        assert all(permits(answer, arn(verb, path)) for verb in VERBS for path in ("/", "/a/b", "//a"))
        assert not permits(answer, arn("GET", "/a", stage="dev"))
        assert not permits(answer, arn("GET", "/a", api="zzzzzzzzzz"))
        made.deny_all_methods()
        assert not permits(made.build(), arn("GET", "/a"))

    def test_all_verbs_of_one_path_are_of_that_path_alone(self):
        """``ALL`` for ``/users`` is every verb, and not ``/admin/users``."""
        made = policy()
        made.allow_method(HttpVerb.ALL, "/users")
        answer = made.build()
        assert all(permits(answer, arn(verb, "/users")) for verb in VERBS)
        assert not any(permits(answer, arn(verb, "/admin/users")) for verb in VERBS)

    def test_conditions_are_on_their_own_rule(self):
        """A rule with conditions says nothing where they do not hold, and the others go on."""
        made = policy()
        made.allow_method("GET", "/a")
        made.allow_method_with_conditions("GET", "/b", {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
        made.deny_method_with_conditions("GET", "/a", {"Bool": {"aws:SecureTransport": "false"}})
        answer = made.build()
        seen = [permits(answer, arn("GET", path), hold) for path in ("/a", "/b") for hold in (True, False)]
        assert seen == [False, True, True, False]


class TestAnswer:
    """The answer's form."""

    def test_what_is_in_it(self):
        """Conditional statements come first, then one of what is allowed, then one of what is denied."""
        made = policy(context={"plan": "gold", "seats": 3, "share": 0.5, "admin": False})
        made.deny_method("delete", "/pets/*")
        made.allow_method(HttpVerb.GET, "/pets")
        made.allow_method(HttpVerb.GET, "pets")
        made.allow_method("POST", "/pets/{id}")
        made.deny_method_with_conditions("GET", "/pets", {"Bool": {"a": ["b"]}})
        assert made.build() == {
            "principalId": "ann",
            "policyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Action": "execute-api:Invoke",
                        "Effect": "Deny",
                        "Resource": [f"{BASE}/GET/pets"],
                        "Condition": {"Bool": {"a": ["b"]}},
                    },
                    {
                        "Action": "execute-api:Invoke",
                        "Effect": "Allow",
                        "Resource": [f"{BASE}/GET/pets", f"{BASE}/POST/pets/{{id}}"],
                    },
                    {"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": [f"{BASE}/DELETE/pets/*"]},
                ],
            },
            "context": {"plan": "gold", "seats": 3, "share": 0.5, "admin": False},
        }

    def test_no_statement_is_empty(self):
        """A policy that denies alone has no statement of what is allowed, and the other way round."""
        for method, effect in (("allow_all_methods", "Allow"), ("deny_all_methods", "Deny")):
            made = AuthPolicy(ACCOUNT)
            getattr(made, method)()
            (statement,) = made.build()["policyDocument"]["Statement"]
            assert statement == {
                "Action": "execute-api:Invoke",
                "Effect": effect,
                "Resource": [f"arn:aws:execute-api:*:{ACCOUNT}:*/*/*/*"],
            }

    def test_the_usage_key_is_there_when_it_is_set(self):
        """``usageIdentifierKey`` is in the answer of a policy that has one."""
        made = policy()
        made.allow_all_methods()
        assert "usageIdentifierKey" not in made.build()
        made.usage_identifier_key = "key-1"
        assert made.build()["usageIdentifierKey"] == "key-1"

    def test_attributes_can_be_set_later(self):
        """What is set on a policy holds for the rules that follow."""
        made = AuthPolicy(ACCOUNT)
        made.rest_api_id, made.region, made.stage = API["rest_api_id"], API["region"], "dev"
        made.allow_method("GET", "/a")
        made.stage = "prod"
        made.allow_method("GET", "/a")
        made.principal_id = "bob"
        answer = made.build()
        assert resources(answer) == [[f"{BASE}/GET/a".replace("prod", "dev"), f"{BASE}/GET/a"]]
        assert (answer["principalId"], answer["context"]) == ("bob", {})

    def test_a_built_answer_stays_as_it_is(self):
        """Going on with a policy changes no answer that it has given."""
        made = policy(context={"a": 1})
        made.allow_method("GET", "/a")
        made.allow_method_with_conditions("GET", "/b", {"Bool": {"a": "b"}})
        answer = made.build()
        before = json.dumps(answer)
        answer["context"]["b"] = 2
        made.allow_method("GET", "/c")
        assert json.dumps({**answer, "context": {"a": 1}}) == before
        assert made.build()["context"] == {"a": 1}

    @pytest.mark.parametrize(("given", "shown"), [(ACCOUNT, ACCOUNT), (int(ACCOUNT), ACCOUNT), (42, "0" * 10 + "42")])
    def test_the_account_is_a_string_or_a_number(self, given, shown):
        """A number gets back the zeros that it begins with."""
        made = AuthPolicy(given, **API)
        made.allow_all_methods()
        assert resources(made.build()) == [[f"{BASE}/*/*".replace(ACCOUNT, shown)]]

    def test_the_partition_is_the_regions(self):
        """In China and for the government, ARNs begin otherwise; botocore knows which region is where."""
        session = botocore.session.get_session()
        for partition in session.get_available_partitions():
            for region in session.get_available_regions("lambda", partition, allow_non_regional=False):
                made = policy(region=region)
                made.allow_all_methods()
                ((resource,),) = resources(made.build())
                assert resource.startswith(f"arn:{partition}:execute-api:{region}:")


class TestMethodArn:
    """A policy from the ARN that a request is for."""

    @pytest.mark.parametrize(
        "method_arn",
        [
            events.token_authorizer("t", method="GET", path="/secret/42", stage="v1")["methodArn"],
            events.request_authorizer("POST", "/", stage="v1")["methodArn"],
            events.http_authorizer("GET", "/a")["routeArn"],
            f"arn:aws-cn:execute-api:cn-north-1:{ACCOUNT}:a1b2c3d4e5/$default/GET/a",
            f"arn:aws-new:execute-api:zz-new-1:{ACCOUNT}:a1b2c3d4e5/test/GET/a",
            f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:a1b2c3d4e5/test/$connect",
            f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:a1b2c3d4e5/test/GET/a:b*c\n?",
        ],
    )
    def test_it_is_for_that_api_and_stage(self, method_arn):
        """Partition, region, account, API and stage are the request's; method and path are not taken over."""
        made = AuthPolicy.from_method_arn(method_arn, "ann", {"a": 1})
        made.allow_method("GET", "/pets")
        answer = made.build()
        base = "/".join(method_arn.split("/")[:2])
        assert resources(answer) == [[f"{base}/GET/pets"]]
        assert (answer["principalId"], answer["context"]) == ("ann", {"a": 1})

    @pytest.mark.parametrize(
        "bad",
        [
            None,
            "",
            "*",
            "arn:aws:s3:::bucket/key/GET",
            f"arn:aws:execute-api:us-east-1:{ACCOUNT}:a1b2c3d4e5",
            f"arn:aws:execute-api:us-east-1:{ACCOUNT}:a1b2c3d4e5/pr*d/GET/a",
            f"arn:aws:execute-api:us-east-1:{ACCOUNT}:a1b2c3d4e5/*/GET/a",
            f"arn:aws:execute-api:us-east-1:{ACCOUNT}:*/prod/GET/a",
            f"arn:aws:execute-api:*:{ACCOUNT}:a1b2c3d4e5/prod/GET/a",
            "arn:aws:execute-api:us-east-1:1/2:a1b2c3d4e5/prod/GET/a",
            f"{BASE}\n/GET/a",
            f"x{BASE}/GET/a",
        ],
    )
    def test_another_string_is_refused(self, bad):
        """What is not the ARN of a method makes no policy."""
        with pytest.raises(PolicyError):
            AuthPolicy.from_method_arn(bad)


class TestMistakes:
    """What is refused, as a `ValueError` that is 1.2.1's `NameError` too."""

    @pytest.mark.parametrize("verb", ["GET\n", " GET", "FETCH", "G*", "?", "", None, 7, "__doc__", "GET/a", "upper"])
    def test_an_unknown_verb(self, verb):
        """A verb is one that API Gateway has, and nothing else, in any case."""
        with pytest.raises(PolicyError, match="There is no HTTP verb"):
            policy().allow_method(verb, "/a")

    @pytest.mark.parametrize("verb", ["get", "Get", "*", "ALL", "all"])
    def test_verbs_have_no_case(self, verb):
        """Small letters will do, and ``ALL`` by its name."""
        made = policy()
        made.allow_method(verb, "/a")
        assert permits(made.build(), arn("GET", "/a"))

    @pytest.mark.parametrize(
        "path", ["/a\n", "/a b", "/ä", "", "/a?b", "/a#b", "/a\\b", '/a"', "/${aws:username}", "/a\x00", None, 7, b"/a"]
    )
    def test_a_path_with_other_characters(self, path):
        """A path has a path's characters from end to end, no variables of IAM's and no ``?``."""
        with pytest.raises(PolicyError, match="is not the path of a resource"):
            policy().deny_method("GET", path)

    @pytest.mark.parametrize(
        "path", ["/~me/a+b/{id}/x@y=z/%C3%A4", "/{proxy+}", "/a.b-c_d!e&f'g(h)i,j;k:l", "/$metadata"]
    )
    def test_the_characters_of_a_path_pass(self, path):
        """Every character that a path may have is taken as it is."""
        made = policy()
        made.allow_method("GET", path)
        assert resources(made.build()) == [[f"{BASE}/GET{path}"]]

    @pytest.mark.parametrize(
        "changes",
        [
            {"rest_api_id": "a/b"},
            {"rest_api_id": "a1b2*"},
            {"rest_api_id": "a1b2c3d4e5\n"},
            {"rest_api_id": 7},
            {"region": "us-east-1:"},
            {"region": "us-*"},
            {"stage": "prod/GET"},
            {"stage": "pr*"},
            {"stage": "p?od"},
            {"stage": "$other"},
            {"stage": "prod\n"},
        ],
    )
    def test_parts_of_the_arn(self, changes):
        """No part of an ARN reaches into another, whether by a slash, a colon or a wildcard of its own."""
        with pytest.raises(PolicyError, match=next(iter(changes))):
            policy(**changes)

    @pytest.mark.parametrize(
        "account", ["*", "", None, True, -1, 1.5, "12345678901x", "1234567890123", "١٢٣", f"{ACCOUNT}\n"]
    )
    def test_the_account(self, account):
        """An account is a number of up to 12 digits."""
        with pytest.raises(PolicyError, match="12 digits"):
            AuthPolicy(account)

    @pytest.mark.parametrize(
        "context",
        [{"a": {}}, {"a": []}, {"a": None}, {"a": float("nan")}, {"a": float("inf")}, {"a": b""}, {1: "a"}, "a", 7],
    )
    def test_the_context(self, context):
        """API Gateway takes strings, numbers and booleans by name, from the start or set later."""
        with pytest.raises(PolicyError, match="context"):
            policy(context=context)
        made = policy()
        made.allow_all_methods()
        made.context = context
        with pytest.raises(PolicyError, match="context"):
            made.build()

    @pytest.mark.parametrize(
        "conditions",
        [
            None,
            {},
            [],
            "a",
            {"Bool": {}},
            {"Bool": None},
            {"Bool": "x"},
            {"Bool": {"a": None}},
            {"Bool": {"a": "true", "b": ()}},
            {"NotIpAddress": {"aws:SourceIp": []}},
        ],
    )
    def test_conditions_that_are_none(self, conditions):
        """A rule under no conditions would be one that always holds; one of no values is met by nobody, or by all."""
        with pytest.raises(PolicyError, match="Conditions must be"):
            policy().allow_method_with_conditions("GET", "/a", conditions)

    def test_a_policy_that_says_nothing(self):
        """Without a rule there is no policy to build."""
        with pytest.raises(PolicyError, match="says nothing"):
            policy().build()

    @pytest.mark.parametrize("name", ["principal_id", "usage_identifier_key"])
    def test_names_are_strings(self, name):
        """API Gateway refuses numbers in their place."""
        made = policy()
        made.allow_all_methods()
        setattr(made, name, 7)
        with pytest.raises(PolicyError, match="must be a string"):
            made.build()

    def test_an_arn_that_is_too_long(self):
        """API Gateway takes 512 characters; a path that is longer can be shortened with a wildcard."""
        made = policy()
        made.allow_method("GET", "/" + "a" * (512 - len(f"{BASE}/GET/")))
        with pytest.raises(PolicyError, match="512"):
            made.allow_method("GET", "/" + "a" * (513 - len(f"{BASE}/GET/")))

    @pytest.mark.parametrize("kind", [ValueError, NameError])
    def test_the_error_is_both(self, kind):
        """Whoever catches 1.2.1's `NameError` goes on catching it."""
        with pytest.raises(kind):
            policy().allow_method("FETCH", "/a")

    @settings(max_examples=200)
    @given(st.text() | st.none() | st.integers() | st.dictionaries(st.text(), st.integers()))
    def test_nothing_else_is_raised(self, value):
        """Whatever is given, it is taken or refused as a mistake in an argument."""
        for call in (
            lambda: AuthPolicy(value),
            lambda: policy(stage=value),
            lambda: policy(context=value),
            lambda: policy().allow_method(value, "/a"),
            lambda: policy().allow_method("GET", value),
            lambda: policy().allow_method_with_conditions("GET", "/a", value),
            lambda: AuthPolicy.from_method_arn(value),
            lambda: simple_response(value),
        ):
            with contextlib.suppress(PolicyError):
                call()


class TestSimpleResponse:
    """The answer of an HTTP API's authorizer without a policy."""

    def test_what_is_in_it(self):
        """Whether the request may pass, and the context, in which AWS's own example has lists and objects."""
        context = {"s": "a", "n": 1, "b": True, "l": ["a", 1], "m": {"a": None}}
        assert simple_response(True, context) == {"isAuthorized": True, "context": context}
        assert simple_response(False) == {"isAuthorized": False, "context": {}}

    @pytest.mark.parametrize("allowed", [None, 1, "false", "true", []])
    def test_only_a_bool_is_an_answer(self, allowed):
        """What is merely true lets nobody in."""
        with pytest.raises(PolicyError, match="True or False"):
            simple_response(allowed)

    @pytest.mark.parametrize("value", [object(), b"", float("nan"), [float("inf")], {1: "a"}, {"a": {"b": {1}}}])
    def test_what_json_does_not_have_is_refused(self, value):
        """The context has to be JSON."""
        with pytest.raises(PolicyError, match="under 'a'"):
            simple_response(True, {"a": value})
