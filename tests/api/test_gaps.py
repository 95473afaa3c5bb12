"""The service and the backtest fill the same gaps."""

from __future__ import annotations

import httpx
import pytest

from app.bars.gaps import segments
from tests.api.wire import SYMBOL, bars_json, instrument_json, next_slice, sent
from tests.builders import bars
from tests.market import series_of

BEFORE, AFTER = 300, 20


@pytest.mark.parametrize(("missing", "filled", "reason"), [(288, 288, None), (289, 0, "insufficient_history")])
async def test_a_gap_is_filled_in_the_backtest_where_it_is_in_the_service(
    client: httpx.AsyncClient, missing: int, filled: int, reason: str | None
) -> None:
    made = bars(BEFORE + missing + AFTER)  # from a Monday to a Saturday: the series trades round the clock
    kept = made[:BEFORE] + made[BEFORE + missing :]
    await client.put(f"/v1/instruments/{SYMBOL}", json=instrument_json())

    served = (await client.post("/v1/bars", json=bars_json(kept))).json()
    order = await sent(client)
    stretches = segments(series_of(kept))

    assert served["gaps_filled"] == sum(int(stretch.synthetic.sum()) for stretch in stretches) == filled
    assert len(stretches) == (1 if filled else 2)
    assert (await next_slice(client, order["order_id"]))["slice"]["fallback_reason"] == reason
