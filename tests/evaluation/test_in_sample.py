"""Where orders start before the last bars that trained the model, that is said."""

from __future__ import annotations

from datetime import date

import pytest

from app.bundles.bundle import LemPolicy, load_bundle
from app.bundles.shipped import SHIPPED_BUNDLE
from app.domain.errors import InvalidInput
from models.evaluation.in_sample import in_sample, trained_until
from models.evaluation.market_results import MarketResults
from tests.evaluation.stand_in import StandIn, a_market, a_plan, an_evaluation


@pytest.fixture(name="results", scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[MarketResults]:
    """Two walks from 1970-01-09 to 01-15 with an order a day, and one that begins on the 13th."""
    folder = tmp_path_factory.mktemp("measured")
    plan = a_plan(
        {
            "old": a_market(folder, bars=1400, every=96),
            "new": a_market(folder, bars=1400, instruments=1, every=96, start=date(1970, 1, 13)),
        }
    )
    return [each for of_market in an_evaluation(plan, folder / "out").measure().values() for each in of_market]


def a_policy(**training: object) -> LemPolicy:
    """The shipped bundle with a card that tells something else of its training."""
    if not SHIPPED_BUNDLE.exists():
        pytest.skip("no bundle is shipped in this checkout")
    policy = load_bundle(SHIPPED_BUNDLE)
    changed = policy.card.training.model_copy(update=training)
    policy.card = policy.card.model_copy(update={"training": changed})
    return policy


@pytest.mark.measures
def test_the_orders_that_start_before_it_are_counted_market_by_market(results: list[MarketResults]) -> None:
    ((_, fact),) = in_sample(results, date(1970, 1, 12)).items()

    assert fact.startswith("6 of 14 starts of old lie before 1970-01-12")
    assert "new" not in fact


@pytest.mark.measures
def test_nothing_is_said_of_later_orders(results: list[MarketResults]) -> None:
    assert in_sample(results, date(1970, 1, 9)) == {}


def test_a_card_says_until_when_bars_trained_its_model() -> None:
    assert trained_until(a_policy(end="2024-07-01")) == date(2024, 7, 1)


@pytest.mark.measures
def test_a_model_that_saw_no_bars_has_no_such_day(results: list[MarketResults]) -> None:
    assert trained_until(a_policy(data=["random walk"])) is None
    assert trained_until(StandIn()) is None
    assert in_sample(results, None) == {}


def test_a_card_without_a_date_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"training\.end is no date"):
        trained_until(a_policy(end="last summer"))
