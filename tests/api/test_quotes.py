"""A quote over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.api.conftest import serving
from tests.api.wire import Json, instrument_json, order_json, prepared

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """One service for all cases: a quote takes nothing."""
    async with serving(tmp_path_factory.mktemp("service")) as client:
        yield await prepared(client)


async def quoted(client: httpx.AsyncClient, **changes: Any) -> Json:
    response = await client.post("/v1/quotes", json=order_json(**changes))
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


async def test_a_quote_answers_gain_cost_and_end_of_an_order_and_takes_nothing(client: httpx.AsyncClient) -> None:
    answer = await quoted(client, client_order_id=None, horizon={"min_steps": 6, "max_steps": 12})

    gain, worth = answer["gain_bps"], Decimal(answer["notional"])
    assert Decimal(gain["p5"]) < Decimal(gain["p50"]) < Decimal(gain["p95"])
    assert Decimal(answer["gain_notional"]["mean"]) == pytest.approx(
        worth * Decimal(gain["mean"]) / 10_000, rel=Decimal("0.001")
    )
    assert Decimal(answer["net_gain_bps"]) == pytest.approx(
        Decimal(gain["mean"]) - Decimal(answer["cost"]["total_bps"]), abs=Decimal("0.001")
    )
    assert answer["quantity"] == "10"
    assert answer["convexity_gain_bps"] == "0"
    assert [step["step"] for step in answer["steps"]] == list(range(1, 13))
    assert sum(Decimal(step["end_probability"]) for step in answer["steps"]) == pytest.approx(1, abs=Decimal("1e-4"))
    assert answer["steps"][-1]["ended_by_probability"] == "1"
    assert answer["earliest_end"] == {"step": "6", "time": answer["steps"][5]["window"]["end"]}
    assert answer["latest_end"] == {"step": "12", "time": answer["steps"][11]["window"]["end"]}
    assert 6 <= Decimal(answer["expected_end"]["step"]) <= 12
    assert (await client.get("/v1/orders")).json()["orders"] == []


async def test_a_quote_says_which_orders_of_which_bundle_it_rests_on(client: httpx.AsyncClient) -> None:
    rests_on = (await quoted(client))["rests_on"]

    [model] = [each for each in (await client.get("/v1/models")).json()["models"] if each["active"]]
    assert rests_on["model"] == model["name"]
    assert "calibration" not in model["card"]
    assert rests_on["basis"] == "calibration"
    assert rests_on["calibrated_on"]["bar_seconds"] == 900
    assert rests_on["calibrated_on"]["orders"] > 1_000
    assert (rests_on["history_bars"], rests_on["volatility_bars"]) == (160, 97)


async def test_a_fixed_notional_is_quoted_with_its_convexity(client: httpx.AsyncClient) -> None:
    answer = await quoted(client, quantity=None, notional="1000.01")

    assert answer["notional"] == "1000.01"
    assert Decimal(answer["convexity_gain_bps"]) > 0


async def test_the_sender_may_know_the_costs_of_the_market(client: httpx.AsyncClient) -> None:
    free = await quoted(client, costs={"half_spread_bps": "0", "impact": "0"})
    dear = await quoted(client, costs={"half_spread_bps": "3.25"})

    assert free["cost"]["total_bps"] == "0"
    assert dear["cost"]["half_spread_bps"] == "3.25"
    assert Decimal(dear["cost"]["impact_bps"]) > 0


@pytest.mark.parametrize(
    ("code", "pointer", "changes"),
    [
        ("size_ambiguous", "#", {"notional": "5"}),
        ("size_missing", "#", {"quantity": None}),
        ("field_missing", "#/side", {"side": None}),
        ("unknown_value", "#/benchmark", {"benchmark": "close"}),
        ("decimal_not_a_string", "#/quantity", {"quantity": 10}),
        ("horizon_inverted", "#/horizon/min_steps", {"horizon": {"min_steps": 7, "max_steps": 6}}),
        ("above_one", "#/limits/max_slice_fraction", {"limits": {"max_slice_fraction": "1.5"}}),
        ("unknown_field", "#/costs/fee", {"costs": {"fee": "1"}}),
        ("negative", "#/costs/impact", {"costs": {"impact": "-1"}}),
        ("not_a_decimal", "#/costs/half_spread_bps", {"costs": {"half_spread_bps": "1e2"}}),
    ],
)
async def test_a_bad_body_is_refused_with_a_pointer(
    client: httpx.AsyncClient, code: str, pointer: str, changes: Json
) -> None:
    response = await client.post("/v1/quotes", json=order_json(**changes))

    assert response.status_code == 422
    assert (response.json()["errors"][0]["code"], response.json()["errors"][0]["pointer"]) == (code, pointer)


async def test_an_instrument_without_bars_or_unknown_is_not_quoted(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        unknown = await client.post("/v1/quotes", json=order_json())
        await client.put("/v1/instruments/BTC-USDT", json=instrument_json())
        empty = await client.post("/v1/quotes", json=order_json())

    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_instrument")
    assert (empty.status_code, empty.json()["code"]) == (409, "no_bars")
