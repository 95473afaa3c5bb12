"""The plan of docs/results.md measures on the same walks as the plan for walks alone."""

from __future__ import annotations

from pathlib import Path

from models.evaluation.evaluation_plan import read_plan

PLANS = Path(__file__).parents[2] / "models" / "plans"


def test_the_walks_are_those_of_the_plan_for_walks() -> None:
    full, walks = (read_plan(PLANS / name) for name in ("lem-1-test.toml", "lem-1-walk.toml"))

    assert full.walk == walks.walk
