"""Connexion's validators, with each schema prepared once, where connexion prepares it anew for every request.

Preparing it (a deep copy of each parameter's definition, a jsonschema validator) costs more than validating by it.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from connexion.datastructures import MediaTypeDict
from connexion.exceptions import BadRequestProblem
from connexion.utils import is_nullable
from connexion.validators import VALIDATOR_MAP, JSONRequestBodyValidator, JSONResponseBodyValidator, ParameterValidator
from jsonschema import Draft4Validator, ValidationError  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleece.handlers._asgi import Send

# A specification's schemas are the same objects at every request. Should there be others, they are not kept for ever.
_MOST = 10_000


def validators() -> dict[str, Any]:
    """Return a map of validators for one application, as connexion's `validator_map` option takes it."""
    prepared = _Prepared()
    return {
        "parameter": partial(_Parameters, prepared),
        "body": _ByMediaType({**VALIDATOR_MAP["body"], "*/*json": partial(_JSONBody, prepared)}),
        "response": _ByMediaType({**VALIDATOR_MAP["response"], "*/*json": partial(_JSONResponse, prepared)}),
    }


class _ByMediaType(MediaTypeDict):  # type: ignore[misc] # connexion has no types
    """Connexion's dict of media ranges, which remembers what it has found by their patterns."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._find = lru_cache(maxsize=64)(super().__getitem__)

    def __getitem__(self, item: str) -> Any:
        return self._find(item)


class _Prepared:
    """The jsonschema validators of one application, by the identity of their schemas."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[Any, Any]] = {}

    def validator(self, schema: Any, make: Callable[[], Any]) -> Any:
        found = self._found.get(id(schema))
        if found is None:
            if len(self._found) >= _MOST:
                self._found.clear()
            # The schema is kept as well, so that no other object can get its identity.
            found = self._found[id(schema)] = (schema, make())
        return found[1]


class _Parameters(ParameterValidator):  # type: ignore[misc]
    def __init__(self, prepared: _Prepared, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepared = prepared

    def validate_parameter(
        self, parameter_type: str, value: Any, param: dict[str, Any], param_name: str | None = None
    ) -> str | None:
        if value is None or is_nullable(param):
            answer: str | None = super().validate_parameter(parameter_type, value, param, param_name)
            return answer
        schema = param.get("schema", param)
        validator = self._prepared.validator(
            schema, lambda: Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER)
        )
        try:
            validator.validate(value)
        except ValidationError as error:
            return str(error)
        return None


class _JSONBody(JSONRequestBodyValidator):  # type: ignore[misc]
    def __init__(self, prepared: _Prepared, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._prepared = prepared

    @property
    def _validator(self) -> Any:
        return self._prepared.validator(self._schema, lambda: super(_JSONBody, self)._validator)

    async def _parse(self, stream: Any, scope: Any) -> Any:
        # Each of these is the client's fault, and connexion answers 500.
        try:
            return await super()._parse(stream, scope=scope)
        except UnicodeError:
            raise BadRequestProblem(f"The body is not valid {self._encoding}") from None
        except LookupError:
            raise BadRequestProblem("The charset of the body is not known") from None
        except RecursionError:
            raise BadRequestProblem("The body is nested too deeply") from None


class _JSONResponse(JSONResponseBodyValidator):  # type: ignore[misc]
    def __init__(self, prepared: _Prepared, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepared = prepared

    @property
    def validator(self) -> Any:
        return self._prepared.validator(self._schema, lambda: super(_JSONResponse, self).validator)

    def wrap_send(self, send: Send) -> Send:
        # Flask answers HEAD wherever there is a GET, without the body that connexion would look for.
        return send if self._scope["method"] == "HEAD" else super().wrap_send(send)
