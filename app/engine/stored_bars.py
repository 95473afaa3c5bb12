"""The use case of whoever looks at the bars that are stored, such as a feed that goes on where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.domain.errors import LemError
from app.engine.ports import Store
from app.engine.registry import registered
from app.engine.results import BarPage, NewestBar
from app.engine.tasks import together

READS_AT_ONCE = 64
"""Instruments; the store sends what is asked for at the same time in one round trip."""


class StoredBars:
    """Reads the store alone, so that every process gives the same answers, whichever of them decides."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(self, symbol: str, before: datetime | None, limit: int) -> BarPage:
        """The newest `limit` bars that open before then (None: of all). Raises NotFound("unknown_instrument")."""
        found = await self._store.bars_before(symbol, before, limit + 1)
        if not found:
            await registered(self._store, symbol)
        page = tuple(reversed(found[-limit:]))
        return BarPage(bars=page, next_before=page[-1].open_time if len(found) > limit else None)

    async def newest(self, symbols: Sequence[str]) -> list[NewestBar]:
        """Of each instrument, whatever is wrong with the others."""
        return await together(map(self._newest, symbols), READS_AT_ONCE)

    async def _newest(self, symbol: str) -> NewestBar:
        try:
            page = await self.page(symbol, None, 1)
        except LemError as error:
            return NewestBar(symbol=symbol, refusal=error)
        return NewestBar(symbol=symbol, bar=page.bars[0] if page.bars else None)
