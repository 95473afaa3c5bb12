"""The plan of docs/results.md measures the same markets on the same days as the full plan, with fewer starts."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from models.evaluation.evaluation_plan import read_plan

PLANS = Path(__file__).parents[2] / "models" / "plans"
FULL, THIN = (read_plan(PLANS / name) for name in ("lem-1-test.toml", "lem-1-test-thin.toml"))
BARS_PER_DAY = {
    "crypto_15m": 96,
    "crypto_1h": 24,
    "crypto_90m": 16,
    "crypto_240m": 6,
    "equity_1d": 1,
    "equity_5m": 78,
    "crypto_1m": 1440,
}


def test_only_the_starts_differ() -> None:
    dense = {
        name: market.model_copy(update={"every": FULL.markets[name].every}) for name, market in THIN.markets.items()
    }

    assert dense == FULL.markets
    assert THIN.model_copy(update={"markets": FULL.markets, "note": ""}) == FULL


def test_the_walks_are_those_of_the_plan_for_walks() -> None:
    assert THIN.walk == read_plan(PLANS / "lem-1-walk.toml").walk


@pytest.mark.parametrize("market", THIN.markets)
def test_orders_start_less_often_and_at_all_times_of_the_day(market: str) -> None:
    thin, full = THIN.markets[market].every, FULL.markets[market].every

    assert thin is not None
    assert full is not None
    assert thin > 2 * full
    assert math.gcd(thin, BARS_PER_DAY[market]) == 1


def test_the_page_says_so() -> None:
    assert "wider" in THIN.note
