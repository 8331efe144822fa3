"""A specification's operations, each made once for all of connexion's parts, and each remembering what it works out.

Connexion's routing, security, validations, context and application each make all operations anew from the
specification, which is a good part of a cold start; and they ask each operation for the definition of its body up to
seven times in every request, which is worked out from the specification each time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connexion.operations import AbstractOperation
    from connexion.spec import Specification

# What depends on the specification alone, and on a media type, which is what the client says it is.
_REMEMBERED = ("body_definition", "body_schema", "response_definition", "response_schema")
_MEDIA_TYPES = 32


def share_operations(specification: Specification) -> None:
    """Have connexion make each operation of a specification once."""
    specification.operation_cls = _Operations(specification.operation_cls)


class _Operations:
    """What connexion takes for the class of a specification's operations."""

    def __init__(self, operation_class: type[AbstractOperation]) -> None:
        self._class = operation_class
        self._made: dict[tuple[str, str], AbstractOperation] = {}

    def from_spec(self, *args: Any, path: str, method: str, **options: Any) -> AbstractOperation:
        """Make an operation, unless that has been done."""
        operation = self._made.get((path, method))
        if operation is None:
            operation = self._class.from_spec(*args, path=path, method=method, **options)
            for name in _REMEMBERED:
                setattr(operation, name, lru_cache(maxsize=_MEDIA_TYPES)(getattr(operation, name)))
            self._made[path, method] = operation
        return operation
