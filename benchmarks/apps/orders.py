"""Synchronous handlers of the specification's operations."""

from __future__ import annotations

from typing import Any


class Collection:
    """Things that are all alike."""

    def find(self, expand: str | None = None, limit: int = 10) -> list[dict[str, Any]]:
        """Answer with some things."""
        return [self.read(number, expand) for number in range(limit)]

    def create(self, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Answer with the thing that was sent."""
        return self.replace(17, body), 201

    def read(self, number: int, expand: str | None = None, limit: int = 10) -> dict[str, Any]:
        """Answer with one thing."""
        del expand, limit
        return {
            "id": number,
            "customer": "c-1234",
            "status": "shipped",
            "items": [{"product": "p-1", "quantity": 2}],
        }

    def replace(self, number: int, body: dict[str, Any]) -> dict[str, Any]:
        """Answer with the thing that was sent."""
        return {"id": number, **body}

    def remove(self, number: int) -> dict[str, Any]:
        """Answer with the thing that is gone."""
        return self.read(number)


orders = returns = invoices = quotes = Collection()
