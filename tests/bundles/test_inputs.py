"""What goes into the graphs is packed by name, in the order of the shipped card."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from app.bundles.card import Card
from app.bundles.inputs import STATE_COLUMNS, state_matrix
from app.bundles.shipped import SHIPPED_BUNDLE
from app.decision.market import COLUMNS, bar_row
from tests.builders import a_bar
from tests.market import some_rows


@pytest.fixture
def card() -> Card:
    return Card.model_validate_json((SHIPPED_BUNDLE / "card.json").read_bytes())


def test_the_columns_are_those_of_the_shipped_card(card: Card) -> None:
    assert list(COLUMNS) == card.columns
    assert list(STATE_COLUMNS) == card.state_columns


def test_each_fact_of_an_order_stands_in_its_column(card: Card) -> None:
    facts: dict[str, Any] = {
        "filled_fraction": 0.25, "benchmark_volume": 30.0, "order_volume": 40.0, "min_steps": 5, "max_steps": 6,
        "max_slice_fraction": 0.7, "max_participation_rate": 0.8, "risk_aversion": 9.0,
    }  # fmt: skip
    rows = some_rows(2, last_price=102.0, benchmark_price=100.0, avg_price=99.0, **facts)

    state = state_matrix(rows)

    expected = facts | {"price_return": 0.02, "achieved_return": -0.01}
    assert state.shape == (2, len(card.state_columns))
    assert state.dtype == np.float32
    assert dict(zip(card.state_columns, state[1].tolist(), strict=True)) == pytest.approx(expected, rel=1e-6)


def test_each_fact_of_a_bar_stands_in_its_column(card: Card) -> None:
    prices: dict[str, Any] = {"open": Decimal(100), "high": Decimal(104), "low": Decimal(98), "close": Decimal(103)}
    bar = a_bar(5, volume=Decimal(50), notional=Decimal(5_050), trades=7, **prices)  # Monday, 01:15

    row = bar_row(bar)

    expected = {
        "open": 100.0, "high": 104.0, "low": 98.0, "close": 103.0, "volume": 50.0, "notional": 5_050.0, "trades": 7.0,
        "second_of_day": 4_500.0, "day_of_week": 0.0, "bar_seconds": 900.0,
    }  # fmt: skip
    assert dict(zip(card.columns, row, strict=True)) == expected
