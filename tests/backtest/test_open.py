"""Orders that start at the open of a session, and end with it at the latest."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from app.backtest.lem_backtest import backtest
from app.backtest.run_series import Outcome, run_series
from app.backtest.setup import Setup, Starts
from app.backtest.starts import order_starts
from app.bars.reader import read_series
from app.bars.series import Series
from app.decision.policies.registry import BASELINES, baseline
from app.domain.errors import InvalidInput
from app.domain.order import Benchmark, SizeMode
from tests.bars.exchanges import NEW_YORK, Lost, lost, no_bar, opens
from tests.market import a_bar_file, a_walk, scenarios_of

HALF_DAY = lost("2024-09-18T13:00", "2024-09-18T16:00")
WINDOWS = 13
"""A session of bars of half an hour, from 9:30 to 16:00."""

cli = typer.Typer()
cli.command()(backtest)


def a_session_file(folder: Path, missing: Lost = no_bar) -> Path:
    """The weekdays of eighty days in New York in bars of half an hour, from Monday, 2024-09-09 on."""
    stamps = opens(NEW_YORK, ("09:30", "16:00"), minutes=30, first=date(2024, 9, 9), days=80, lost=missing)
    close = 100.0 * np.exp(np.cumsum(np.random.default_rng(5).normal(0.0, 0.002, len(stamps))))
    volume = 10.0 + 40.0 * np.random.default_rng(6).random(len(stamps))
    columns = dict.fromkeys(("open", "high", "low", "close"), close) | {"volume": volume}
    return a_bar_file(
        folder, timestamp=pa.array(stamps, pa.timestamp("s", tz="UTC")), notional=volume * close, **columns
    )


def a_setup(**changes: Any) -> Setup:
    """Orders over whole sessions, each of one side and size mode against VWAP."""
    usual: dict[str, Any] = {
        "min_steps": (6, WINDOWS),
        "max_steps": WINDOWS,
        "every": 1,
        "risk_aversion": 0.0,
        "scenarios": scenarios_of(Benchmark.VWAP, SizeMode.QUANTITY)[:1],
        "starts": Starts.OPEN,
    }
    return Setup(**(usual | changes))


def run(series: Series, policy: str = "optimal_stopping", **changes: Any) -> Outcome:
    return run_series(series, baseline(policy), a_setup(**changes), trace=True)


def local_times(series: Series, bars: np.ndarray[Any, Any]) -> list[datetime]:
    return [datetime.fromtimestamp(each, UTC).astimezone(ZoneInfo(NEW_YORK)) for each in series.open_time[bars]]


def test_orders_start_at_the_open_on_both_sides_of_a_change_of_the_clock(tmp_path: Path) -> None:
    series = read_series(a_session_file(tmp_path))

    starts = order_starts(series, baseline("twap"), a_setup())

    assert {moment.time() for moment in local_times(series, starts.bar)} == {time(9, 30)}
    assert len({series.open_time[bar] % 86_400 for bar in starts.bar}) == 2
    assert set(starts.windows.tolist()) == {WINDOWS}


@pytest.mark.parametrize("policy", BASELINES)
def test_an_order_on_half_a_day_has_the_steps_of_its_session(tmp_path: Path, policy: str) -> None:
    outcome = run(read_series(a_session_file(tmp_path, HALF_DAY)), policy)

    short = outcome.max_steps < WINDOWS
    assert outcome.max_steps[short].tolist() == [7, 7]
    assert outcome.min_steps[short].tolist() == [6, 7]
    assert (outcome.steps_used[short] <= 7).all()
    assert (outcome.steps_used[~short] >= outcome.min_steps[~short]).all()


def test_what_comes_after_half_a_day_changes_nothing_in_its_order(tmp_path: Path) -> None:
    series = read_series(a_session_file(tmp_path, HALF_DAY))
    outcome = run(series)
    (end, _) = outcome.start[outcome.max_steps == 7] + 7

    alone = run(series.part(0, int(end) + WINDOWS))

    same = outcome.start < end
    np.testing.assert_array_equal(alone.slippage_bps[: same.sum()], outcome.slippage_bps[same])


def test_a_session_without_its_first_bar_gives_no_order(tmp_path: Path) -> None:
    late = lost("2024-09-17T09:30", "2024-09-17T10:00")
    series = read_series(a_session_file(tmp_path, late))

    starts = order_starts(series, baseline("twap"), a_setup())

    assert "2024-09-17" not in {f"{moment:%Y-%m-%d}" for moment in local_times(series, starts.bar)}


def test_the_end_of_the_last_session_must_be_seen(tmp_path: Path) -> None:
    series = read_series(a_session_file(tmp_path))

    cut = order_starts(series.part(0, len(series) - 3), baseline("twap"), a_setup())

    assert len(cut.bar) == len(order_starts(series, baseline("twap"), a_setup()).bar) - 1


def test_a_session_that_is_too_short_for_the_slice_cap_is_left_out_and_counted(tmp_path: Path) -> None:
    series = read_series(a_session_file(tmp_path, HALF_DAY))

    starts = order_starts(series, baseline("twap"), a_setup(max_slice_fraction=Decimal("0.1")))

    assert starts.skipped == 1
    assert set(starts.windows.tolist()) == {WINDOWS}


def test_every_other_session_may_be_asked_for(tmp_path: Path) -> None:
    series = read_series(a_session_file(tmp_path))

    all_of_them, half = (order_starts(series, baseline("twap"), a_setup(every=every)).bar for every in (1, 2))

    assert half.tolist() == all_of_them[1::2].tolist()


def test_bars_round_the_clock_have_no_open(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="only in bars of an exchange's sessions"):
        run(a_walk(tmp_path, bars=1200))


def test_the_command_tells_how_many_orders_are_shorter(tmp_path: Path) -> None:
    words = ["--bars", a_session_file(tmp_path, HALF_DAY), "--out", tmp_path / "out", "--policy", "twap"]

    result = CliRunner().invoke(
        cli, [str(word) for word in (*words, "--starts", "open", "--max-steps", WINDOWS, "--min-steps", WINDOWS)]
    )

    orders = pq.read_table(tmp_path / "out" / "orders.parquet")
    assert result.exit_code == 0, result.output
    assert "8 orders have fewer steps than max_steps" in result.output
    assert sorted(set(orders.column("max_steps").to_pylist())) == [7, WINDOWS]
