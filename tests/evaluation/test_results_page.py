"""The page of results for docs/: it says what it rests on, and its figures are those of the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.evaluation.evaluation_plan import EvaluationPlan
from models.evaluation.results_page import results_page
from models.evaluation.tables.market_tables import Tables
from tests.evaluation.stand_in import StandIn, a_market, a_plan, an_evaluation

pytestmark = pytest.mark.measures

FACTS = {"model": "stand-in@1", "commit": "0a1b2c3", "measured": "2026-01-02"}


@pytest.fixture(name="plan", scope="module")
def a_whole_plan(tmp_path_factory: pytest.TempPathFactory) -> EvaluationPlan:
    market = a_market(tmp_path_factory.mktemp("bars"), published="crypto_15min", daily_swing=0.5)
    walk = {"instruments": 1, "bars": 1500, "min_steps": (6,)}
    return a_plan({"walks": market}, note="A few walks.", walk=walk)


@pytest.fixture(name="evaluated", scope="module")
def all_of_it(plan: EvaluationPlan, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tables, str]:
    evaluation = an_evaluation(plan, tmp_path_factory.mktemp("out"))
    results = evaluation.measure()
    tables = evaluation.write(results, FACTS)
    plan_file = Path("plans/walks.toml")
    return tables, results_page(tables, results, plan=plan, plan_file=plan_file, policy=StandIn(), facts=FACTS)


@pytest.fixture(name="tables")
def its_tables(evaluated: tuple[Tables, str]) -> Tables:
    tables, _ = evaluated
    return tables


@pytest.fixture(name="page")
def its_page(evaluated: tuple[Tables, str]) -> str:
    _, page = evaluated
    return page


def row_of(tables: Tables, table: str, **words: Any) -> dict[str, Any]:
    (row,) = (row for row in tables[table] if all(row[name] == value for name, value in words.items()))
    return row


def test_it_says_what_was_measured_and_how_to_do_it_again(page: str) -> None:
    for fact in ("stand-in@1", "0a1b2c3", "2026-01-02", "--config plans/walks.toml", "A few walks."):
        assert fact in page


def test_it_says_which_bars_it_rests_on(page: str) -> None:
    assert "| walks | 12 | W0-900s, W1-900s | 2 | 900 s | 1970-01-09 to 1970-01-16 | 24 steps | 62 | 1 | 2 " in page


def test_gains_are_those_of_the_tables(tables: Tables, page: str) -> None:
    words = {"side": "both", "benchmark": "vwap", "min_steps": 6}
    lem, rule = (row_of(tables, "distributions", policy=name, **words) for name in ("lem", "volume_aware_stopping"))
    pair = row_of(tables, "paired", baseline="volume_aware_stopping", **words)

    (line,) = (line for line in page.splitlines() if line.startswith(f"| vwap | 6 | {pair['orders']:,} |"))

    assert f"| {-lem['slippage_bps_mean']:.2f} |" in line
    assert f"| {-rule['slippage_bps_mean']:.2f} |" in line
    assert f"| {pair['gain_bps_difference']:+.2f} [{pair['gain_bps_low']:+.2f}, {pair['gain_bps_high']:+.2f}] |" in line


def test_every_part_has_its_figures(tables: Tables, page: str) -> None:
    tracked = row_of(tables, "tracking", policy="lem", benchmark="vwap", risk_aversion=6.0)
    charged = row_of(tables, "costs", policy="lem", benchmark="twap", min_steps=6, order_size=0.01)
    forecast = row_of(tables, "volume_errors", policy="linear_volume", step_ahead=1)
    walk = row_of(tables, "walk", policy="optimal_stopping", slice_cap=1.0, min_steps=6)

    row = f"| vwap | whole | {tracked['orders']} | lem | 6 (tracking) | {tracked['mean_absolute_bps']:.2f} |"
    assert row in page
    assert f"| 1 % | twap | {charged['gain_bps_mean']:.2f} |" in page
    assert f"| linear_volume | {forecast['deviance']:.3f} |" in page
    figures = f"{walk['optimum_sigma']:.3f} | {walk['gain_sigma_mean']:.3f} | {walk['share_of_optimum']:.3f}"
    assert f"| 12 | 6 |  | optimal_stopping |  | {figures} |" in page


def test_published_figures_are_means_in_our_signs(page: str) -> None:
    assert "| walks | published lem | twap | 7 (its index 6) | 7.8 | 32.4 |" in page
    assert "no target" in page


def test_every_table_has_as_many_cells_in_each_row(page: str) -> None:
    for part in page.split("\n\n"):
        lines = [line for line in part.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1
        assert "nan" not in part
