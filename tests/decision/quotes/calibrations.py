"""Calibrations for tests, whose every quantile tells from which row it came."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.decision.quotes.calibration import CalibratedRow, CalibratedTable, Calibration
from app.domain.order import Benchmark
from app.domain.quote import LEVELS, Gains

ROWS = {(6, 1): 1.0, (6, 6): 0.0, (24, 1): 3.0, (24, 12): 2.0, (24, 24): 0.0}
"""Mean gains by horizon (max_steps, min_steps)."""


def some_gains(mean: float) -> Gains:
    """Straight from mean - 1 at 0 to mean + 1 at 1."""
    return Gains(mean=mean, std=0.5, quantiles=tuple(round(mean + 2.0 * level - 1.0, 3) for level in LEVELS))


def a_table(*, rows: dict[tuple[int, int], float] | None = None, **changes: Any) -> CalibratedTable:
    """Bars of 15 minutes, VWAP, risk aversion 1, no slice cap."""
    defaults: dict[str, Any] = {
        "market": "crypto_15m",
        "bar_seconds": 900,
        "benchmark": Benchmark.VWAP,
        "risk_aversion": 1.0,
        "slice_cap_multiple": None,
        "start": datetime(2024, 7, 1, tzinfo=UTC),
        "end": datetime(2025, 1, 1, tzinfo=UTC),
        "rows": tuple(
            CalibratedRow(max_steps=longest, min_steps=least, orders=1_000, gains=some_gains(mean))
            for (longest, least), mean in (rows or ROWS).items()
        ),
    }
    return CalibratedTable(**(defaults | changes))


def a_calibration(*tables: CalibratedTable) -> Calibration:
    """Of one table of each benchmark, unless others are given."""
    return Calibration(tables=tables or tuple(a_table(benchmark=each) for each in Benchmark))
