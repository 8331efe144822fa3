"""The same handlers as in `orders`, as ``async def``."""

from __future__ import annotations

from typing import Any

from apps.orders import Collection


class AsyncCollection:
    """Things that are all alike."""

    def __init__(self) -> None:
        self._things = Collection()

    async def find(self, expand: str | None = None, limit: int = 10) -> list[dict[str, Any]]:
        """Answer with some things."""
        return self._things.find(expand, limit)

    async def create(self, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Answer with the thing that was sent."""
        return self._things.create(body)

    async def read(self, number: int, expand: str | None = None, limit: int = 10) -> dict[str, Any]:
        """Answer with one thing."""
        return self._things.read(number, expand, limit)

    async def replace(self, number: int, body: dict[str, Any]) -> dict[str, Any]:
        """Answer with the thing that was sent."""
        return self._things.replace(number, body)

    async def remove(self, number: int) -> dict[str, Any]:
        """Answer with the thing that is gone."""
        return self._things.remove(number)


orders = returns = invoices = quotes = AsyncCollection()
