"""Parameter Store as the uploads use it, on emulated AWS: what is read, which keys, what is said of writes."""

import itertools
import logging
import socket

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from fleece.cli.config import document, parameters, render
from fleece.cli.config.output import to_yaml
from fleece.cli.config.parameter_store import ParameterStore
from fleece.cli.config.parameters import DEFAULT_KEY, Parameter, Write
from fleece.cli.config.source import Source
from fleece.cli.errors import CommandError


@pytest.fixture
def store(fleece_aws):
    """Open the Parameter Store of the emulator."""
    return ParameterStore(fleece_aws.client("ssm"), fleece_aws.client("kms"))


@pytest.fixture
def write(store):
    """Write texts as parameters by name."""
    return lambda key=DEFAULT_KEY, **values: store.write(
        [Write(f"/p/{name}", value, None, ("new",)) for name, value in values.items()], key
    )


def plan(store, values, key=DEFAULT_KEY):
    wanted = [Parameter(name, value, ()) for name, value in values.items()]
    return [str(write) for write in parameters.plan(wanted, store.read(list(values)), key)]


def test_what_is_there_is_read_in_few_calls(store, fleece_aws, write):
    """Ten values are read in a call, and the keys and tiers of fifty parameters, of those only that are there."""
    names = [f"/p/{number}" for number in range(61)]
    write(**{str(number): "x" for number in range(55)})
    there = store.read(names)
    assert set(there) == set(names[:55])
    assert {(one.value, one.type, one.tier, one.key) for one in there.values()} == {
        ("x", "SecureString", "Standard", DEFAULT_KEY)
    }
    assert len(fleece_aws.calls("ssm", "GetParameters")) == 7
    described = [call.parameters for call in fleece_aws.calls("ssm", "DescribeParameters")]
    # The emulator gives ten on a page, whatever is asked for; those after the first have a token.
    firsts = [parameters for parameters in described if "NextToken" not in parameters]
    assert [(len(one["ParameterFilters"][0]["Values"]), one["MaxResults"]) for one in firsts] == [(50, 50), (5, 50)]
    assert fleece_aws.calls("kms") == []


def test_what_is_not_there_needs_no_description(store, fleece_aws):
    """A first upload asks for values alone."""
    assert store.read(["/p/a", "/p/b"]) == {}
    assert [call.operation for call in fleece_aws.calls("ssm")] == ["GetParameters"]


@pytest.mark.parametrize("spelling", ["id", "arn", "alias", "alias/alias", "alias arn"])
def test_a_key_is_found_by_each_of_its_names(store, fleece_aws, write, spelling):
    """An id, an ARN, an alias and its ARN mean the same key, which is asked for once, and not for each parameter."""
    arn = fleece_aws.kms_key("app")
    name = {
        "id": arn.rpartition("/")[2],
        "arn": arn,
        "alias": "app",
        "alias/alias": "alias/app",
        "alias arn": arn.rpartition(":")[0] + ":alias/app",
    }[spelling]
    key = store.key(name)
    assert key == arn
    write(key, a="x", b="y")
    assert plan(store, {"/p/a": "x", "/p/b": "y"}, key) == []
    assert [call.operation for call in fleece_aws.calls("kms")] == ["DescribeKey"]


def test_the_service_s_own_key(store, fleece_aws, write):
    """Without a key it is that of the service, and what has another one differs."""
    arn = "arn:aws:kms:us-east-1:123456789012:alias/aws/ssm"
    assert store.key(None) == store.key("aws/ssm") == store.key("alias/aws/ssm") == store.key(arn) == DEFAULT_KEY
    fleece_aws.client("ssm").put_parameter(Name="/p/c", Value="x", Type="SecureString", KeyId=arn)
    write(fleece_aws.kms_key("app"), a="x")
    write(b="x")
    assert plan(store, {"/p/a": "x", "/p/b": "x", "/p/c": "x"}) == ["/p/a (key)"]


@pytest.mark.parametrize("name", ["aws/s3", "alias/aws/s3", "arn:aws:kms:us-east-1:123456789012:alias/aws/s3"])
def test_the_key_of_another_service(store, name):
    """The key that another service has made for itself encrypts no parameters."""
    with pytest.raises(CommandError, match="cannot be used for parameters: it is for another service of AWS"):
        store.key(name)


def test_what_is_not_described_yet(store, write, fleece_aws):
    """DescribeParameters may lag behind a write: value and type are known all the same, and the key differs."""
    write(a="x", b="y")
    ssm = fleece_aws.client("ssm")
    ssm.put_parameter(Name="/p/c", Value="x", Type="String")
    ssm.meta.events.register(
        "before-parameter-build.ssm.DescribeParameters",
        lambda params, **_: params["ParameterFilters"][0].update(Values=["/p/b"]),
    )
    late = ParameterStore(ssm, fleece_aws.client("kms"))
    assert plan(late, {"/p/a": "x", "/p/b": "x", "/p/c": "x"}) == ["/p/a (key)", "/p/b (value)", "/p/c (type)"]


def test_an_alias_that_leads_to_another_key_now(store, fleece_aws, write):
    """What was written with an alias has the key that it led to: it differs when the alias leads to another."""
    fleece_aws.kms_key("app")
    write(store.key("app"), a="x")
    assert plan(store, {"/p/a": "x"}, store.key("app")) == []
    fleece_aws.client("kms").update_alias(AliasName="alias/app", TargetKeyId=fleece_aws.kms_key())
    assert plan(store, {"/p/a": "x"}, store.key("app")) == ["/p/a (key)"]


def test_what_others_put_with_an_alias(store, fleece_aws):
    """A parameter that was put with the alias of a key has that key."""
    fleece_aws.kms_key("app")
    ssm = fleece_aws.client("ssm")
    for name in "ab":
        ssm.put_parameter(Name=f"/p/{name}", Value="x", Type="SecureString", KeyId="alias/app")
    key = store.key("app")
    assert plan(store, {"/p/a": "x", "/p/b": "x"}, key) == []
    assert len(fleece_aws.calls("kms", "DescribeKey")) == 1


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda kms: kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256"), "it is a ECC_NIST_P256 key"),
        (lambda kms: kms.create_key(KeyUsage="ENCRYPT_DECRYPT", KeySpec="RSA_2048"), "it is a RSA_2048 key"),
        (lambda kms: {"KeyMetadata": {"KeyId": "absent"}}, "NotFoundException"),
    ],
)
def test_a_key_that_encrypts_no_parameters(store, fleece_aws, make, problem):
    """A key that is not there or of another kind is an error before anything is written."""
    key = make(fleece_aws.client("kms"))["KeyMetadata"]["KeyId"]
    with pytest.raises(CommandError) as caught:
        store.key(key)
    assert str(caught.value).startswith(f"the key {key!r} cannot be used for parameters: {problem}")


def test_a_disabled_key(store, fleece_aws):
    """A key that is disabled is an error that says so."""
    fleece_aws.client("kms").disable_key(KeyId=fleece_aws.kms_key("off"))
    with pytest.raises(CommandError, match="'off' cannot be used for parameters: it is Disabled; enable it"):
        store.key("off")


def test_a_key_that_one_may_use_and_not_look_at(store, fleece_aws):
    """Without the right to describe keys, the ARN of one is taken as it is, and an alias is an error."""
    arn = fleece_aws.kms_key("app")
    fleece_aws.deny("kms:DescribeKey")
    assert store.key(arn) == arn
    with pytest.raises(CommandError, match="AccessDeniedException"):
        store.key("app")


def test_a_key_that_is_gone(store, fleece_aws):
    """A parameter whose key cannot be looked up any more has a key that differs."""
    fleece_aws.kms_key("app")
    fleece_aws.client("ssm").put_parameter(Name="/p/a", Value="x", Type="SecureString", KeyId="alias/app")
    fleece_aws.deny("kms:DescribeKey")
    assert plan(store, {"/p/a": "x"}) == ["/p/a (key)"]


def test_what_cannot_be_read(store, fleece_aws, write):
    """When what is there cannot be read, for its key for instance, the error says that nothing was written."""
    key = fleece_aws.kms_key("app")
    write(key, a="hunter2")
    fleece_aws.client("kms").disable_key(KeyId=key)
    with pytest.raises(CommandError, match=r"cannot be read, so none is written: InvalidKeyId: .* is Disabled"):
        store.read(["/p/a", "/p/b"])


def test_what_is_below_a_prefix(store, fleece_aws, write):
    """The names below a prefix are found on all levels and pages, and no others."""
    write(**{f"a{number:02}": "x" for number in range(60)}, **{"b/c/d": "x"})
    fleece_aws.client("ssm").put_parameter(Name="/pq", Value="x", Type="String")
    assert store.names_below("/p/") == [*(f"/p/a{number:02}" for number in range(60)), "/p/b/c/d"]
    assert store.names_below("/p/b") == ["/p/b/c/d"]
    assert store.names_below("/")[-1] == "/pq"
    asked = [call.parameters["ParameterFilters"][0]["Values"] for call in fleece_aws.calls("ssm", "DescribeParameters")]
    assert {path for (path,) in asked} == {"/p", "/p/b", "/"}  # AWS takes no slash at the end
    fleece_aws.deny("ssm:DescribeParameters")
    with pytest.raises(CommandError, match="the parameters below /p cannot be listed: AccessDenied"):
        store.names_below("/p")


def test_names_count_with_their_arn(fleece_aws):
    """How long a name can be depends on the region: its ARN counts, and the emulator refuses one more."""
    for region in ("us-east-1", "ap-southeast-2"):
        ssm = fleece_aws.client("ssm", region_name=region)
        longest = ParameterStore(ssm, None).longest_name
        ssm.put_parameter(Name="/" + "n" * (longest - 1), Value="x", Type="SecureString")
        with pytest.raises(ssm.exceptions.ClientError):
            ssm.put_parameter(Name="/" + "n" * longest, Value="x", Type="SecureString")
    assert longest < 1011 - 44


def refuse(fleece_aws, name, **error):
    fleece_aws.fail("ssm", "PutParameter", times=99, when=lambda call: call.parameters["Name"] == name, **error)


def test_one_that_is_refused_does_not_stop_the_others(write, fleece_aws, caplog):
    """Each refusal is told with its reason, the others are written, and the log has a line for each."""
    caplog.set_level(logging.INFO, "fleece")
    refuse(fleece_aws, "/p/b", code="InvalidKeyId", status=400, message="no")
    refuse(fleece_aws, "/p/c", code="AccessDeniedException", status=400, message="not you")
    with pytest.raises(CommandError) as caught:
        write(a="1", b="2", c="3", d="4")
    assert str(caught.value) == (
        "not written: /p/b (InvalidKeyId: no); /p/c (AccessDeniedException: not you); written: /p/a, /p/d; "
        "run it again for the rest"
    )
    assert caplog.messages == [f"Writing /p/{name}... ({at} of 4)" for at, name in enumerate("abcd", start=1)]


@pytest.mark.parametrize("code", ["ExpiredTokenException", "UnrecognizedClientException"])
def test_what_would_fail_for_all_is_tried_once(write, fleece_aws, code):
    """When the credentials have run out, the rest is not tried, and told."""
    refuse(fleece_aws, "/p/b", code=code, status=400, message="no")
    with pytest.raises(CommandError) as caught:
        write(a="1", b="2", c="3", d="4")
    assert str(caught.value) == (
        f"not written: /p/b ({code}: no); /p/c, /p/d (not tried); written: /p/a; run it again for the rest"
    )
    assert len(fleece_aws.calls("ssm", "PutParameter")) == 2


def test_a_network_that_is_gone(fleece_aws):
    """Without an answer, the rest is not tried either."""
    writes = [Write(f"/p/{name}", "x", None, ("new",)) for name in "ab"]
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ssm = fleece_aws.client("ssm", endpoint_url=f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(CommandError, match=r"/p/a \(Could not connect.*\); /p/b \(not tried\); written: none"):
            ParameterStore(ssm, None).write(writes, DEFAULT_KEY)


@pytest.mark.parametrize(
    ("value", "message", "told"),
    [
        ("hunter2", "Value 'hunter2' at 'value' failed", "ValidationException"),
        ("1", "1 validation error: Value '1' at 'value' failed", "ValidationException"),
        ("1", "1 validation error", "ValidationException: 1 validation error"),
        ("hunter2\nline 2", "Value 'hunter2\nline 2' at 'value' failed", "ValidationException"),
    ],
)
def test_reasons_that_repeat_the_value(write, fleece_aws, value, message, told):
    """AWS quotes values that it refuses: its words are left out then."""
    fleece_aws.fail("ssm", "PutParameter", code="ValidationException", status=400, message=message)
    with pytest.raises(CommandError) as caught:
        write(a=value)
    assert f"/p/a ({told})" in str(caught.value)
    assert "hunter2" not in str(caught.value)


keys = st.text(st.sampled_from("aZ0_.-/ é+{"), max_size=4) | st.sampled_from(
    ["aws", "ssmx", "AWS.a", "n" * 300, "n" * 960, "n" * 967, "\n", "a\n"]
)
leaves = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["", "{{", "a{{ssm:b}}", "é" * 2048, "é" * 2049, "x" * 8192, "x" * 8193, "\0", "~", "null"]),
    st.none() | st.booleans() | st.integers(),
    st.lists(st.sampled_from(["", "{{", "x" * 4090, float("inf")]), max_size=3),
)
trees = st.recursive(leaves, lambda inner: st.dictionaries(keys, inner, max_size=3), max_leaves=5)


def deep(levels):
    return {"a": deep(levels - 1)} if levels else 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(keys, trees, max_size=3),
    st.sampled_from(["/x{}", "/x{}/", "/aws{}", "/x{}/é", "//x{}", "/x{}/aws", "/x{}//y", "/sSm/{}"]),
)
@example(deep(14), "/x{}")
@example(deep(15), "/x{}")
@example({"a": "{{"}, "/x{}")
@example({"a": ["{{"]}, "/x{}")
@example({"a": "x" * 8192, "b": "é" * 4096, "c": "é" * 2049, "d": "x" * 4096}, "/x{}")
@example({"a": "x" * 8193}, "/x{}")
@example({"a": ["x" * 4090, "x" * 4096]}, "/x{}")
@example({"ssmx": 1}, "/")
@example({"n" * 960: 1}, "/x{}")
@example({"n" * 961: 1}, "/")
@example({"n" * 966: 1}, "/")
@example({"n" * 967: 1}, "/")
def test_what_aws_would_refuse_is_refused_before_the_first_write(fleece_aws, store, memory_keys, config, prefix):
    """Whatever a configuration has, an error comes before the first write, or AWS takes all of it; then it is there."""
    text = "stages: {prod: {environment: e, key: k}}\n" + to_yaml({"config": config})
    before = len(fleece_aws.calls("ssm", "PutParameter"))
    try:
        rendered = render.render(document.parse(Source("config.yml", text)), "prod", memory_keys())
        wanted = parameters.parameters(rendered, prefix.format(next(serial)), store.longest_name)
    except CommandError:
        assert len(fleece_aws.calls("ssm", "PutParameter")) == before
        return
    names = [parameter.name for parameter in wanted]
    store.write(parameters.plan(wanted, store.read(names), DEFAULT_KEY), DEFAULT_KEY)
    assert parameters.plan(wanted, store.read(names), DEFAULT_KEY) == []


serial = itertools.count()
