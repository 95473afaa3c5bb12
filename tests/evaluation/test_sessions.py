"""Whole days on an exchange: orders from the open, half days, and the parts of a session."""

from __future__ import annotations

import pytest

from models.evaluation.backtest_run import Part
from models.evaluation.evaluation_plan import EvaluationPlan
from models.evaluation.market_plan import EvaluationMarket
from models.evaluation.market_results import MarketResults
from models.evaluation.session_parts import PARTS
from models.evaluation.tables.market_tables import Tables
from tests.backtest.test_open import HALF_DAY, WINDOWS, a_session_file
from tests.evaluation.stand_in import a_plan, an_evaluation
from tests.evaluation.test_tables import picked

pytestmark = pytest.mark.measures


@pytest.fixture(name="plan", scope="module")
def a_plan_of_whole_days(tmp_path_factory: pytest.TempPathFactory) -> EvaluationPlan:
    bars = a_session_file(tmp_path_factory.mktemp("bars"), HALF_DAY)
    horizon = {"max_steps": WINDOWS, "min_steps": [6, WINDOWS], "size_modes": ["quantity"]}
    horizon["calibration_min_steps"] = [6]
    market = {"path": bars, "starts": "open", "horizons": [horizon]}
    return a_plan({"days": EvaluationMarket.model_validate(market)})


@pytest.fixture(name="measured", scope="module")
def all_of_it(plan: EvaluationPlan, tmp_path_factory: pytest.TempPathFactory) -> tuple[MarketResults, Tables]:
    evaluation = an_evaluation(plan, tmp_path_factory.mktemp("out"))
    results = evaluation.measure()
    return results["days"][0], evaluation.write(results, {"model": "stand-in"})


@pytest.fixture(name="tables")
def its_tables(measured: tuple[MarketResults, Tables]) -> Tables:
    return measured[1]


def test_orders_on_half_days_are_in_no_table_of_whole_ones(tables: Tables) -> None:
    words = {"policy": "twap", "side": "buy", "benchmark": "twap", "size_mode": "quantity", "min_steps": 6}
    (row,) = picked(tables["distributions"], **words)
    whole, short = (
        picked(tables["tracking"], policy="twap", benchmark="vwap", sessions=sessions)[0]["orders"]
        for sessions in ("whole", "short")
    )

    assert 2 * row["orders"] == whole
    assert short == 2


def test_the_volume_of_half_a_day_is_not_that_of_the_next_morning(tables: Tables) -> None:
    (last,) = picked(tables["volume_errors"], policy="twap", step_ahead=WINDOWS)
    (first,) = picked(tables["volume_errors"], policy="twap", step_ahead=1)

    assert first["forecasts"] == last["forecasts"]


def test_each_figure_of_tracking_is_held_against_its_best_baseline(tables: Tables) -> None:
    rows = picked(tables["tracking"], benchmark="vwap", sessions="whole")
    baselines = [row for row in rows if row["policy"] != "lem"]

    for name in ("mean_absolute", "std", "w"):
        best = min(baselines, key=lambda row: row[f"{name}_bps"])
        for row in rows:
            assert row[f"{name}_to_best"] == pytest.approx(row[f"{name}_bps"] / best[f"{name}_bps"])
            assert row[f"{name}_to_best_low"] <= row[f"{name}_to_best_high"]
            assert row[f"{name}_best"] == best["policy"]


def test_no_ratio_is_to_a_rounding(tables: Tables) -> None:
    (row,) = picked(tables["tracking"], policy="volume_curve", benchmark="twap", sessions="whole")

    assert row["mean_absolute_to_twap"] != row["mean_absolute_to_twap"]


def test_the_parts_of_a_session_make_the_whole_slippage(measured: tuple[MarketResults, Tables]) -> None:
    results, _ = measured
    (run,) = results.runs(Part.PARTS, "volume_curve")
    (main,) = results.runs(Part.MAIN, "volume_curve")

    for short in (False, True):
        figures = results.session_parts(run, short=short)
        slippage = results.orders(main, short=short).slippage_bps[:, main.scenarios.index(run.scenarios[0]), -1]
        assert figures["cost_bps"].sum(axis=1) == pytest.approx(slippage, abs=1e-3)
        assert figures["share"].sum(axis=1) == pytest.approx(1.0, abs=1e-5)
        assert figures["market_share"].sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_an_even_pace_has_its_even_share_in_each_part(tables: Tables) -> None:
    rows = picked(tables["session_parts"], policy="twap", sessions="whole")

    assert [row["part"] for row in rows] == list(PARTS)
    shares = [1 / WINDOWS, (WINDOWS - 3) / WINDOWS, 2 / WINDOWS]
    assert [row["share_mean"] for row in rows] == pytest.approx(shares, abs=1e-6)


def test_the_calibration_of_the_stop_leaves_half_days_out(measured: tuple[MarketResults, Tables]) -> None:
    results, tables = measured

    decisions = sum(row["decisions"] for row in picked(tables["stop_calibration"], benchmark="twap"))

    orders = picked(tables["distributions"], policy="lem", side="both", benchmark="twap", min_steps=6)[0]["orders"]
    assert decisions == orders * (WINDOWS - 6)
    assert results.max_steps == WINDOWS
