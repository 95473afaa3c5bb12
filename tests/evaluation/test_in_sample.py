"""Where orders are measured on bars that the model has seen, that is said, as a backtest says it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from app.bundles.card import Card
from app.bundles.seen_days import SAMPLE_TITLES, Sample, SeenDays, Split, seen_days
from app.bundles.shipped import SHIPPED_BUNDLE
from models.evaluation.evaluation_plan import EvaluationPlan, read_plan
from models.evaluation.in_sample import in_sample
from models.evaluation.market_plan import midnight
from models.evaluation.market_results import MarketResults
from tests.bundles.test_seen_days import Carded
from tests.evaluation.stand_in import a_market, a_plan, an_evaluation
from tests.evaluation.test_shipped_plans import PLANS


@pytest.fixture(name="results", scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> list[MarketResults]:
    """Two walks, W0 and W1, from 1970-01-09 to 01-15 with an order a day, and one that begins on the 13th."""
    folder = tmp_path_factory.mktemp("measured")
    plan = a_plan(
        {
            "old": a_market(folder, bars=1400, every=96),
            "new": a_market(folder, bars=1400, instruments=1, every=96, start=date(1970, 1, 13)),
        }
    )
    return [each for of_market in an_evaluation(plan, folder / "out").measure().values() for each in of_market]


def a_split(train_end: date, validation_end: date) -> Split:
    return Split(train_end=midnight(train_end), validation_end=midnight(validation_end))


@pytest.mark.measures
def test_orders_are_counted_by_what_the_model_knows_of_their_bars(results: list[MarketResults]) -> None:
    """W1 is another instrument on days on which W0 trained and chose."""
    seen = SeenDays(start=0, splits={"W0": a_split(date(1970, 1, 12), date(1970, 1, 14))})

    assert in_sample(results, seen) == {
        SAMPLE_TITLES[Sample.TRAINING]: "3 of 14 starts of old",
        SAMPLE_TITLES[Sample.VALIDATION]: "2 of 14 starts of old, 1 of 3 starts of new",
        SAMPLE_TITLES[Sample.SAME_DAYS]: "5 of 14 starts of old",
    }


@pytest.mark.measures
def test_nothing_is_said_of_later_orders(results: list[MarketResults]) -> None:
    split = a_split(date(1970, 1, 5), date(1970, 1, 9))

    assert in_sample(results, SeenDays(start=0, splits={"W0": split, "W1": split})) == {}


@pytest.mark.measures
def test_a_model_that_saw_no_bars_has_none_in_sample(results: list[MarketResults]) -> None:
    assert in_sample(results, SeenDays(start=0, splits={})) == {}
    assert in_sample(results, None) == {}


def test_the_shipped_plan_measures_the_shipped_bundle_on_later_bars_but_for_instruments_of_two_markets() -> None:
    """Daily bars from 2018 on are out of sample by their own market's split. Of shares whose 5 minutes trained on
    later days, the card says the later day alone."""
    card = Card.model_validate_json((SHIPPED_BUNDLE / "card.json").read_bytes())
    seen, plan = seen_days(Carded(card=card)), read_plan(PLANS / "lem-2-test.toml")
    trained = [name.split("/") for name in card.training.data]
    both = {name for market, name in trained if market == "equity_1d"} & {
        name for market, name in trained if market == "equity_5m"
    }
    assert seen is not None

    found = {
        (market, name)
        for market, name in trained
        if market in plan.markets and Sample.OUT not in seen.samples(name, np.array([_first_start(plan, market)]))
    }

    assert found == {("equity_1d", name) for name in both}


def _first_start(plan: EvaluationPlan, market: str) -> int:
    start = plan.markets[market].start_seconds
    assert start is not None
    return start
