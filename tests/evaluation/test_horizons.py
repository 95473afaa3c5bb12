"""Orders of several lengths in one plan."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.backtest.setup import Setup
from app.domain.errors import InvalidInput
from models.evaluation.backtest_run import Part
from models.evaluation.evaluation_plan import EvaluationPlan, make_plan, read_plan
from models.evaluation.plan_options import changed_plan
from models.evaluation.plan_parts import slice_cap_of
from models.evaluation.random_walks import FOLDER
from models.evaluation.tables.market_tables import Tables
from models.evaluation.tables.random_walk import best_mean
from tests.evaluation.stand_in import StandIn, a_market, a_plan, an_evaluation, evaluated
from tests.evaluation.test_tables import picked

LENGTHS: list[dict[str, Any]] = [
    {"max_steps": 8, "min_steps": [2, 8], "size_modes": ["quantity"]},
    {"max_steps": 24, "min_steps": [12], "every": 50, "risk_aversions": [1.0], "cost_min_steps": [12]},
]


@pytest.fixture(name="tables", scope="module")
def tables_of_two_lengths(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("lengths")
    walk = {
        "horizons": [
            {"max_steps": 12, "min_steps": [6], "instruments": 1, "bars": 1500},
            {"max_steps": 24, "min_steps": [12, 18], "instruments": 1, "bars": 3000, "even_slices": [2]},
        ]
    }
    return evaluated(a_plan({"walks": a_market(folder, bars=1400, horizons=LENGTHS)}, walk=walk), folder / "out")


def steps_of(rows: list[dict[str, Any]]) -> set[tuple[int, int]]:
    return {(row["max_steps"], row["min_steps"]) for row in rows}


@pytest.mark.measures
@pytest.mark.parametrize("table", ["distributions", "paired", "frontier", "frontier_paired", "months"])
def test_every_table_tells_the_lengths_apart(tables: Tables, table: str) -> None:
    assert steps_of(tables[table]) == {(8, 2), (8, 8), (24, 12)}


@pytest.mark.measures
def test_a_length_has_the_named_risk_aversions_and_its_own(tables: Tables) -> None:
    points = {
        (longest, shortest): [row["risk_aversion"] for row in rows]
        for longest, shortest in ((8, 2), (24, 12))
        if (rows := picked(tables["frontier"], policy="lem", benchmark="vwap", max_steps=longest, min_steps=shortest))
    }

    assert points == {(8, 2): [0.0, 0.3, 6.0], (24, 12): [0.0, 0.3, 1.0, 6.0]}


@pytest.mark.measures
def test_only_what_a_length_asks_for_is_measured(tables: Tables) -> None:
    assert steps_of(tables["costs"]) == {(24, 12)}
    assert tables["stop_calibration"] == []
    assert {row["max_steps"] for row in tables["tracking"]} == {8}
    assert {row["size_mode"] for row in picked(tables["distributions"], max_steps=8)} == {"both", "quantity"}


@pytest.mark.measures
def test_each_length_has_starts_of_its_own(tables: Tables) -> None:
    short, long = (
        picked(
            tables["distributions"], policy="twap", max_steps=steps, side="buy", benchmark="twap", size_mode="quantity"
        )
        for steps in (8, 24)
    )

    assert short[0]["orders"] > 1.5 * long[0]["orders"]


@pytest.mark.measures
def test_walks_are_held_against_the_optimum_of_their_length_and_cap(tables: Tables) -> None:
    rows = picked(tables["walk"], policy="lem")

    assert [(row["max_steps"], row["min_steps"], row["slice_cap"] < 1.0, row["risk_aversion"]) for row in rows] == [
        *((12, 6, False, risk) for risk in (0.0, 0.3)),
        *((24, steps, False, risk) for risk in (0.0, 0.3) for steps in (12, 18)),
        *((24, steps, True, 0.0) for steps in (12, 18)),
    ]
    for row in rows:
        earliest = max(row["min_steps"], 12 if row["slice_cap"] < 1.0 else 1)
        assert row["optimum_sigma"] == pytest.approx(best_mean(earliest, row["max_steps"], 1.0))
        assert row["error_of_optimum"] == pytest.approx(row["gain_sigma_error"] / row["optimum_sigma"])


@pytest.mark.measures
def test_the_rule_stands_beside_itself_on_the_same_walks(tables: Tables) -> None:
    for row in picked(tables["walk"], policy="optimal_stopping"):
        assert (row["share_of_rule"], row["std_to_rule"]) == (1.0, 1.0)
        assert row["share_of_rule_error"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("max_steps", "earliest"), [(24, 12), (63, 32), (78, 39), (96, 48), (126, 63), (250, 125)])
def test_a_cap_of_two_even_slices_lets_an_order_end_after_half_its_steps(max_steps: int, earliest: int) -> None:
    cap = slice_cap_of(2, max_steps)

    setup = Setup(min_steps=(1,), max_steps=max_steps, every=1, risk_aversion=0.0, max_slice_fraction=Decimal(str(cap)))
    assert setup.steps_at_least == earliest
    assert cap * max_steps == pytest.approx(2.0, abs=1e-6)


def test_a_length_that_a_policy_cannot_decide_is_refused_by_name(tmp_path: Path) -> None:
    horizons = [{"max_steps": 12, "min_steps": [6]}, {"max_steps": 96, "min_steps": [32]}]
    evaluation = an_evaluation(
        a_plan({"crypto": a_market(tmp_path, horizons=horizons)}), tmp_path / "out", StandIn(max_steps=24)
    )

    with pytest.raises(InvalidInput, match="crypto: max_steps is 96, and stand-in@1 decides at most") as refusal:
        evaluation.measure()

    assert "take this horizon out of the plan" in str(refusal.value)
    assert not (tmp_path / "out" / "kept").exists()


def test_a_market_without_lengths_has_the_plans(tmp_path: Path) -> None:
    plan = a_plan({"walks": a_market(tmp_path)}, calibration_min_steps=(1, 6), costs={"min_steps": (6, 12)})

    (horizon,) = plan.horizons_of(plan.markets["walks"])

    assert (horizon.max_steps, horizon.min_steps, horizon.every) == (12, (1, 6, 12), 24)
    assert (horizon.calibration_min_steps, horizon.cost_min_steps) == ((1, 6), (6, 12))
    assert horizon.shown == (1, 6, 12)


def test_the_main_run_is_no_second_point_of_the_frontier(tmp_path: Path) -> None:
    evaluation = an_evaluation(a_plan({"walks": a_market(tmp_path)}), tmp_path)

    (job,) = evaluation._market_jobs("walks", evaluation.plan.markets["walks"])

    runs = [run for unit in job.units[:6] for run in unit.runs if run.policy == "lem"]
    assert [run.risk_aversion for run in runs if run.part in (Part.MAIN, Part.FRONTIER)] == [0.3, 0.0, 6.0]


@pytest.mark.parametrize("options", [{"max_steps": 12}, {"min_steps": "1..3"}])
def test_options_cannot_change_the_lengths_that_a_plan_names(options: dict[str, Any]) -> None:
    plan = make_plan({"walk": {"horizons": [{"max_steps": 24, "min_steps": [12]}]}}, "test")
    given: dict[str, Any] = {"max_steps": None, "min_steps": None, "every": None, "walk": False}

    with pytest.raises(InvalidInput, match="names the lengths of its orders"):
        changed_plan(plan, **given | options)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("max_steps = 24\nmin_steps = [25]", "min_steps 25 is above max_steps 24"),
        ("max_steps = 24\nmin_steps = []", "whole numbers from 1"),
        ("max_steps = 24\nmin_steps = [12]\ncost_min_steps = [6]", "cost_min_steps: 6 is not among min_steps"),
        (
            "max_steps = 12\nmin_steps = [6]\n[[markets.one.horizons]]\nmax_steps = 12\nmin_steps = [1]",
            "same max_steps",
        ),
        ("max_steps = 12\nmin_steps = [6]\nstarts = 'noon'", "horizons.0.starts"),
    ],
)
def test_a_wrong_length_says_where(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(f"[markets.one]\npath = 'x'\n[[markets.one.horizons]]\n{content}")

    with pytest.raises(InvalidInput, match=complaint):
        read_plan(path)


def test_a_cap_below_an_even_slice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="smaller slices cannot finish"):
        make_plan({"walk": {"horizons": [{"max_steps": 24, "min_steps": [12], "even_slices": [0.5]}]}}, "test")


def test_an_unknown_risk_aversion_of_a_walk_is_refused(tmp_path: Path) -> None:
    horizon = {"max_steps": 12, "min_steps": [6], "risk_aversions": ["bold"], "bars": 1500}
    plan: EvaluationPlan = a_plan(walk={"instruments": 1, "horizons": [horizon]})

    with pytest.raises(InvalidInput, match="must be at least 0, or one of neutral"):
        an_evaluation(plan, tmp_path, StandIn()).measure()


def test_every_length_of_the_walks_is_measured_on_walks_of_its_own(tmp_path: Path) -> None:
    horizons = [
        {"max_steps": steps, "min_steps": [6], "instruments": 1, "bars": bars}
        for steps, bars in ((12, 1500), (24, 2000))
    ]
    plan = a_plan(walk={"horizons": horizons})
    assert plan.walk is not None

    jobs = an_evaluation(plan, tmp_path)._walk_jobs(plan.walk)

    assert [job.market for job in jobs] == [FOLDER, FOLDER]
    assert ["1500x" in jobs[0].units[0].path.name, "2000x" in jobs[1].units[0].path.name] == [True, True]
