"""On random walks the optimum is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.evaluation.evaluation_plan import WalkPlan
from models.evaluation.random_walks import write_walks
from models.evaluation.tables.random_walk import best_mean
from tests.evaluation.stand_in import a_plan, evaluated


@pytest.mark.parametrize(
    ("min_steps", "cap", "best"), [(1, 1.0, 0.367), (6, 1.0, 0.292), (12, 1.0, 0.0), (1, 0.2, 0.326), (11, 0.2, 0.055)]
)
def test_the_optimum_is_that_of_dynamic_programming(min_steps: int, cap: float, best: float) -> None:
    assert best_mean(min_steps, 12, cap) == pytest.approx(best, abs=1e-3)


@pytest.mark.measures
def test_the_rule_itself_reaches_the_optimum(tmp_path: Path) -> None:
    plan = a_plan(min_steps=range(1, 13), walk={"instruments": 2, "bars": 12_000, "min_steps": (1, 6)})

    rows = evaluated(plan, tmp_path)["walk"]

    rule = [row for row in rows if row["policy"] == "optimal_stopping" and row["min_steps"] < 12]
    assert {row["slice_cap"] for row in rule} == {1.0, 0.2}
    for row in rule:
        assert abs(row["gain_sigma_mean"] - row["optimum_sigma"]) < 4.0 * row["gain_sigma_error"] + 0.01


@pytest.mark.measures
def test_the_whole_frontier_is_there_with_and_without_a_cap(tmp_path: Path) -> None:
    plan = a_plan(walk={"instruments": 1, "bars": 1500, "min_steps": (6,)})

    rows = [row for row in evaluated(plan, tmp_path)["walk"] if row["policy"] == "lem" and row["min_steps"] == 6]

    assert [(row["slice_cap"], row["risk_aversion"]) for row in rows] == [
        (cap, risk_aversion) for cap in (1.0, 0.2) for risk_aversion in (0.0, 0.3, 6.0)
    ]


@pytest.mark.measures
@pytest.mark.parametrize(("max_steps", "caps"), [(4, {1.0}), (5, {1.0, 0.2})])
def test_a_cap_that_cannot_finish_so_short_an_order_is_left_out(
    tmp_path: Path, max_steps: int, caps: set[float]
) -> None:
    plan = a_plan(max_steps=max_steps, walk={"instruments": 1, "bars": 1500})

    rows = evaluated(plan, tmp_path)["walk"]

    assert {row["slice_cap"] for row in rows} == caps


def test_the_same_seed_writes_the_same_walks(tmp_path: Path) -> None:
    plan = WalkPlan(instruments=2, bars=1500)

    one, other = (write_walks(plan, tmp_path / name) for name in ("one", "other"))

    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    assert one[0].read_bytes() != one[1].read_bytes()
