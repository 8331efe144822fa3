"""`fleece_kms`, `fleece_ssm` and `fleece_cloudwatch`: the emulated AWS with what tests of one service need."""

import json
import logging

import botocore.exceptions
import pytest
import watchtower


class TestKMS:
    """`fleece_kms`."""

    def test_texts_come_back(self, fleece_kms):
        """What a key has encrypted is decrypted again, and is of the form of a secret in config.yml."""
        key = fleece_kms.key("app")
        secret = fleece_kms.encrypt("alias/app", "ö\n")
        assert fleece_kms.decrypt(secret) == "ö\n"
        assert [call.parameters["KeyId"] for call in fleece_kms.calls("Encrypt")] == ["alias/app"]
        assert fleece_kms.aws.calls("kms", "Decrypt")[0].status == 200
        assert fleece_kms.client.describe_key(KeyId="alias/app")["KeyMetadata"]["Arn"] == key

    @pytest.mark.parametrize(
        ("how", "code"), [("disable", "DisabledException"), ("schedule_deletion", "KMSInvalidStateException")]
    )
    def test_a_key_can_be_switched_off(self, fleece_kms, refused, how, code):
        """A key that is switched off neither encrypts nor decrypts."""
        key = fleece_kms.key()
        secret = fleece_kms.encrypt(key, "x")
        getattr(fleece_kms, how)(key)
        assert refused(fleece_kms.decrypt, text=secret) == code
        assert refused(fleece_kms.encrypt, key=key, text="x") == code


class TestParameterStore:
    """`fleece_ssm`."""

    def test_a_tree_is_read_whole(self, fleece_ssm):
        """All below a path is there, decrypted, however many pages it takes, and nothing beside it."""
        for number in range(12):
            fleece_ssm.put(f"/users/dev/p{number:02}", str(number))
        fleece_ssm.put("/users/dev/deep/er", "x", type="String")
        fleece_ssm.put("/users/development", "x")
        tree = fleece_ssm.tree("/users/dev")
        assert list(tree) == ["/users/dev/deep/er", *(f"/users/dev/p{number:02}" for number in range(12))]
        assert tree["/users/dev/p11"] == "11"
        assert set(fleece_ssm.tree()) == {*tree, "/users/development"}

    def test_a_parameter_is_put_over_the_one_that_is_there(self, fleece_ssm, fleece_kms):
        """The type is SecureString unless said otherwise, the key the account's own."""
        key = fleece_kms.key("app")
        fleece_ssm.put("/a", "x")
        fleece_ssm.put("/a", "y", key=key)
        (described,) = fleece_ssm.client.describe_parameters()["Parameters"]
        assert (fleece_ssm.value("/a"), described["Type"], described["KeyId"]) == ("y", "SecureString", key)
        assert len(fleece_ssm.calls("PutParameter")) == 2

    def test_what_is_not_there(self, fleece_ssm):
        """A parameter that is not there is SSM's own error."""
        with pytest.raises(botocore.exceptions.ClientError, match="ParameterNotFound"):
            fleece_ssm.value("/none")


class TestCloudWatch:
    """`fleece_cloudwatch`."""

    @pytest.fixture
    def put(self, fleece_cloudwatch):
        """Put messages into a group, each a second after the one before."""

        def messages(group, stream, start, *messages):
            fleece_cloudwatch.stream(group, stream)
            events = [{"timestamp": start + at * 1000, "message": one} for at, one in enumerate(messages)]
            fleece_cloudwatch.client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

        return messages

    @pytest.fixture
    def now(self):
        """Return the time in milliseconds, a minute ago."""
        import time

        return int(time.time() * 1000) - 60_000

    def test_messages_are_in_order_whatever_their_stream(self, fleece_cloudwatch, put, now):
        """Streams and groups are merged by time; a group can be looked at alone."""
        put("g", "one", now, "a", "c")
        put("g", "two", now + 500, "b")
        put("other", "one", now + 100, '{"event": "here"}')
        assert fleece_cloudwatch.messages("g") == ["a", "b", "c"]
        assert fleece_cloudwatch.messages() == ["a", '{"event": "here"}', "b", "c"]
        assert fleece_cloudwatch.lines() == [{"event": "here"}]
        assert fleece_cloudwatch.lines("g") == []

    def test_lines_are_asserted(self, fleece_cloudwatch, put, now):
        """A line is found by its fields, and the message says what is there instead, and where."""
        put("g", "one", now, json.dumps({"event": "Order received", "level": "info", "order_id": 7}))
        line = fleece_cloudwatch.assert_logged("Order received", "INFO", group="g", order_id=7)
        assert line["order_id"] == 7
        with pytest.raises(AssertionError, match="differs in order_id"):
            fleece_cloudwatch.assert_logged("Order received", order_id=8)
        fleece_cloudwatch.stream("empty")
        with pytest.raises(AssertionError, match="No JSON line was written to the log group empty"):
            fleece_cloudwatch.assert_logged("Order received", group="empty")

    def test_a_handler_of_watchtower_arrives(self, fleece_cloudwatch):
        """What Python's logging sends through watchtower is there after a flush."""
        handler = watchtower.CloudWatchLogHandler("service", boto3_client=fleece_cloudwatch.client)
        try:
            handler.emit(logging.makeLogRecord({"msg": '{"event": "here"}'}))
            handler.flush()
            fleece_cloudwatch.assert_logged("here", group="service")
        finally:
            handler.close()
