"""The min_steps that is shown where there is room for only one."""

from __future__ import annotations

from collections.abc import Iterable

from models.evaluation.tables.row_figures import Row

MIDDLE_MIN_STEPS = 6


def middle_min_steps(rows: Iterable[Row]) -> int:
    """6, or the nearest to it among the rows."""
    return min({row["min_steps"] for row in rows}, key=lambda steps: abs(steps - MIDDLE_MIN_STEPS), default=1)
