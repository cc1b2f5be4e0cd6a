"""What the parts of the store share: where they ask, and in which words."""

from __future__ import annotations

import asyncpg

from stem.adapters.postgres.line import Line
from stem.adapters.postgres.statements import Book
from stem.adapters.postgres.wake import Wake

__all__ = ["Part"]


class Part:
    """One part of the contract. Each of its calls is one statement, or one transaction."""

    _book: Book
    _asides: Line
    _wake: Wake
    _largest: int
    """How many bytes a result may have."""

    async def _ask(self, name: str, /, **parameters: object) -> list[asyncpg.Record]:
        """The rows of a statement."""
        return await self._asides.run(lambda connection: self._book.fetch(connection, name, **parameters))
