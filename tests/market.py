"""Markets as arrays, with valid defaults: rows for a policy, series and files for the backtest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.bars.reader import read_series
from app.bars.series import Series
from app.bars.walks import Walk, simulate_bars, write_bars
from app.decision.market import COLUMNS, Floats, bar_row
from app.decision.policy import Rows
from app.domain.bar import Bar
from app.domain.order import SCENARIOS, Benchmark, Scenario, Side, SizeMode

BUY_TWAP = Scenario(Side.BUY, Benchmark.TWAP, SizeMode.QUANTITY)
BUY_VWAP = Scenario(Side.BUY, Benchmark.VWAP, SizeMode.QUANTITY)
SELL_TWAP = Scenario(Side.SELL, Benchmark.TWAP, SizeMode.QUANTITY)

REAL_BARS = Path(__file__).parents[2] / "shared" / "data"
"""Real bars beside the checkout; tests that need them skip where they are absent."""


def some_rows(count: int = 1, *, scenario: Scenario = BUY_TWAP, **changes: Any) -> Rows:
    """Untouched orders of 1..12 steps at 100 before their first step, all on market row 0; no limits."""
    whole: dict[str, Any] = {"market": 0, "scenario": scenario.index, "step": 1, "min_steps": 1, "max_steps": 12}
    whole |= {"windows_unseen": 0}
    real: dict[str, Any] = {
        "filled_fraction": 0.0,
        "last_price": 100.0,
        "benchmark_price": 100.0,
        "avg_price": 100.0,
        "benchmark_volume": 0.0,
        "order_volume": 1.0,
        "max_slice_fraction": 1.0,
        "max_participation_rate": 1.0,
        "risk_aversion": 0.0,
    }
    values = whole | real | changes
    columns: dict[str, Any] = {
        name: np.broadcast_to(value, count).astype(np.int64 if name in whole else np.float64)
        for name, value in values.items()
    }
    return Rows(**columns)


def series_of(bars: Sequence[Bar]) -> Series:
    """The same bars as arrays."""
    floats = {
        name: np.array([float(getattr(bar, name)) for bar in bars])
        for name in ("open", "high", "low", "close", "volume")
    }
    return Series(
        instrument="BTC",
        bar_seconds=int((bars[0].close_time - bars[0].open_time).total_seconds()),
        open_time=np.array([int(bar.open_time.timestamp()) for bar in bars]),
        notional=np.array([np.nan if bar.notional is None else float(bar.notional) for bar in bars]),
        trades=np.array([float(bar.trades or 0) for bar in bars]),
        synthetic=np.array([bar.synthetic for bar in bars]),
        **floats,
    )


def raw_window(bars: Sequence[Bar], lookback: int) -> Floats:
    """[L, C] of the newest `lookback` bars, oldest first: the plain twin of `StepHistory.window` and `raw_windows`."""
    window = np.zeros((lookback, len(COLUMNS)), dtype=np.float32)
    newest = bars[-lookback:]
    if newest:
        window[lookback - len(newest) :] = [bar_row(bar) for bar in newest]
    return window


def a_walk_file(folder: Path, *, name: str = "WALK-900s.parquet", bars: int = 400, seed: int = 0, **walk: Any) -> Path:
    """A simulated bar file: 15 minute bars, 20 bps of volatility, unless told otherwise."""
    path = folder / name
    market = Walk(**walk)
    write_bars(path, simulate_bars(np.random.default_rng(seed), market, 1, bars), 0, market.bar_seconds)
    return path


def a_walk(folder: Path, **changes: Any) -> Series:
    """A simulated series, by way of its file."""
    return read_series(a_walk_file(folder, **changes))


def a_bar_file(folder: Path, **changes: Any) -> Path:
    """Four flat bars of 15 minutes at 100; `changes` replaces whole columns, None takes one away."""
    columns: dict[str, Any] = {
        "timestamp": pa.array([0, 900, 1800, 2700], pa.timestamp("s", tz="UTC")),
        **dict.fromkeys(("open", "high", "low", "close"), [100.0] * 4),
        "volume": [10.0] * 4,
        "notional": [1000.0] * 4,
    }
    path = folder / "FLAT-15m.parquet"
    pq.write_table(pa.table({name: values for name, values in (columns | changes).items() if values is not None}), path)
    return path


def scenarios_of(benchmark: Benchmark, size_mode: SizeMode | None = None) -> tuple[Scenario, ...]:
    return tuple(
        scenario
        for scenario in SCENARIOS
        if scenario.benchmark is benchmark and size_mode in (None, scenario.size_mode)
    )
