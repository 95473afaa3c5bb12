"""The shipped plans can be read, and what measures the model lies a lookback after what trained or chose it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from models.evaluation.evaluation_plan import read_plan as read_evaluation_plan
from models.settings.train_plan import read_plan

PLANS, BUNDLES = (Path(__file__).parents[2] / "models" / name for name in ("plans", "bundles"))
BAR_SECONDS = {"crypto_15m": 900, "crypto_1h": 3_600}
"""Of the measured markets that never close, so that a lookback is a span of time."""


@pytest.mark.parametrize("market", BAR_SECONDS)
def test_a_lookback_lies_between_what_chose_and_what_measures(market: str) -> None:
    """The lookback is that of the bundle: its plan names no sizes, and the defaults may grow."""
    training = read_plan(PLANS / "lem-2.toml")
    measured = read_evaluation_plan(PLANS / "lem-2-test.toml").markets[market].start_seconds
    chosen = datetime.combine(training.markets[market].validation_end, time(), UTC).timestamp()
    lookback = json.loads((BUNDLES / "lem-2" / "card.json").read_text())["lookback"]

    assert measured is not None
    assert measured >= chosen + lookback * BAR_SECONDS[market]


@pytest.mark.parametrize("market", ["equity_1d", "equity_5m"])
def test_what_measures_is_not_what_chose(market: str) -> None:
    measured = read_evaluation_plan(PLANS / "lem-2-test.toml").markets[market].start_seconds
    end = read_plan(PLANS / "lem-2.toml").markets[market].validation_end

    assert measured is not None
    assert measured >= datetime.combine(end, time(), UTC).timestamp()
