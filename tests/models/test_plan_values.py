"""What a plan may say: every value has a range, a wrong one is refused with its place before any bar is read, and what
was trained before can still be read."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import InvalidInput
from models.evaluation.ablation import VARIANTS, variant_of
from models.settings.sizes import LemConfig
from models.settings.train_plan import TrainMarket, make_plan
from models.settings.train_settings import TrainSettings
from models.training.train import train, walks
from tests.models.tiny import QUICK_RUN, TINY, TINY_BUNDLE, TINY_SIZES

BUNDLES = Path(__file__).parents[2] / "models" / "bundles"
SMALLEST_SIZES = {
    "lookback": 5,
    "recurrence": 4,
    "history_min": 4,
    "max_steps": 1,
    "variable_width": 2,
    "hidden": 2,
    "kan_layers": 1,
    "kan_width": 1,
    "kan_knots": 2,
    "recurrent_layers": 1,
    "heads": 1,
    "context_width": 4,
    "bend_width": 1,
    "decision_hidden": 1,
    "knots": 0,
}
SMALLEST_RUN = {
    "steps": 1,
    "seed": 0,
    "stretches": 1,
    "starts": 1,
    "repeat": 0,
    "repeat_capped": 1,
    "simulated_share": 0,
    "long_share": 0,
    "impact": 0,
    "half_spread_bps": 0,
    "learning_rate": 0,
    "weight_decay": 0,
    "warmup": 0,
    "average_decay": 0,
    "warm_batches": 0,
    "forecast_steps": 0,
    "tilt_steps": 0,
    "checkpoint_every": 1,
    "validate_every": 1,
    "patience": 1,
}


def a_market(**changes: Any) -> dict[str, Any]:
    return {"path": "bars", "train_end": "2024-07-01", "validation_end": "2025-01-01"} | changes


WHOLE, NUMBER, FINITE = "a whole number", "a number", "a finite number"


def at_least(limit: float) -> str:
    return f"at least {limit}"


def at_most(limit: float) -> str:
    return f"at most {limit}"


@pytest.mark.parametrize(
    ("key", "value", "permitted"),
    [
        ("steps", "x", WHOLE),
        ("steps", 0, at_least(1)),
        ("steps", 10**10, at_most(10**9)),
        ("steps", 2.0, WHOLE),
        ("steps", True, WHOLE),
        ("seed", -1, at_least(0)),
        ("seed", 2**63, at_most(2**63 - 1)),
        ("stretches", 0, at_least(1)),
        ("starts", 0, at_least(1)),
        ("repeat", -1, at_least(0)),
        ("repeat_capped", [1], WHOLE),
        ("simulated_share", 2, at_most(1)),
        ("simulated_share", False, NUMBER),
        ("long_share", -0.1, at_least(0)),
        ("impact", math.nan, FINITE),
        ("half_spread_bps", math.inf, FINITE),
        ("learning_rate", "fast", NUMBER),
        ("learning_rate", -0.001, at_least(0)),
        ("weight_decay", -1, at_least(0)),
        ("warmup", -1, at_least(0)),
        ("average_decay", 1, at_most(0.99999)),
        ("warm_batches", 0.5, WHOLE),
        ("forecast_steps", -1, at_least(0)),
        ("checkpoint_every", 0, at_least(1)),
        ("validate_every", 0, at_least(1)),
        ("patience", 0, at_least(1)),
    ],
)
def test_a_setting_out_of_its_range_is_refused_with_what_it_may_be(key: str, value: Any, permitted: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        make_plan({"training": {key: value}}, "mine.toml")

    assert refused.value.code == "bad_plan"
    assert str(refused.value) == f"mine.toml: training.{key}: must be {permitted}, not {value!r}"


@pytest.mark.parametrize(
    ("key", "value", "permitted"),
    [
        ("lookback", 10**9, at_most(100_000)),
        ("recurrence", 3, at_least(4)),
        ("history_min", 96.0, WHOLE),
        ("max_steps", 0, at_least(1)),
        ("variable_width", 1, "0 or at least 2"),
        ("hidden", 0, at_least(2)),
        ("hidden", "32", WHOLE),
        ("hidden", True, WHOLE),
        ("kan_layers", -1, at_least(0)),
        ("kan_width", 0, at_least(1)),
        ("kan_knots", 1, at_least(2)),
        ("recurrent_layers", -1, at_least(0)),
        ("heads", -1, at_least(0)),
        ("context_width", 3, "0 or at least 4"),
        ("bend_width", -1, at_least(0)),
        ("decision_hidden", 0, at_least(1)),
        ("knots", 1, "0 or at least 2"),
        ("knots", 65, at_most(64)),
        ("max_steps", 1_001, at_most(1_000)),
    ],
)
def test_a_size_out_of_its_range_is_refused_with_what_it_may_be(key: str, value: Any, permitted: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        make_plan({"model": {key: value}}, "mine.toml")

    assert refused.value.code == "bad_plan"
    assert str(refused.value) == f"mine.toml: model.{key}: must be {permitted}, not {value!r}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"training": {"repeat": 0, "repeat_capped": 0}}, "training: repeat and repeat_capped are both 0"),
        ({"training": {"speed": 3}}, r"training\.speed: there is no such field"),
        ({"model": {"depth": 3}}, r"model\.depth: there is no such field"),
        ({"model": {"hidden": 9, "heads": 2}}, "model: hidden 9 is not a multiple of heads"),
        ({"model": {"lookback": 90}}, "model: a config needs recurrence <= history_min <= lookback"),
        ({"out": "runs"}, "out: there is no such field"),
        ({"markets": 5}, "markets: must be a table, not 5"),
        ({"markets": {"one": 5}}, r"markets\.one: must be a table, not 5"),
        ({"model": 5}, "model: must be a table, not 5"),
    ],
)
def test_a_mistake_is_refused_with_its_place(content: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=f"^mine.toml: {reason}"):
        make_plan(content, "mine.toml")


@pytest.mark.parametrize(
    ("market", "reason"),
    [
        (a_market(weight=0), "weight: must be above 0"),
        (a_market(weight=math.nan), "weight: "),
        (a_market(weight=math.inf), "weight: "),
        (a_market(weight=True), "weight: "),
        (a_market(step_seconds=0), "step_seconds: "),
        (a_market(step_seconds=True), "step_seconds: "),
        (a_market(step_seconds=2**70), "step_seconds: "),
        (a_market(train_end="2025-01-01"), ".*validation_end must be after train_end"),
        (a_market(train_end="2025-01-02"), ".*validation_end must be after train_end"),
    ],
)
def test_a_mistaken_market_is_refused_with_its_place(market: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^mine.toml: markets\.one.{reason}"):
        make_plan({"markets": {"one": market}}, "mine.toml")


@pytest.mark.parametrize("name", ["random walk", "a random walk", "Random Walk", walks(TINY, 0, 1).name])
def test_no_market_takes_the_name_of_the_simulated_walks(name: str) -> None:
    """Its figures would stand in the place of theirs, or theirs in the place of its."""
    with pytest.raises(InvalidInput, match="what the simulated markets are called"):
        make_plan({"markets": {name: a_market()}}, "mine.toml")


@pytest.mark.trains
@pytest.mark.parametrize("warm_batches", [0, 1])
def test_the_least_that_a_plan_may_say_is_trained(tmp_path: Path, warm_batches: int) -> None:
    settings = SMALLEST_RUN | {"warm_batches": warm_batches}
    plan = make_plan({"training": settings, "model": SMALLEST_SIZES}, "test")

    table = train(plan, tmp_path / "run")

    assert (asdict(plan.settings), asdict(plan.config)) == (settings, SMALLEST_SIZES), "nothing is left at its default"
    assert {row["market"] for row in table} == {"random walk"}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_of_the_ablation_is_a_plan(name: str) -> None:
    variant = variant_of(make_plan({"training": QUICK_RUN, "model": TINY_SIZES}, "test"), name)

    again = make_plan(variant.model_dump(by_alias=True), "test")

    assert (again.config, again.settings) == (variant.config, variant.settings)


def test_what_a_bundle_of_this_network_was_trained_with_can_be_read() -> None:
    """Bundles of the networks before it are served, but their sizes have other names."""
    cards = [json.loads(card.read_text()) for card in (TINY_BUNDLE / "card.json", *BUNDLES.glob("*/card.json"))]
    ours = [card["training"] for card in cards if card["training"]["config"].keys() == asdict(TINY).keys()]

    assert ours
    for training in ours:
        plan = make_plan({"training": training["settings"], "model": training["config"]}, "card")

        assert plan.config == LemConfig(**training["config"])
        assert plan.settings == TrainSettings(**training["settings"])


def test_a_market_is_read_again_from_the_record_of_a_run() -> None:
    market = make_plan({"markets": {"one": a_market(weight=2, step_seconds=3600)}}, "test").markets["one"]

    assert TrainMarket.model_validate(json.loads(market.model_dump_json())) == market
