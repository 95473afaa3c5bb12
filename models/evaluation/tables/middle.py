"""The min_steps that is shown where there is room for only one."""

from __future__ import annotations

from collections.abc import Sequence

from models.evaluation.tables.row_figures import Row


def middle_min_steps(rows: Sequence[Row]) -> int:
    """Half of max_steps, or the nearest to it among the rows, which are of one length of orders."""
    middle = rows[0]["max_steps"] / 2.0 if rows else 1.0
    return min(sorted({row["min_steps"] for row in rows}), key=lambda steps: abs(steps - middle), default=1)
