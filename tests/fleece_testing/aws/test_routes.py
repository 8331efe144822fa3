"""Requests of REST services are known for the operations that they are, by botocore's own way of writing them."""

import botocore.loaders
import botocore.model
import botocore.serialize
import pytest
from moto.backends import list_of_moto_modules

from fleece_testing.aws import _routes

SERVICES = [
    "apigateway", "apigatewayv2", "bedrock-runtime", "efs", "eks", "lambda", "opensearch", "s3", "s3control",
    "scheduler", "sesv2", "xray",
]  # fmt: skip
BY_HOST = {"ListDirectoryBuckets"}  # the same as ListBuckets, but for the name of the host


def minimal(shape):
    """Make the smallest value of a shape, with a recognisable text for each string."""
    if shape.type_name == "structure":
        return {name: minimal(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [minimal(shape.member)]
    if shape.serialization.get("hostLabel"):
        return "host"
    values = {"string": "a b/c%", "map": {}, "boolean": True, "blob": b"x", "timestamp": 0}
    return values.get(shape.type_name, 1)


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_is_known_by_its_request(service):
    """What botocore sends for an operation with only its required parameters is found to be that operation."""
    model = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model(service, "service-2"), service)
    serializer = botocore.serialize.create_serializer(model.resolved_protocol, include_validation=False)
    wrong = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.deprecated or name in BY_HOST:
            continue
        parameters = {} if operation.input_shape is None else minimal(operation.input_shape)
        sent = serializer.serialize_to_request(parameters, operation)
        path, _, literal = sent["url_path"].partition("?")
        query = dict(item.partition("=")[::2] for item in literal.split("&") if item)
        query |= {key: str(value) for key, value in dict(sent["query_string"]).items()}
        headers = {key.lower(): value for key, value in dict(sent["headers"]).items()}
        found = _routes.find(model.signing_name, sent["method"], path, query, headers)
        if found is None or found.operation != name:
            wrong.append((name, None if found is None else found.operation))
        else:
            texts = {member: value for member, value in parameters.items() if isinstance(value, str)}
            assert {**texts, **found.parameters}.items() >= texts.items()
    assert wrong == []


def test_services_that_moto_has_are_found_by_the_name_that_they_sign_with():
    """Every REST service of moto's that signs with another one's name is known to do so."""
    loader = botocore.loaders.Loader()
    of_moto = {name.replace("_", "") for name in list_of_moto_modules()}
    unknown = []
    for service in loader.list_available_services("service-2"):
        if service.replace("-", "") in of_moto:
            model = botocore.model.ServiceModel(loader.load_service_model(service, "service-2"), service)
            rest, name = model.resolved_protocol.startswith("rest-"), model.signing_name
            if rest and service not in (name, *_routes._SHARED.get(name, ())):
                unknown.append((service, name))
    assert unknown == []


def test_faults_and_calls_of_such_services(fleece_aws, refused):
    """A fault can be set for them by boto3's name, and their calls are found by it."""
    ses = fleece_aws.client("sesv2")
    fleece_aws.fail("sesv2", "ListContactLists", code="BadRequestException", status=400)
    assert refused(ses.list_contact_lists) == "BadRequestException"
    assert [call.status for call in fleece_aws.calls("sesv2", "ListContactLists")] == [400]
