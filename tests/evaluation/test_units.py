"""Finished work is kept, and only what is missing or changed is done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.evaluation import measure
from models.evaluation.evaluate import KEPT
from models.evaluation.evaluation_plan import EvaluationPlan
from models.evaluation.measure_units import measure_units
from tests.evaluation.stand_in import StandIn, a_market, a_plan, an_evaluation
from tests.market import a_walk_file

pytestmark = pytest.mark.measures


def measured(plan: EvaluationPlan, out: Path, stand_in: StandIn | None = None) -> dict[str, int]:
    """The files of figures that there are in the end, and when they were written."""
    an_evaluation(plan, out, stand_in).measure()
    return kept(out)


def kept(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (out / KEPT).rglob("*.npz")}


def figures(out: Path) -> dict[str, dict[str, list[float]]]:
    found = {}
    for path in (out / KEPT).rglob("*.npz"):
        with np.load(path) as arrays:
            found[path.name] = {name: arrays[name].ravel().tolist() for name in arrays.files}
    return found


@pytest.fixture(name="plan")
def a_small_plan(tmp_path: Path) -> EvaluationPlan:
    return a_plan({"walks": a_market(tmp_path, bars=1000)})


def test_a_stop_in_the_middle_loses_only_the_unit_under_way(plan: EvaluationPlan, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        measured(plan, out, StandIn(fails_at_call=150))
    before = kept(out)

    after = measured(plan, out)

    measured(plan, tmp_path / "at once")
    assert 0 < len(before) < len(after)
    assert {name: after[name] for name in before} == before
    assert figures(out) == figures(tmp_path / "at once")


def test_what_is_finished_is_not_run_again(plan: EvaluationPlan, tmp_path: Path) -> None:
    stand_in = StandIn()
    measured(plan, tmp_path / "out", stand_in)
    asked = stand_in.asked

    measured(plan, tmp_path / "out", stand_in)

    assert stand_in.asked == asked


def test_another_bundle_is_measured_anew_and_the_baselines_are_not(plan: EvaluationPlan, tmp_path: Path) -> None:
    before = measured(plan, tmp_path / "out")

    after = measured(plan, tmp_path / "out", StandIn(name="stand-in@2"))

    new = set(after) - set(before)
    assert len(new) == 2
    assert all("-lem-" in name for name in new)


def test_another_setting_is_measured_anew(plan: EvaluationPlan, tmp_path: Path) -> None:
    before = measured(plan, tmp_path / "out")

    after = measured(plan.model_copy(update={"max_steps": 11}), tmp_path / "out")

    assert len(after) == 2 * len(before)


def test_another_bar_is_measured_anew(plan: EvaluationPlan, tmp_path: Path) -> None:
    before = measured(plan, tmp_path / "out")
    a_walk_file(tmp_path, name="W0-900s.parquet", bars=1000, seed=77)

    new = set(measured(plan, tmp_path / "out")) - set(before)

    assert len(new) == len(before) / 2
    assert all(name.startswith("W0-") for name in new)


def test_a_damaged_file_is_measured_again(plan: EvaluationPlan, tmp_path: Path) -> None:
    measured(plan, tmp_path / "out")
    first = figures(tmp_path / "out")
    for path in (tmp_path / "out" / KEPT).rglob("*.npz"):
        path.write_bytes(path.read_bytes()[:100])

    measured(plan, tmp_path / "out")

    assert figures(tmp_path / "out") == first


@pytest.mark.spawns
def test_the_number_of_processes_changes_nothing(plan: EvaluationPlan, tmp_path: Path) -> None:
    evaluation = an_evaluation(plan, tmp_path)
    (of_length,) = evaluation._market_jobs("walks", plan.markets["walks"])
    chosen = [unit for unit in of_length.units if unit.policy == "volume_curve"]

    for folder, jobs in (("one", 1), ("two", 2)):
        measure_units(chosen, tmp_path / folder, evaluation.policies, tmp_path, jobs)

    for unit in chosen:
        one, two = (np.load(unit.kept(tmp_path / folder)) for folder in ("one", "two"))
        with one, two:
            assert one.files == two.files
            for name in one.files:
                np.testing.assert_array_equal(one[name], two[name])


def test_figures_do_not_depend_on_how_many_starts_are_taken_at_once(
    plan: EvaluationPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(plan, tmp_path / "whole")
    monkeypatch.setattr(measure, "STEPS_PER_PART", 36)

    measured(plan, tmp_path / "parts")

    assert figures(tmp_path / "parts") == figures(tmp_path / "whole")
