"""Repurchase contracts: what a gain is made of, and the page that shows it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import Setup
from app.bars.series import Series
from app.decision.policies.registry import baseline
from app.domain.analysis import analyse
from app.domain.errors import InvalidInput
from app.domain.order import SCENARIOS, Benchmark
from models.evaluation.evaluation_plan import EvaluationPlan, make_plan
from models.evaluation.market_plan import EvaluationMarket
from models.evaluation.repurchase.contract_runs import SCENARIOS as BUYS
from models.evaluation.repurchase.gain_parts import gain_parts
from models.evaluation.repurchase.repurchase_page import published_contracts, repurchase_page
from models.evaluation.tables.market_tables import Tables
from tests.builders import a_bar, an_order, an_order_state
from tests.domain.test_analysis import traded
from tests.evaluation.stand_in import StandIn, a_plan, an_evaluation
from tests.evaluation.test_command import cli
from tests.evaluation.test_tables import picked
from tests.market import a_walk, a_walk_file

CONTRACTS = [
    {"max_steps": 12, "min_steps": 6, "sigma_year": 0.21},
    {"max_steps": 63, "min_steps": 22, "sigma_year": 0.21},
]


def outcome_of(series: Series, policy: str) -> Outcome:
    """Buys against TWAP of both size modes."""
    scenarios = tuple(SCENARIOS[index] for index in BUYS)
    setup = Setup(min_steps=(6,), max_steps=12, every=12, risk_aversion=0.0, scenarios=scenarios)
    return run_series(series, baseline(policy), setup)


@pytest.fixture(name="series")
def a_series(tmp_path: Path) -> Series:
    return a_walk(tmp_path, bars=900, sigma=0.02)


def by_quantity(outcome: Outcome) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array([SCENARIOS[index].size_mode.value == "quantity" for index in outcome.scenario])


def test_the_cost_analysis_of_an_order_splits_its_gain_alike(series: Series) -> None:
    outcome = outcome_of(series, "optimal_stopping")

    parts = gain_parts(series, outcome)

    for place, start, steps, scenario in zip(
        range(10), outcome.start, outcome.steps_used, outcome.scenario, strict=False
    ):
        market = [a_bar(step, price=Decimal(float(series.price[start + step]))) for step in range(steps)]
        order = an_order(
            size=Decimal(1_000), size_mode=SCENARIOS[scenario].size_mode, benchmark=Benchmark.TWAP, max_steps=12
        )
        split = analyse(traded(an_order_state(order), [1] * steps, market), market, [], market[-1]).gain
        assert split is not None
        assert float(split.stop_bps) == pytest.approx(parts["stop_bps"][place], abs=1e-6)
        assert float(split.convexity_bps) == pytest.approx(parts["convexity_bps"][place], abs=1e-6)


def test_an_even_pace_to_the_end_earns_its_convexity_and_nothing_else(series: Series) -> None:
    outcome = outcome_of(series, "twap")

    parts = gain_parts(series, outcome)

    assert parts["stop_bps"] == pytest.approx(0.0, abs=1e-6)
    assert parts["convexity_bps"] == pytest.approx(-outcome.slippage_bps, abs=1e-4)
    assert (parts["convexity_bps"][~by_quantity(outcome)] > 0.0).all()


def test_the_stop_is_the_even_pace_that_ends_on_the_same_day(series: Series) -> None:
    outcome = outcome_of(series, "optimal_stopping")

    parts = gain_parts(series, outcome)

    for row in np.flatnonzero(outcome.steps_used < 12)[:20]:
        price = series.price[outcome.start[row] :][: outcome.steps_used[row]]
        weights = np.append(np.full(len(price) - 1, 1 / 12), 1 - (len(price) - 1) / 12)
        assert parts["stop_bps"][row] == pytest.approx(1e4 * (1 - weights @ price / price.mean()))
        harmonic = len(price) / (1 / price).sum()
        convexity = 0.0 if by_quantity(outcome)[row] else 1e4 * (1 - harmonic / price.mean())
        assert parts["convexity_bps"][row] == pytest.approx(convexity)


def test_orders_that_end_on_the_same_day_have_the_same_stop_whatever_they_fix(series: Series) -> None:
    outcome = outcome_of(series, "optimal_stopping")

    stop = gain_parts(series, outcome)["stop_bps"].reshape(-1, 2)
    days = outcome.steps_used.reshape(-1, 2)

    same = days[:, 0] == days[:, 1]
    assert same.any()
    assert stop[same, 0] == pytest.approx(stop[same, 1])


def test_published_figures_have_their_sources_and_are_good_where_positive() -> None:
    rows = published_contracts()

    assert {(row["max_steps"], row["min_steps"], row["sigma_year"]) for row in rows} == {
        (63, 22, 0.21),
        (125, 75, 0.25),
    }
    assert all(row["source"] and row["gain_bps"] > 0.0 for row in rows)
    assert {row["size_mode"] for row in rows} == {"quantity", "notional"}


@pytest.fixture(name="plan", scope="module")
def a_plan_of_contracts(tmp_path_factory: pytest.TempPathFactory) -> EvaluationPlan:
    bars = a_walk_file(tmp_path_factory.mktemp("bars"), name="REAL-1d.parquet", bars=1500, bar_seconds=86_400)
    market = EvaluationMarket.model_validate({"path": bars, "every": 31})
    repurchase = {"contracts": CONTRACTS, "slice_caps": (0.1,), "instruments": 2, "bars": 4000, "market": market}
    return a_plan(repurchase=repurchase, note="Few days.")


@pytest.fixture(name="tables", scope="module")
def its_tables(plan: EvaluationPlan, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    evaluation = an_evaluation(plan, tmp_path_factory.mktemp("out"))
    return evaluation.write(evaluation.measure(), {"model": "stand-in"})


@pytest.fixture(name="page")
def its_page(plan: EvaluationPlan, tables: Tables) -> str:
    assert plan.repurchase is not None
    facts = {"model": "stand-in@1", "markets": "random walks only"}
    words: dict[str, Any] = {"plan": plan, "plan_file": Path("plans/x.toml"), "policy": StandIn(), "facts": facts}
    return repurchase_page(tables["repurchase"], repurchase=plan.repurchase, **words)


@pytest.mark.measures
def test_the_three_parts_make_the_gain(tables: Tables) -> None:
    assert tables["repurchase"]
    for row in tables["repurchase"]:
        parts = sum(row[f"{name}_bps_mean"] for name in ("stop", "pace", "convexity"))
        assert parts == pytest.approx(row["gain_bps_mean"], abs=1e-6)
        assert row["size_mode"] == "notional" or row["convexity_bps_mean"] == 0.0


@pytest.mark.measures
def test_each_contract_is_run_with_and_without_a_cap_on_walks_and_on_real_bars(tables: Tables) -> None:
    rows = picked(tables["repurchase"], policy="optimal_stopping", size_mode="notional")

    assert [(row["bars"], row["max_steps"], row["slice_cap"]) for row in rows] == [
        (bars, steps, cap) for bars, steps in (("walks", 12), ("walks", 63)) for cap in (1.0, 0.1)
    ] + [("REAL-1d", steps, cap) for steps in (12, 63) for cap in (1.0, 0.1)]
    assert {row["risk_aversion"] for row in picked(tables["repurchase"], policy="lem")} == {0.0, 0.3}


@pytest.mark.measures
def test_the_rule_earns_the_optimum_of_stopping_on_walks(tables: Tables) -> None:
    (row,) = picked(
        tables["repurchase"], bars="walks", policy="optimal_stopping", max_steps=63, slice_cap=1.0, size_mode="quantity"
    )

    assert row["optimum_bps"] == pytest.approx(140.1, abs=0.3)
    assert row["gain_bps_mean"] == pytest.approx(row["optimum_bps"], abs=4.0 * row["gain_bps_error"] + 2.0)


@pytest.mark.measures
def test_the_page_defines_the_parts_and_stands_beside_published_figures(page: str) -> None:
    for words in (
        "**stop**",
        "**convexity**",
        "**pace**",
        "positive is good",
        "one day ahead",
        "Few days.",
        "stand-in@1",
    ):
        assert words in page
    assert "--config plans/x.toml" in page
    assert page.count("### Published figures for this contract") == 1
    assert page.index("## At most 63 days") < page.index("### Published figures") < page.index("131.2")


@pytest.mark.measures
def test_every_table_of_the_page_has_as_many_cells_in_each_row(page: str) -> None:
    for part in page.split("\n\n"):
        lines = [line for line in part.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1
        assert "nan" not in part


def test_a_cap_under_which_a_contract_cannot_end_is_refused() -> None:
    with pytest.raises(InvalidInput, match="63 slices of at most"):
        make_plan({"repurchase": {"slice_caps": [0.01]}}, "test")


def test_a_page_of_contracts_needs_a_plan_that_has_some(tmp_path: Path) -> None:
    words = ["--out", tmp_path / "out", "--walk", "--repurchase-page", tmp_path / "page.md"]

    result = CliRunner().invoke(cli, [str(word) for word in words])

    assert result.exit_code == 2
    assert "goes with a plan that has repurchase contracts" in " ".join(result.output.split())
