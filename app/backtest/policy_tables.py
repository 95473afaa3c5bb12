"""Policies beside each other on the screen: at most 80 columns wide, a table for each sample."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table

from app.backtest.comparison import OVER_LEM, Row, is_total
from app.bundles.seen_days import SAMPLE_TITLES, Sample

FIGURES = ("slippage_bps_mean", "slippage_bps_p5", "slippage_bps_p95", *OVER_LEM)
HEADS = ("against", "min", "policy", "mean", "P5", "P95", "over lem", "from", "to")
WORDS = ("against", "policy")
NOTE = "over lem: what a policy costs more than lem on the same orders; from, to: 95 %"
TOO_FEW_DAYS = "these are too few for the intervals, which are too narrow"


def policy_tables(rows: Sequence[Row]) -> Iterator[RenderableType]:
    """The table of each sample, its total last. All figures are slippage in bps: positive is a cost."""
    alone = len({row["policy"] for row in rows}) == 1
    for sample in dict.fromkeys(row["sample"] for row in rows):
        yield from (_of_one if alone else _of_several)(sample, [row for row in rows if row["sample"] == sample])


def sample_title(sample: str) -> str:
    """What the orders of a sample are; empty where no bundle decides."""
    return SAMPLE_TITLES[Sample(sample)] if sample else ""


def digits_of(values: Sequence[float]) -> int:
    """How many digits after the point keep the largest of the values within six places."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return next((digits for digits, end in ((2, 1e2), (1, 1e3)) if largest < end), 0)


def written(value: float | None, digits: int, *, signed: bool = False) -> str:
    """Empty for what is not known."""
    if value is None or math.isnan(value):
        return ""
    return f"{value:+z.{digits}f}" if signed else f"{value:z.{digits}f}"


def _of_one(sample: str, rows: Sequence[Row]) -> Iterator[Table]:
    """One policy by benchmark and min_steps; `used` is the mean number of steps."""
    whose = f"; {sample_title(sample)}" if sample else ""
    table = Table(title=f"{rows[0]['policy']}: slippage in bps, positive is a cost{whose}", title_justify="left")
    for head in ("benchmark", "min", "orders", "mean", "std", "median", "P5", "P95", "used"):
        table.add_column(head, justify="left" if head == "benchmark" else "right", no_wrap=True)
    for row in rows:
        if not is_total(row):
            figures = [row[f"slippage_bps_{name}"] for name in ("mean", "std", "median", "p5", "p95")]
            shown = (written(value, 2) for value in (*figures, row["steps_used_mean"]))
            table.add_row(row["benchmark"], str(row["min_steps"]), f"{row['orders']:,}", *shown)
    yield table


def _of_several(sample: str, rows: Sequence[Row]) -> Iterator[RenderableType]:
    orders = max(row["orders"] for row in rows)
    whose = f", {sample_title(sample)}" if sample else ""
    yield f"Slippage in bps, positive is a cost: {orders:,} orders by each policy{whose}"
    yield _by_cell(rows)
    yield from _notes(rows)


def _by_cell(rows: Sequence[Row]) -> Table:
    """The policies below each other, for each benchmark and min_steps."""
    table = Table(box=SIMPLE_HEAD, padding=0, show_edge=False)
    for head in HEADS:
        table.add_column(head, justify="left" if head in WORDS else "right", no_wrap=True)
    digits = digits_of([row.get(name, math.nan) for row in rows for name in FIGURES])
    cell = None
    for row in rows:
        begins = (row["benchmark"], row["min_steps"]) != cell
        if begins and cell is not None:
            table.add_section()
        cell = (row["benchmark"], row["min_steps"])
        words = [str(word) for word in cell] if begins else ["", ""]
        figures = (written(row.get(name), digits, signed=name in OVER_LEM) for name in FIGURES)
        table.add_row(*words, row["policy"], *figures)
    return table


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    yield NOTE
    if any(is_total(row) for row in rows):
        yield "all: every benchmark and min_steps together"
    if any(row["narrow"] for row in rows):
        yield f"orders start on {max(row['days'] for row in rows)} days: {TOO_FEW_DAYS}"
