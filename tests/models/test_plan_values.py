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
from tests.models.tiny import QUICK_RUN, TINY, TINY_SIZES

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
    "step_blocks": 0,
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
    "checkpoint_every": 1,
    "validate_every": 1,
    "patience": 1,
}


def a_market(**changes: Any) -> dict[str, Any]:
    return {"path": "bars", "train_end": "2024-07-01", "validation_end": "2025-01-01"} | changes


@pytest.mark.parametrize(
    ("key", "value", "permitted"),
    [
        ("steps", "x", "a whole number from 1 to "),
        ("steps", 0, "a whole number from 1 to "),
        ("steps", 2.0, "a whole number from 1 to "),
        ("steps", True, "a whole number from 1 to "),
        ("seed", -1, "a whole number from 0 to "),
        ("seed", 2**63, "a whole number from 0 to "),
        ("stretches", 0, "a whole number from 1 to "),
        ("starts", 0, "a whole number from 1 to "),
        ("repeat", -1, "a whole number from 0 to "),
        ("repeat_capped", [1], "a whole number from 0 to "),
        ("simulated_share", 2, "a number from 0 to 1"),
        ("simulated_share", False, "a number from 0 to 1"),
        ("long_share", -0.1, "a number from 0 to 1"),
        ("impact", math.nan, "a number from 0 to "),
        ("half_spread_bps", math.inf, "a number from 0 to "),
        ("learning_rate", "fast", "a number from 0 to 1"),
        ("learning_rate", -0.001, "a number from 0 to 1"),
        ("weight_decay", -1, "a number from 0 to "),
        ("warmup", -1, "a whole number from 0 to "),
        ("average_decay", 1, "a number from 0 to 0.99999"),
        ("warm_batches", 0.5, "a whole number from 0 to "),
        ("checkpoint_every", 0, "a whole number from 1 to "),
        ("validate_every", 0, "a whole number from 1 to "),
        ("patience", 0, "a whole number from 1 to "),
    ],
)
def test_a_setting_out_of_its_range_is_refused_with_what_it_may_be(key: str, value: Any, permitted: str) -> None:
    with pytest.raises(
        InvalidInput, match=rf"^mine\.toml: training: .*\b{key} is .*; it must be {permitted}"
    ) as refused:
        make_plan({"training": {key: value}}, "mine.toml")

    assert refused.value.code == "bad_plan"


@pytest.mark.parametrize(
    ("key", "value", "permitted"),
    [
        ("lookback", 10**9, "a whole number from 4 to "),
        ("recurrence", 3, "a whole number from 4 to "),
        ("history_min", 96.0, "a whole number from 4 to "),
        ("max_steps", 0, "a whole number from 1 to "),
        ("variable_width", 1, "0 or a whole number from 2 to "),
        ("hidden", 0, "a whole number from 2 to "),
        ("hidden", "32", "a whole number from 2 to "),
        ("hidden", True, "a whole number from 2 to "),
        ("kan_layers", -1, "a whole number from 0 to "),
        ("kan_width", 0, "a whole number from 1 to "),
        ("kan_knots", 1, "a whole number from 2 to "),
        ("recurrent_layers", -1, "a whole number from 0 to "),
        ("heads", -1, "0 or a whole number from 1 to "),
        ("context_width", 3, "0 or a whole number from 4 to "),
        ("bend_width", -1, "0 or a whole number from 1 to "),
        ("decision_hidden", 0, "a whole number from 1 to "),
        ("step_blocks", 2, "a whole number from 0 to 1"),
    ],
)
def test_a_size_out_of_its_range_is_refused_with_what_it_may_be(key: str, value: Any, permitted: str) -> None:
    with pytest.raises(InvalidInput, match=rf"^mine\.toml: model: .*\b{key} is .*; it must be {permitted}") as refused:
        make_plan({"model": {key: value}}, "mine.toml")

    assert refused.value.code == "bad_plan"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"training": {"repeat": 0, "repeat_capped": 0}}, "training: .*repeat and repeat_capped are both 0"),
        ({"training": {"speed": 3}}, "training: .*unknown TrainSettings: speed"),
        ({"model": {"depth": 3}}, "model: .*unknown LemConfig: depth"),
        ({"model": {"hidden": 9, "heads": 2}}, "model: .*not a multiple of heads"),
        ({"model": {"lookback": 96, "recurrence": 96}}, "model: .*lookback must hold"),
        ({"out": "runs"}, "out: "),
    ],
)
def test_a_mistake_is_refused_with_its_place(content: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput, match=f"^mine.toml: {reason}"):
        make_plan(content, "mine.toml")


@pytest.mark.parametrize(
    ("market", "reason"),
    [
        (a_market(weight=0), "weight: "),
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

    again = make_plan(variant.model_dump(), "test")

    assert (again.config, again.settings) == (variant.config, variant.settings)


def test_what_the_shipped_bundle_was_trained_with_can_be_read() -> None:
    for card in BUNDLES.glob("*/card.json"):
        training = json.loads(card.read_text())["training"]

        plan = make_plan({"training": training["settings"], "model": training["config"]}, "card")

        assert plan.config == LemConfig(**training["config"])
        assert plan.settings == TrainSettings(**training["settings"])


def test_a_market_is_read_again_from_the_record_of_a_run() -> None:
    market = make_plan({"markets": {"one": a_market(weight=2, step_seconds=3600)}}, "test").markets["one"]

    assert TrainMarket.model_validate(json.loads(market.model_dump_json())) == market
