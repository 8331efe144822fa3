"""Failures on demand, and the record of calls."""

import functools
import threading

import pytest

from fleece_testing.aws import KMS
from fleece_testing.aws.faults import Faults, Target
from fleece_testing.aws.requests import Request
from fleece_testing.aws.strictness import Principal

REQUEST = Request("kms", "Encrypt", {"KeyId": "a"}, "us-east-1", "json")
CALLER = Principal("123456789012", "arn:aws:iam::123456789012:user/me", "secret")


class TestFail:
    """`AWS.fail`."""

    @pytest.mark.parametrize(
        ("service", "operation", "call"),
        [
            ("kms", "ListKeys", lambda client: client.list_keys),
            ("sts", "GetCallerIdentity", lambda client: client.get_caller_identity),
            ("xray", "BatchGetTraces", lambda client: functools.partial(client.batch_get_traces, TraceIds=["1"])),
            ("s3", "ListBuckets", lambda client: client.list_buckets),
            ("cloudwatch", "ListMetrics", lambda client: client.list_metrics),
            ("ec2", "DescribeRegions", lambda client: client.describe_regions),
        ],
    )
    def test_every_protocol_has_its_errors(self, fleece_aws, once, refused, service, operation, call):
        """The error arrives with its code and status in every protocol, as often as asked for, then no more."""
        client = fleece_aws.client(service, config=once)
        fleece_aws.fail(service, operation, 2, code="Because", status=418)
        assert [refused(call(client)) for _ in range(2)] == ["Because", "Because"]
        call(client)()
        assert [entry.status for entry in fleece_aws.calls(service, operation)] == [418, 418, 200]

    def test_boto3_repeats_what_it_repeats(self, fleece_aws):
        """A failure of the service is retried by boto3 itself, and both calls are recorded."""
        fleece_aws.fail("kms", "ListKeys")
        assert fleece_aws.client("kms").list_keys()["Keys"] == []
        assert [call.status for call in fleece_aws.calls("kms")] == [500, 200]

    def test_a_condition_chooses_the_calls(self, fleece_aws, once, refused):
        """A failure can be for the calls with certain parameters alone."""
        ssm = fleece_aws.client("ssm", config=once)
        fleece_aws.fail("ssm", times=9, code="Because", when=lambda request: request.parameters["Name"] == "/b")
        ssm.put_parameter(Name="/a", Value="x", Type="String")
        assert refused(ssm.put_parameter, Name="/b", Value="x", Type="String") == "Because"

    def test_a_head_request_has_no_body(self, fleece_aws, once, refused):
        """An error to a HEAD request is told by its status."""
        fleece_aws.fail("s3", "HeadBucket", status=403)
        assert refused(fleece_aws.client("s3", config=once).head_bucket, Bucket="bucket") == "403"


class TestDeny:
    """`AWS.deny`."""

    def test_a_denied_action(self, fleece_aws, refused):
        """The action is denied and others are not, in the words of each protocol."""
        fleece_aws.deny("ssm:Put*")
        fleece_aws.deny("sts:*")
        ssm = fleece_aws.client("ssm")
        assert refused(ssm.put_parameter, Name="/a", Value="x", Type="String") == "AccessDeniedException"
        assert refused(fleece_aws.client("sts").get_caller_identity) == "AccessDenied"
        assert ssm.describe_parameters()["Parameters"] == []

    def test_a_denied_key(self, fleece_aws, refused):
        """With a condition, an action is denied on one key alone."""
        ours, theirs = fleece_aws.kms_key(), fleece_aws.kms_key()
        fleece_aws.deny("kms:Encrypt", when=lambda request: request.parameters["KeyId"] == theirs)
        kms = fleece_aws.client("kms")
        assert refused(kms.encrypt, KeyId=theirs, Plaintext=b"x") == "AccessDeniedException"
        assert kms.encrypt(KeyId=ours, Plaintext=b"x")["KeyId"] == ours


class TestThrottle:
    """`AWS.throttle`, whose rate is tested with a clock of its own."""

    def test_a_burst_is_throttled(self, fleece_aws, once, refused):
        """More calls than the rate are throttled, in the words of each protocol."""
        fleece_aws.throttle("ssm", "DescribeParameters", per_second=0.001)
        fleece_aws.throttle("sts", per_second=0.001)
        ssm, sts = fleece_aws.client("ssm", config=once), fleece_aws.client("sts", config=once)
        ssm.describe_parameters()
        sts.get_caller_identity()
        assert refused(ssm.describe_parameters) == "ThrottlingException"
        assert refused(sts.get_caller_identity) == "Throttling"

    def test_the_rate(self):
        """Three a second are three at once, then one every third of a second, and never more than three saved up."""
        now = 0.0
        faults = Faults(clock=lambda: now)
        faults.throttle(Target("kms", None, None), 3)

        def burst_at(seconds):
            nonlocal now
            now = seconds
            return sum(faults.find(REQUEST, CALLER) is None for _ in range(10))

        assert [burst_at(seconds) for seconds in (0.0, 0.34, 1.34, 100.0)] == [3, 1, 3, 3]


class TestDelay:
    """`AWS.delay`."""

    def test_a_slow_call_ends_with_the_test(self, fleece_aws):
        """A call that waits is ended by clear(), with an error, and does nothing to what comes after."""
        came = threading.Event()
        fleece_aws.delay("ssm", "PutParameter", 600, when=lambda call: came.set() or True)
        ssm, codes = fleece_aws.client("ssm"), []

        def put():
            try:
                ssm.put_parameter(Name="/a", Value="x", Type="String")
            except ssm.exceptions.ClientError as error:
                codes.append(error.response["Error"]["Code"])

        thread = threading.Thread(target=put)
        thread.start()
        assert came.wait(60)
        assert thread.is_alive()
        fleece_aws.clear()
        thread.join()
        assert codes == ["EmulatorFailure"]
        assert fleece_aws.calls("ssm") == []
        assert ssm.describe_parameters()["Parameters"] == []


class TestCalls:
    """`AWS.calls`."""

    def test_calls_have_their_parameters(self, fleece_aws):
        """What boto3 was asked to send is recorded, in each protocol."""
        fleece_aws.client("ssm").put_parameter(Name="/a", Value="x", Type="String")
        fleece_aws.client("sts").assume_role(RoleArn=fleece_aws.role("r"), RoleSessionName="me")
        fleece_aws.client("xray").put_trace_segments(TraceSegmentDocuments=["{}"])
        fleece_aws.client("s3").create_bucket(Bucket="bucket")
        put, assumed, sent, created = (fleece_aws.calls(service)[0] for service in ("ssm", "sts", "xray", "s3"))
        assert (put.operation, put.parameters) == ("PutParameter", {"Name": "/a", "Value": "x", "Type": "String"})
        assert (assumed.operation, assumed.parameters["RoleSessionName"]) == ("AssumeRole", "me")
        assert (sent.operation, sent.parameters) == ("PutTraceSegments", {"TraceSegmentDocuments": ["{}"]})
        assert (created.operation, created.parameters) == ("CreateBucket", {"Bucket": "bucket"})

    def test_parameters_of_a_query_service(self, fleece_aws):
        """They are all there, flat, also those that begin like the name of the operation's own fields."""
        iam = fleece_aws.client("iam")
        arn = "arn:aws:iam::123456789012:policy/p"
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            iam.get_policy_version(PolicyArn=arn, VersionId="v1")
        (call,) = fleece_aws.calls("iam", "GetPolicyVersion")
        assert call.parameters == {"PolicyArn": arn, "VersionId": "v1"}

    def test_operations_of_a_rest_service_are_told_apart(self, fleece_aws):
        """Operations that share a path and method are known by query and headers; keys are decoded once."""
        s3 = fleece_aws.client("s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="a/b c%20d", Body=b"x", Metadata={"under_score": "1"})
        s3.copy_object(Bucket="bucket", Key="copy", CopySource={"Bucket": "bucket", "Key": "a/b c%20d"})
        s3.list_objects(Bucket="bucket")
        s3.list_objects_v2(Bucket="bucket", Prefix="a")
        s3.get_object_tagging(Bucket="bucket", Key="copy")
        upload = s3.create_multipart_upload(Bucket="bucket", Key="m")["UploadId"]
        s3.upload_part(Bucket="bucket", Key="m", UploadId=upload, PartNumber=1, Body=b"x")
        s3.abort_multipart_upload(Bucket="bucket", Key="m", UploadId=upload)
        found = s3.get_object(Bucket="bucket", Key="copy")
        assert (found["Body"].read(), found["Metadata"]) == (b"x", {"under_score": "1"})
        assert [call.operation for call in fleece_aws.calls("s3")] == [
            "CreateBucket",
            "PutObject",
            "CopyObject",
            "ListObjects",
            "ListObjectsV2",
            "GetObjectTagging",
            "CreateMultipartUpload",
            "UploadPart",
            "AbortMultipartUpload",
            "GetObject",
        ]
        assert fleece_aws.calls("s3", "PutObject")[0].parameters["Key"] == "a/b c%20d"
        assert fleece_aws.calls("s3", "ListObjectsV2")[0].parameters["Prefix"] == "a"

    def test_the_record_shows_no_secrets(self, fleece_aws):
        """A call's parameters are not in its representation; its account and region are."""
        fleece_aws.client("ssm", account="210987654321").put_parameter(Name="/a", Value="secret", Type="SecureString")
        (call,) = fleece_aws.calls("ssm", "PutParameter")
        assert "secret" not in repr(call)
        assert (call.account, call.region) == ("210987654321", "us-east-1")

    def test_the_helpers_are_not_recorded(self, fleece_aws):
        """Keys, roles and credentials that a test makes are no calls."""
        fleece_aws.kms_key()
        fleece_aws.role("r")
        fleece_aws.issue_credentials()
        assert [fleece_aws.calls(service) for service in ("kms", "iam", "sts")] == [[], [], []]

    def test_clear_forgets_calls_and_faults(self, fleece_aws):
        """After a clear nothing was called and nothing fails."""
        fleece_aws.deny("*:*")
        fleece_aws.fail("kms", times=99)
        fleece_aws.throttle("kms", per_second=0.001)
        fleece_aws.clear()
        assert fleece_aws.client("kms").list_keys()["Keys"] == []
        assert len(fleece_aws.calls("kms")) == 1

    def test_what_moto_does_not_have(self, fleece_aws, once, refused):
        """An operation that is not emulated is said to be so, and is not retried."""
        kms, xray = fleece_aws.client("kms"), fleece_aws.client("xray")
        assert refused(kms.describe_custom_key_stores) == "NotImplemented"
        assert refused(xray.get_groups) == "NotImplemented"
        assert [len(fleece_aws.calls(service)) for service in ("kms", "xray")] == [1, 1]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda aws: aws.fail("kmss", "Encrypt"), "boto3 has no service 'kmss'; did you mean 'kms'?"),
        (lambda aws: aws.fail("kms", "Encryptt"), "kms has no operation 'Encryptt'; did you mean 'Encrypt'?"),
        (lambda aws: aws.calls("kms", "encrypt"), "kms has no operation 'encrypt'; did you mean 'Encrypt'?"),
        (lambda aws: aws.throttle("ssm", "Zzz"), "ssm has no operation 'Zzz'"),
        (lambda aws: aws.delay("nothing-like-it"), "boto3 has no service 'nothing-like-it'"),
        (
            lambda aws: aws.deny("Decrypt"),
            "An action is a service and an operation, such as kms:Decrypt, not 'Decrypt'",
        ),
        (lambda aws: aws.deny("s3:ListBucket"), "s3 has no operation 'ListBucket'; did you mean 'ListBuckets'?"),
    ],
)
def test_what_boto3_does_not_know_is_an_error(fleece_aws, ask, said):
    """A misspelt service or operation would never be called, and a test with it would pass for nothing."""
    with pytest.raises(ValueError) as failure:
        ask(fleece_aws)
    assert str(failure.value) == said


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (
            lambda aws: aws.stale("ssm"),
            "reads is how many reads are late, none or more, not 'ssm'; the service comes after it",
        ),
        (lambda aws: aws.stale(-1), "reads is how many reads are late, none or more, not -1; .*"),
        (
            lambda aws: aws.fail("kms", when="Encrypt"),
            "when must be a function of a fleece_testing.aws.Request: 'Encrypt' was given",
        ),
        (
            lambda aws: aws.deny("kms:*", when=True),
            "when must be a function of a fleece_testing.aws.Request: True was given",
        ),
        (lambda aws: aws.deny(None), "action must be text: None was given"),
        (lambda aws: aws.fail("kms", code=500), "code must be text: 500 was given"),
        (lambda aws: aws.kms_key(5), "alias must be text: 5 was given"),
        (lambda aws: aws.issue_credentials(seconds="9"), "seconds must be a number of seconds: '9' was given"),
        (lambda aws: type(aws)(region=None), "region must be text: None was given"),
        (lambda aws: KMS(aws).encrypt("key", b"x"), "text must be text: b'x' was given"),
    ],
)
def test_a_wrong_type_is_told_where_it_is_given(fleece_aws, ask, said):
    """What would fail later, in the server's thread, is refused with its name."""
    with pytest.raises((TypeError, ValueError), match=f"^{said}$"):
        ask(fleece_aws)
