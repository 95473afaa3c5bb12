"""What orders cost, over HTTP: one order, many of them, and as tables."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from tests.api.conftest import serving
from tests.api.wire import HISTORY, Json, bars_json, prepared, sent
from tests.builders import at, bars

LATER = bars(60, first=HISTORY, seed=1)


async def traded(client: httpx.AsyncClient, count: int, **changes: Any) -> Json:
    """An order, with so many bars after it."""
    order = await sent(client, **changes)
    assert (await client.post("/v1/bars", json=bars_json(LATER[:count]))).status_code == 200
    return order


async def analysed(client: httpx.AsyncClient, order: Json) -> Json:
    response = await client.get(f"/v1/orders/{order['order_id']}/tca")
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def price_of(steps: int, benchmark: str) -> Decimal:
    """Of the first bars after the order, by the definition."""
    seen = LATER[:steps]
    if benchmark == "twap":
        return sum((bar.price for bar in seen), Decimal(0)) / steps
    return sum((bar.price * bar.volume for bar in seen), Decimal(0)) / sum(bar.volume for bar in seen)


@pytest.mark.parametrize("benchmark", ["vwap", "twap"])
async def test_a_finished_order_is_held_against_its_own_windows_and_all_it_might_have_had(
    client: httpx.AsyncClient, benchmark: str
) -> None:
    await prepared(client)
    order = await traded(client, 60, side="sell", benchmark=benchmark)

    found = await analysed(client, order)
    shown = (await client.get(f"/v1/orders/{order['order_id']}")).json()

    used = found["steps_used"]
    paid = Decimal(shown["avg_price"])
    assert found["final"]
    assert not found["partial"]
    assert found["slippage_bps"] == shown["slippage_bps"] == found["to_end"][f"{benchmark}_slippage_bps"]
    assert (found["to_end"]["steps"], found["to_max_steps"]["steps"]) == (used, 12)
    for window, steps in (("to_end", used), ("to_max_steps", 12)):
        assert Decimal(found[window][benchmark]) == round(price_of(steps, benchmark), 12)
    to_max = -(paid / price_of(12, benchmark) - 1) * 10_000
    assert float(found["stop_earned_bps"]) == pytest.approx(float(to_max) - float(found["slippage_bps"]), abs=2e-4)
    parts = found["gain_parts"]
    assert sum(float(value) for value in parts.values()) == pytest.approx(-float(found["slippage_bps"]), abs=2e-4)
    after = LATER[used - 1]
    gone_back = (LATER[used].close / after.close - 1) * 10_000
    assert Decimal(found["reversion_bps"]["1"]) == round(gone_back, 4)


async def test_figures_of_a_working_order_grow_with_its_bars(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client, horizon={"min_steps": 12, "max_steps": 12})
    before = await analysed(client, order)

    await client.post("/v1/bars", json=bars_json(LATER[:3]))
    found = await analysed(client, order)

    assert (before["to_end"]["steps"], found["to_end"]["steps"]) == (0, 3)
    assert before["slippage_bps"] is None
    assert found["slippage_bps"] is not None
    assert found["stop_earned_bps"] is None
    assert not found["final"]
    assert found["last_price"] == f"{LATER[2].close:f}".rstrip("0").rstrip(".")


async def test_an_analysis_is_the_same_after_a_restart(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await prepared(client)
        order = await traded(client, 60)
        before = await analysed(client, order)

    async with serving(tmp_path) as client:
        assert await analysed(client, order) == before


async def test_a_gap_of_the_feed_is_labelled(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client, horizon={"min_steps": 12, "max_steps": 12})
    await client.post("/v1/bars", json=bars_json([*LATER[:2], *LATER[4:60]]))

    found = await analysed(client, order)

    assert found["partial"]
    assert found["gain_parts"] is None
    assert Decimal(found["unpriced"]) > 0


async def test_orders_that_are_alike_are_shown_as_a_distribution(client: httpx.AsyncClient) -> None:
    await prepared(client)
    for number in range(3):
        await sent(client, client_order_id=f"buy-{number}", quantity=f"{10 + number}")
    order = await traded(client, 60, client_order_id="sell", side="sell", benchmark="twap")

    found = (await client.get("/v1/tca")).json()
    sells = (await client.get("/v1/tca", params={"side": "sell"})).json()

    assert found["all"]["orders"] == 4
    assert [(each["side"], each["orders"]) for each in found["groups"]] == [("buy", 3), ("sell", 1)]
    piece = (await client.get(f"/v1/orders/{order['order_id']}/schedule")).json()["steps"][0]["slice"]
    assert {each["model"] for each in found["groups"]} == {piece["model"]}
    spread = found["groups"][0]["figures"]["slippage_bps"]
    assert set(spread) == {"orders", "mean", "std", "p5", "q25", "median", "q75", "p95"}
    assert Decimal(spread["p5"]) <= Decimal(spread["median"]) <= Decimal(spread["p95"])
    single = sells["all"]["figures"]["slippage_bps"]
    assert round(Decimal(single["mean"]), 4) == Decimal((await analysed(client, order))["slippage_bps"])
    assert single["std"] == "0"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"instrument": "BTC-USDT"}, 2),
        ({"status": "working"}, 0),
        ({"size_mode": "notional"}, 1),
        ({"min_steps": "2"}, 1),
        ({"final": "true"}, 2),
        ({"model": "another"}, 0),
        ({"started_from": at(HISTORY).isoformat()}, 2),
        ({"started_before": at(HISTORY).isoformat()}, 0),
    ],
)
async def test_a_filter_leaves_the_orders_that_fit(client: httpx.AsyncClient, query: Json, count: int) -> None:
    await prepared(client)
    await sent(client, client_order_id="one", quantity=None, notional="1000")
    await traded(client, 60, client_order_id="two", horizon={"min_steps": 2, "max_steps": 12})

    response = await client.get("/v1/tca", params=query)

    assert response.status_code == 200, response.text
    assert response.json()["all"]["orders"] == count


async def test_tables_have_a_row_for_each_order_with_the_figures_of_json(client: httpx.AsyncClient) -> None:
    await prepared(client)
    await sent(client, client_order_id="one, with a comma", side="sell")
    order = await traded(client, 60, client_order_id="two")
    shown = await analysed(client, order)

    as_csv = await client.get("/v1/tca", headers={"accept": "text/csv"})
    as_parquet = await client.get("/v1/tca", headers={"accept": "application/vnd.apache.parquet"})

    assert as_csv.headers["content-type"].startswith("text/csv")
    rows = {row["client_order_id"]: row for row in csv.DictReader(io.StringIO(as_csv.text))}
    table = {row["client_order_id"]: row for row in pq.read_table(io.BytesIO(as_parquet.content)).to_pylist()}
    assert set(rows) == set(table) == {"one, with a comma", "two"}
    for name in ("order_id", "avg_price", "slippage_bps", "stop_earned_bps", "started_at", "leaves"):
        assert rows["two"][name] == shown[name]
    assert table["two"]["avg_price"] == Decimal(shown["avg_price"])
    assert table["two"]["slippage_bps"] == pytest.approx(float(shown["slippage_bps"]), abs=1e-4)
    assert (rows["two"]["final"], table["two"]["final"]) == ("true", True)


async def test_a_table_without_orders_has_its_columns(client: httpx.AsyncClient) -> None:
    as_csv = await client.get("/v1/tca", headers={"accept": "text/csv"})
    as_parquet = await client.get("/v1/tca", headers={"accept": "application/vnd.apache.parquet"})

    table = pq.read_table(io.BytesIO(as_parquet.content))
    assert as_csv.text.splitlines() == [",".join(table.column_names)]
    assert table.num_rows == 0


@pytest.mark.parametrize(
    ("accept", "status", "kind"),
    [
        ("*/*", 200, "application/json"),
        ("text/csv;q=0.5, application/json;q=0.1", 200, "text/csv"),
        ("text/html, text/*;q=0.1", 200, "text/csv"),
        ("application/xml", 406, "application/problem+json"),
        ("text/csv;q=0", 406, "application/problem+json"),
        ("text/csv;q=x", 406, "application/problem+json"),
    ],
)
async def test_the_format_is_the_one_that_is_preferred(
    client: httpx.AsyncClient, accept: str, status: int, kind: str
) -> None:
    response = await client.get("/v1/tca", headers={"accept": accept})

    assert response.status_code == status
    assert response.headers["content-type"].partition(";")[0] == kind


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"side": "hold"}, "unknown_value"),
        ({"started_from": "2025-01-01"}, "bad_time"),
        ({"wrong": "1"}, "unknown_field"),
        ({"min_steps": "0"}, "out_of_range"),
    ],
)
async def test_a_wrong_filter_is_refused(client: httpx.AsyncClient, query: Json, code: str) -> None:
    response = await client.get("/v1/tca", params=query)

    assert response.status_code == 422
    assert response.json()["code"] == code


async def test_an_unknown_order_has_no_analysis(client: httpx.AsyncClient) -> None:
    response = await client.get("/v1/orders/nothing/tca")

    assert (response.status_code, response.json()["code"]) == (404, "unknown_order")


async def test_an_order_that_is_cancelled_before_it_trades_has_nothing_to_analyse(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client, start_time=at(HISTORY + 5).isoformat())
    await client.post(f"/v1/orders/{order['order_id']}/cancel")
    await client.post("/v1/bars", json=bars_json(LATER))

    found = await analysed(client, order)

    assert found["to_end"]["steps"] == 0
    assert found["slippage_bps"] is None
    assert found["gain_parts"] is None
