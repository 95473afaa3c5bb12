"""Which bars a bundle has seen, by its card."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pytest

from app.bundles.card import CalibrationCard, Card, MarketSplit
from app.bundles.seen_days import NO_BARS, SeenDays, seen_days
from app.bundles.shipped import SHIPPED_BUNDLE
from app.decision.policies.twap import Twap
from app.domain.errors import InvalidInput


@dataclass
class Carded(Twap):
    """A policy with the shipped bundle's card, as far as it is not changed."""

    card: Card


def a_policy(*, calibrated: bool = True, **training: object) -> Carded:
    card = Card.model_validate_json((SHIPPED_BUNDLE / "card.json").read_bytes())
    changes: dict[str, object] = {"training": card.training.model_copy(update=training)}
    if not calibrated:
        changes["calibration"] = CalibrationCard()
    return Carded(card=card.model_copy(update=changes))


def samples(policy: Carded, instrument: str, *days: str) -> list[str]:
    seen = seen_days(policy)
    assert isinstance(seen, SeenDays)
    times = [int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) for day in days]
    found: list[str] = seen.samples(instrument, np.array(times)).tolist()
    return found


TWO = {
    "fast": MarketSplit(train_end="2024-07-01", validation_end="2025-01-01"),
    "slow": MarketSplit(train_end="2023-01-01", validation_end="2025-06-01"),
}


def test_orders_are_of_the_bars_that_trained_chose_or_came_later() -> None:
    policy = a_policy(data=["fast/BTC"], start="2020-01-01", markets=TWO)

    found = samples(policy, "BTC", "2019-12-31", "2020-01-01", "2024-06-30", "2024-07-01", "2024-12-31", "2025-01-01")

    assert found == ["out", "training", "training", "validation", "validation", "out"]


def test_an_instrument_of_two_markets_was_seen_to_the_latest_day_of_both() -> None:
    policy = a_policy(data=["fast/BTC", "slow/BTC"], start="2020-01-01", markets=TWO)

    assert samples(policy, "BTC", "2024-06-30", "2025-05-31", "2025-06-01") == ["training", "validation", "out"]


def test_another_instrument_is_told_apart_on_days_that_trained_or_chose() -> None:
    policy = a_policy(data=["fast/BTC"], start="2020-01-01", markets=TWO)

    assert samples(policy, "DOGE", "2019-12-31", "2024-12-31", "2025-01-01") == ["out", "same_days", "out"]


def test_an_earlier_card_tells_the_days_that_chose_by_its_calibration() -> None:
    assert samples(a_policy(), "BTCUSDT", "2024-06-30", "2024-12-31", "2025-01-01") == ["training", "validation", "out"]


def test_a_card_without_splits_or_calibration_knows_its_last_day_alone() -> None:
    policy = a_policy(calibrated=False, data=["fast/BTC"], start="2020-01-01", end="2024-07-01")

    assert samples(policy, "BTC", "2024-06-30", "2024-07-01") == ["training", "out"]


def test_a_model_that_trained_on_walks_alone_has_seen_no_bars() -> None:
    assert samples(a_policy(data=NO_BARS), "BTC", "2024-06-30") == ["out"]


def test_a_policy_without_a_bundle_has_seen_nothing() -> None:
    assert seen_days(Twap()) is None


def test_a_card_without_a_date_is_refused() -> None:
    with pytest.raises(InvalidInput, match="the card of twap: Invalid isoformat string: 'last summer'"):
        seen_days(a_policy(data=["fast/BTC"], calibrated=False, end="last summer"))
