"""The tables: columns, signs, and the same figures as a plain backtest's."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray
from rich.console import Console

from app.backtest.job import Job, run_file
from app.backtest.setup import Setup
from app.decision.policies.registry import baseline
from models.evaluation.evaluation_plan import EvaluationPlan
from models.evaluation.tables.distributions import as_gains
from models.evaluation.tables.market_tables import Tables
from models.evaluation.tables.table_columns import COLUMNS
from models.evaluation.terminal_tables import show
from tests.evaluation.stand_in import a_market, a_plan, evaluated

pytestmark = pytest.mark.measures

FIGURES = ("mean", "std", "median", "p5", "p95", "q25", "q75")

PINNED = {
    "distributions": [
        "market", "source", "policy", "risk_aversion", "published_index", "side", "benchmark", "size_mode",
        "min_steps", "max_steps", "orders", "steps_used_mean", "slippage_bps_mean", "slippage_bps_std",
        "slippage_bps_median", "slippage_bps_p5", "slippage_bps_p95", "slippage_bps_q25", "slippage_bps_q75",
        "slippage_sigma_mean", "slippage_sigma_std", "slippage_sigma_median", "slippage_sigma_p5",
        "slippage_sigma_p95", "slippage_sigma_q25", "slippage_sigma_q75",
    ],
    "paired": [
        "market", "baseline", "side", "benchmark", "size_mode", "min_steps", "max_steps", "orders", "days",
        "block_days", "block_span_days", "horizon_days",
        "gain_bps_difference", "gain_bps_low", "gain_bps_high", "gain_sigma_difference", "gain_sigma_low",
        "gain_sigma_high",
    ],
    "frontier": [
        "market", "policy", "risk_aversion", "benchmark", "min_steps", "max_steps", "orders", "gain_bps_mean",
        "gain_sigma_mean", "std_bps", "w_bps", "mean_absolute_bps",
    ],
}  # fmt: skip


@pytest.fixture(name="plan", scope="module")
def a_whole_plan(tmp_path_factory: pytest.TempPathFactory) -> EvaluationPlan:
    folder = tmp_path_factory.mktemp("bars")
    return a_plan({"walks": a_market(folder, published="crypto_15min", daily_swing=0.5)})


@pytest.fixture(name="out", scope="module")
def a_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")


@pytest.fixture(name="together", scope="module")
def all_tables(plan: EvaluationPlan, out: Path) -> Tables:
    return evaluated(plan, out)


def picked(rows: list[dict[str, Any]], **words: Any) -> list[dict[str, Any]]:
    return [row for row in rows if all(row.get(name) == value for name, value in words.items())]


def forced_orders(plan: EvaluationPlan, policy: str) -> tuple[NDArray[np.float64], NDArray[np.datetime64]]:
    """Slippage against VWAP and the day of the start, of a plain backtest."""
    market = plan.markets["walks"]
    setup = Setup(min_steps=(12,), max_steps=12, every=24, risk_aversion=0.0, start=market.start_seconds)
    job = Job(policy=policy, bundle=Path(), setup=setup, step_seconds=None)
    orders = pa.concat_tables([run_file(path, job, baseline(policy)).orders for path in market.paths])
    chosen = orders.filter(pc.field("benchmark") == "vwap")
    return chosen["slippage_bps"].to_numpy(), chosen["start_time"].to_numpy().astype("datetime64[D]")


def test_every_table_is_a_csv_file_with_its_columns(together: Tables, out: Path) -> None:
    for name, columns in COLUMNS.items():
        with (out / f"{name}.csv").open(newline="") as file:
            lines = list(csv.reader(file))
        assert lines[0] == list(columns)
        assert len(lines) - 1 == len(together[name])


@pytest.mark.parametrize("table", PINNED)
def test_columns_are_pinned(table: str) -> None:
    assert list(COLUMNS[table]) == PINNED[table]


def test_no_row_has_a_figure_without_a_column(together: Tables) -> None:
    spare = {"mean_absolute_bps", "risk_aversion"}  # of a spread, where a table has no use for them
    for name, rows in together.items():
        for row in rows:
            assert set(row) - spare <= set(COLUMNS[name])


def test_distributions_are_those_of_a_plain_backtest(plan: EvaluationPlan, together: Tables) -> None:
    market = plan.markets["walks"]
    setup = Setup(min_steps=(6,), max_steps=12, every=24, risk_aversion=0.0, start=market.start_seconds)
    job = Job(policy="optimal_stopping", bundle=Path(), setup=setup, step_seconds=None)

    orders = [run_file(path, job, baseline("optimal_stopping")).orders for path in market.paths]

    slippage = np.concatenate([each.column("slippage_bps").to_numpy() for each in orders])
    words = np.concatenate([each.column("benchmark").to_numpy() for each in orders])
    for benchmark in ("twap", "vwap"):
        (row,) = picked(
            together["distributions"], policy="optimal_stopping", side="both", benchmark=benchmark, min_steps=6
        )
        chosen = slippage[words == benchmark]
        plain = [chosen.mean(), chosen.std(), *np.percentile(chosen, [50, 5, 95, 25, 75])]
        assert [row[f"slippage_bps_{name}"] for name in FIGURES] == pytest.approx(plain, rel=1e-4, abs=1e-4)
        assert row["orders"] == len(chosen)


def test_a_gain_is_negative_slippage_and_a_difference_positive_where_the_model_is_better(together: Tables) -> None:
    words = {"side": "both", "benchmark": "twap", "min_steps": 1}
    ours, theirs = (
        picked(together["distributions"], policy=policy, **words)[0]["slippage_bps_mean"] for policy in ("lem", "twap")
    )

    (row,) = picked(together["paired"], baseline="twap", **words)

    assert ours < theirs
    assert row["gain_bps_difference"] == pytest.approx(theirs - ours, abs=1e-3)
    assert 0.0 < row["gain_bps_low"] < row["gain_bps_difference"] < row["gain_bps_high"]


def test_a_distribution_of_slippage_is_turned_into_one_of_gains() -> None:
    row = {"slippage_bps_mean": -3.0, "slippage_bps_std": 2.0, "slippage_bps_p5": -9.0, "slippage_bps_p95": 1.0}

    gains = as_gains(row)

    figures = {name: gains[f"gain_bps_{name}"] for name in ("mean", "std", "p5", "p95")}
    assert figures == {"mean": 3.0, "std": 2.0, "p5": -1.0, "p95": 9.0}
    assert "gain_bps_median" not in gains


@pytest.mark.parametrize("market", ["walks", "a market with a name that is as long as a whole sentence"])
def test_long_names_fit_on_a_screen_of_80_columns(market: str) -> None:
    words = {"market": market, "max_steps": 256, "min_steps": 128}
    paired = words | {"baseline": "volume_aware_stopping", "benchmark": "vwap", "side": "both", "orders": 12_345}
    paired |= dict.fromkeys(("gain_bps_difference", "gain_bps_low", "gain_bps_high"), -123.456)
    console = Console(width=80, file=StringIO())

    show(console, {"frontier": [words], "paired": [paired], "walk": [], "repurchase": []})

    assert isinstance(console.file, StringIO)
    printed = console.file.getvalue()
    assert "volume_aware_stopping" in printed
    assert printed.count("-123.46") == 3
    assert "…" not in printed


def test_every_scenario_and_horizon_has_its_row(together: Tables) -> None:
    rows = picked(together["distributions"], policy="lem", source="measured")

    assert len(rows) == 3 * (8 + 2)


def test_published_figures_stand_beside_and_say_what_they_are(together: Tables) -> None:
    rows = [row for row in together["distributions"] if row["source"] != "measured"]

    assert rows
    assert all("one bar ahead" in row["source"] and row["market"] == "walks" for row in rows)


def test_the_frontier_has_every_risk_aversion_and_every_baseline(together: Tables) -> None:
    rows = picked(together["frontier"], benchmark="vwap", min_steps=6)

    assert [row["risk_aversion"] for row in rows if row["policy"] == "lem"] == [0.0, 0.3, 6.0]
    assert len({row["policy"] for row in rows}) == 6


def test_every_point_of_the_frontier_is_compared_order_by_order(together: Tables) -> None:
    rows = picked(together["frontier_paired"], baseline="optimal_stopping", benchmark="twap", side="buy", min_steps=6)

    assert sorted({row["risk_aversion"] for row in rows}) == [0.0, 0.3, 6.0]
    assert all(row["no_wider"] == (row["lem_w_bps"] <= row["baseline_w_bps"]) for row in rows)
    assert all(row["gain_bps_low"] <= row["gain_bps_difference"] <= row["gain_bps_high"] for row in rows)


def test_the_twap_schedule_is_its_own_measure_of_tracking(together: Tables) -> None:
    (row,) = picked(together["tracking"], policy="twap", benchmark="vwap")

    assert [row[f"{name}_to_twap"] for name in ("mean_absolute", "std", "w")] == pytest.approx([1.0, 1.0, 1.0])
    for name in ("mean_absolute", "std"):
        assert [row[f"{name}_to_twap_low"], row[f"{name}_to_twap_high"]] == pytest.approx([1.0, 1.0])


def test_how_close_an_order_tracks_has_an_interval(together: Tables) -> None:
    for row in picked(together["tracking"], benchmark="vwap", policy="volume_curve"):
        for name in ("mean_absolute", "std"):
            assert row[f"{name}_to_twap_low"] < row[f"{name}_to_twap"] < row[f"{name}_to_twap_high"]


def test_the_day_on_which_an_even_pace_strays_most_is_told_and_left_out(plan: EvaluationPlan, together: Tables) -> None:
    ours, day = forced_orders(plan, "volume_curve")
    theirs, _ = forced_orders(plan, "twap")
    wildest = max(np.unique(day), key=lambda each: np.square(theirs[day == each]).sum())
    others = day != wildest

    (row,) = picked(together["tracking"], policy="volume_curve", benchmark="vwap")
    assert row["wildest_day"] == str(wildest)
    share = np.square(ours[~others]).sum() / np.square(ours).sum()
    assert row["wildest_day_share"] == pytest.approx(share, rel=1e-4)
    assert row["std_to_twap_without_wildest_day"] == pytest.approx(ours[others].std() / theirs[others].std(), rel=1e-4)


def test_the_larger_the_order_the_less_it_gains(together: Tables) -> None:
    for policy in ("lem", "twap", "volume_aware_stopping"):
        rows = picked(together["costs"], policy=policy, benchmark="twap", min_steps=6)
        gains = [row["gain_bps_mean"] for row in rows]
        assert [row["order_size"] for row in rows] == [0.001, 0.01, 0.05]
        assert gains == sorted(gains, reverse=True)


def test_months_hold_all_orders(together: Tables) -> None:
    words = {"policy": "twap", "benchmark": "twap", "min_steps": 6}

    rows = picked(together["months"], **words)

    whole = picked(together["distributions"], side="both", **words)[0]["orders"]
    assert sum(row["orders"] for row in rows) == whole
    assert rows[0]["month"] == "1970-01"


def test_a_stop_is_looked_into_by_its_probability_and_by_step(together: Tables) -> None:
    bins = picked(together["stop_calibration"], benchmark="twap", min_steps=1)
    steps = picked(together["stop_steps"], benchmark="twap", min_steps=6)

    assert all(row["probability_from"] <= row["probability_mean"] <= row["probability_to"] for row in bins)
    assert bins[0]["advantage_sigma_mean"] < 0.0 < bins[-1]["advantage_sigma_mean"]
    assert [row["step"] for row in steps] == list(range(6, 12))
    orders = [row["orders"] for row in steps]
    assert orders == sorted(orders, reverse=True)


def test_volume_forecasts_are_held_against_what_came(together: Tables) -> None:
    rows = picked(together["volume_errors"], policy="volume_curve")
    deciles = picked(together["volume_deciles"], policy="volume_curve")

    assert [row["step_ahead"] for row in rows] == list(range(1, 13))
    assert all(abs(row["bias"]) < 0.3 and row["mae"] > 0.0 for row in rows)
    assert deciles[-1]["forecast_mean"] > deciles[0]["forecast_mean"]
    assert sum(row["forecasts"] for row in deciles) == rows[0]["forecasts"]


def test_the_summary_says_the_same_in_short(together: Tables, out: Path) -> None:
    lines = (out / "summary.md").read_text().splitlines()

    (row,) = picked(together["paired"], baseline="optimal_stopping", side="both", benchmark="twap", min_steps=6)
    (line,) = (line for line in lines if "| walks | twap | 12 | 6 |" in line)
    assert "model stand-in" in lines[0]
    assert f"{row['gain_bps_difference']:+.2f}" in line
    assert len(lines) == 2 + 2 + 2 * 3
