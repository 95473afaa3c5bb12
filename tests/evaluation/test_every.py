"""Orders that start at few times of the day would measure these and no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.domain.durations import DAY_SECONDS
from models.evaluation.backtest_run import Part
from tests.evaluation.stand_in import a_market, a_plan, an_evaluation
from tests.market import a_walk_file

pytestmark = pytest.mark.measures


def times_of_day(folder: Path, path: Path, **changes: int | None) -> int:
    """At how many different times of the day the orders of one market start."""
    market = a_market(folder, start=None, every=None).model_copy(update={"paths": (path,), **changes})
    results = an_evaluation(
        a_plan({"one": market}, min_steps=(1,), costs={"order_sizes": ()}), folder / "out"
    ).measure()["one"][0]
    start_time = results.orders(results.runs(Part.MAIN, "twap")[0]).start_time
    return len(np.unique(start_time % DAY_SECONDS))


def a_session_file(folder: Path, *, bars_a_day: int) -> Path:
    """Weekdays only, `bars_a_day` bars of five minutes from 14:30 UTC on."""
    bars = pq.read_table(a_walk_file(folder, bars=60 * 288, bar_seconds=300))
    seconds = bars.column("timestamp").cast("int64").to_numpy() // 1000
    bar_of_day = (seconds % DAY_SECONDS - 52_200) // 300
    weekday = (seconds // DAY_SECONDS + 3) % 7
    path = folder / "SESSION-300s.parquet"
    pq.write_table(bars.filter((bar_of_day >= 0) & (bar_of_day < bars_a_day) & (weekday < 5)), path)
    return path


@pytest.mark.parametrize(("bar_seconds", "times"), [(3600, 24), (14_400, 6)])
def test_orders_start_at_all_times_of_the_day(tmp_path: Path, bar_seconds: int, times: int) -> None:
    path = a_walk_file(tmp_path, name=f"WALK-{bar_seconds}s.parquet", bars=1500, bar_seconds=bar_seconds)

    assert times_of_day(tmp_path, path) == times


def test_steps_longer_than_a_bar_count(tmp_path: Path) -> None:
    path = a_walk_file(tmp_path, bars=4000)

    assert times_of_day(tmp_path, path, step_seconds=7200) == 12


def test_a_session_is_met_at_all_its_times(tmp_path: Path) -> None:
    assert times_of_day(tmp_path, a_session_file(tmp_path, bars_a_day=78)) == 78


def test_what_a_plan_says_stays(tmp_path: Path) -> None:
    path = a_walk_file(tmp_path, bars=1500, bar_seconds=3600)

    assert times_of_day(tmp_path, path, every=12) == 2
