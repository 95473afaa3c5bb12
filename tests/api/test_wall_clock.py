"""Live: windows follow the clock on the wall, and a bar that does not come stops no order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app.settings import ClockKind
from tests.api.conftest import serving
from tests.api.wire import SYMBOL, Json, bar_json, instrument_json, next_slice, sent
from tests.builders import a_bar

HISTORY = 80


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(tmp_path, ClockKind.WALL) as client:
        yield client


def second_bars(newest_close: datetime, count: int = HISTORY) -> Json:
    """Bars of one second, the newest closing then."""
    opens = [newest_close - timedelta(seconds=back) for back in range(count, 0, -1)]
    return {"bars": [bar_json(a_bar(), open_time=moment.isoformat()) for moment in opens]}


async def live(client: httpx.AsyncClient) -> datetime:
    """One-second bars up to the newest whole second, which is returned."""
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json(bar_seconds=1))
    now = datetime.now(UTC).replace(microsecond=0)
    assert (await client.post("/v1/bars", json=second_bars(now))).status_code == 200
    return now


async def test_a_late_bar_brings_a_fallback_slice_that_says_why_and_is_counted(client: httpx.AsyncClient) -> None:
    await live(client)
    accepted = await sent(client)

    piece = (await next_slice(client, accepted["order_id"], wait=20))["slice"]
    counted = (await client.get("/metrics")).text

    assert datetime.fromisoformat(piece["window"]["start"]) > datetime.fromisoformat(piece["decided_on"])
    assert (piece["basis"], piece["step"]) == ("fallback", 1)
    assert piece["fallback_reason"]
    assert "lem_slices_late_total 0.0" not in counted


async def test_a_bar_that_closes_soon_is_refused_until_then(client: httpx.AsyncClient) -> None:
    now = await live(client)
    soon = bar_json(a_bar(), open_time=(now + timedelta(seconds=30)).isoformat())

    response = await client.post("/v1/bars", json={"bars": [soon]})

    assert (response.status_code, response.json()["code"]) == (503, "bar_not_closed")
    assert response.json()["errors"][0]["pointer"] == "#/bars/0"
    assert 20 < int(response.headers["retry-after"]) <= 31


async def test_a_bar_of_tomorrow_is_refused_for_good(client: httpx.AsyncClient) -> None:
    now = await live(client)
    tomorrow = bar_json(a_bar(), open_time=(now + timedelta(days=1)).isoformat())

    response = await client.post("/v1/bars", json={"bars": [tomorrow]})

    assert (response.status_code, response.json()["code"]) == (422, "bar_too_far_ahead")
