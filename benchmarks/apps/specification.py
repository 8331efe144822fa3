"""An OpenAPI 3.0 specification of twenty operations on four kinds of things, such as a small service has."""

from __future__ import annotations

from typing import Any

_RESOURCES = {"orders": "Order", "returns": "Return", "invoices": "Invoice", "quotes": "Quote"}

_ID = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
_QUERY = [
    {"name": "expand", "in": "query", "schema": {"type": "string", "enum": ["items", "customer"]}},
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
]
_THING = {
    "type": "object",
    "required": ["customer", "items"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer"},
        "customer": {"type": "string", "pattern": "^c-[0-9]+$"},
        "status": {"type": "string", "enum": ["placed", "shipped", "delivered"]},
        "items": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["product", "quantity"],
                "properties": {"product": {"type": "string"}, "quantity": {"type": "integer", "minimum": 1}},
            },
        },
    },
}


def specification(handlers: str) -> dict[str, Any]:
    """Return the specification, with the objects of the module `handlers` for its operations."""
    paths: dict[str, Any] = {}
    for plural, thing in _RESOURCES.items():
        functions = f"{handlers}.{plural}"
        one = {"$ref": f"#/components/schemas/{thing}"}
        paths[f"/{plural}"] = {
            "get": _operation(f"{functions}.find", {"type": "array", "items": one}, parameters=_QUERY),
            "post": _operation(f"{functions}.create", one, status="201", body=one),
        }
        paths[f"/{plural}/{{number}}"] = {
            "get": _operation(f"{functions}.read", one, parameters=[_ID, *_QUERY]),
            "put": _operation(f"{functions}.replace", one, parameters=[_ID], body=one),
            "delete": _operation(f"{functions}.remove", one, parameters=[_ID]),
        }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Orders", "version": "1"},
        "paths": paths,
        "components": {"schemas": dict.fromkeys(_RESOURCES.values(), _THING)},
    }


def _operation(
    name: str,
    response: dict[str, Any],
    *,
    status: str = "200",
    body: dict[str, Any] | None = None,
    parameters: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    answer = {"description": "Done.", "content": {"application/json": {"schema": response}}}
    operation: dict[str, Any] = {"operationId": name, "responses": {status: answer}}
    if parameters:
        operation["parameters"] = parameters
    if body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation
