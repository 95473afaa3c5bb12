"""An order management system at the application, in the words of a complaint."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from app.domain.bar import Bar
from tests.api.conftest import serving
from tests.api.wire import HISTORY, Json, bars_json, instrument_json, next_slice, order_json, prepared
from tests.builders import PRICE, bars

LATER = bars(40, first=HISTORY, seed=1)
"""The bars that close one after the other once orders are there."""
ZERO = Decimal(0)


class Oms:
    """`closed` counts the bars that have closed since the history."""

    def __init__(self, client: httpx.AsyncClient, closed: int = 0) -> None:
        self.client = client
        self.closed = closed

    async def sent(self, **changes: Any) -> Json:
        """An order that is taken: of 12 steps, if nothing else is said."""
        response = await self.client.post("/v1/orders", json=order_json(**({"horizon": steps(12)} | changes)))
        assert response.status_code == 201, response.text
        answer: Json = response.json()
        return answer

    async def bars_close(self, number: int = 1, **changes: Any) -> None:
        """The next bars, each in a request of its own."""
        for bar in LATER[self.closed : self.closed + number]:
            await self.bar_closes(bar, **changes)
        self.closed += number

    async def bar_closes(self, bar: Bar, **changes: Any) -> None:
        body = bars_json([bar])
        body["bars"][0] |= changes
        response = await self.client.post("/v1/bars", json=body)
        assert response.status_code == 200, response.text

    async def shown(self, order: Json) -> Json:
        answer: Json = (await self.client.get(f"/v1/orders/{order['order_id']}")).json()
        return answer

    async def slices(self, order: Json) -> list[Json]:
        found: list[Json] = (await self.client.get(f"/v1/orders/{order['order_id']}/slices")).json()["slices"]
        return found

    async def offered(self, order: Json) -> Json | None:
        """The slice that is to be traded now."""
        piece: Json | None = (await next_slice(self.client, order["order_id"]))["slice"]
        return piece

    async def reports(self, order: Json, piece: Json, quantity: Decimal | str, name: str | None = None) -> Json:
        """So much of the slice was traded."""
        body = {
            "execution_id": name or f"{piece['slice_id']}-filled",
            "slice_id": piece["slice_id"],
            "quantity": str(quantity),
            "price": str(PRICE),
            "executed_at": piece["window"]["start"],
        }
        response = await self.client.post(f"/v1/orders/{order['order_id']}/fills", json=body)
        assert response.status_code in (200, 201), response.text
        answer: Json = response.json()
        return answer

    async def trades_all(self, order: Json) -> None:
        """Each slice is traded and reported in full, until none is offered."""
        while (piece := await self.offered(order)) is not None:
            if Decimal(piece["quantity"]):
                await self.reports(order, piece, piece["quantity"])
            await self.bars_close()


def steps(most: int, least: int | None = None) -> Json:
    """A horizon of just so many steps, or of at least `least`."""
    return {"min_steps": least or most, "max_steps": most}


def asked(slices: list[Json]) -> Decimal:
    return sum((Decimal(piece["quantity"]) for piece in slices), ZERO)


@asynccontextmanager
async def an_oms(folder: Path, closed: int = 0, **terms: str) -> AsyncIterator[Oms]:
    """At a service in that folder, which has the instrument and a history, or, after a restart, has them already."""
    async with serving(folder) as client:
        if not closed:
            await prepared(client)
        if terms:
            assert (await client.put("/v1/instruments/BTC-USDT", json=instrument_json(**terms))).status_code == 200
        yield Oms(client, closed)
