"""The plots of a backtest, of the rows of one sample. Slippage is in bps, positive is a cost, in all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.backtest.comparison import OVER_LEM, Row, is_total
from app.backtest.job import LEM
from app.backtest.report.drawing import (
    PANEL_HEIGHT,
    PANEL_WIDTH,
    TOP,
    Axis,
    axis_over,
    box,
    dot,
    drawing,
    frame,
    legend,
    line,
    panel_left,
    text,
)

Rows = Sequence[Row]

CAPTIONS = {
    "slippage": "Mean slippage in bps by min_steps, positive is a cost",
    "spread": "Slippage in bps of all orders: P5 to P95 as a line, Q25 to Q75 as a box, the median as a dot",
    "over_lem": "What a policy costs more than lem on the same orders, in bps, with 95 % intervals",
}
DODGE = 9.0
"""Pixels between the marks of two policies that stand at the same min_steps."""
BOX_WIDTH, LABEL_BELOW = 26.0, 16.0


def plots(rows: Rows) -> dict[str, str]:
    """Each plot by its name, which is that of its file too."""
    drawn = {"slippage": means_plot(rows), "spread": spread_plot(rows)}
    return drawn | {"over_lem": over_plot(rows)} if len(_policies(rows)) > 1 else drawn


def means_plot(rows: Rows) -> str:
    """The mean of each policy by min_steps, a panel for each benchmark."""

    def mark(row: Row, x: float, y: Axis) -> list[str]:
        return [dot(x, y.at(row["slippage_bps_mean"]), row["policy"])]

    values = ("slippage_bps_mean",)
    return _by_min_steps(rows, values, mark, "mean slippage (bps)", CAPTIONS["slippage"], joined=True)


def over_plot(rows: Rows) -> str:
    """What each policy costs more than the model by min_steps, with 95 % intervals."""

    def mark(row: Row, x: float, y: Axis) -> list[str]:
        difference, low, high = (row[name] for name in OVER_LEM)
        whisker = [line([(x, y.at(low)), (x, y.at(high))], row["policy"])] if low - high <= 0.0 else []
        return [*whisker, dot(x, y.at(difference), row["policy"])]

    others = [row for row in rows if row["policy"] != LEM]
    return _by_min_steps(others, OVER_LEM, mark, "cost over lem (bps)", CAPTIONS["over_lem"])


def spread_plot(rows: Rows) -> str:
    """P5 to P95, the quartiles and the median of each policy over all orders of the sample."""
    whole = totals(rows)
    names = ("p5", "q25", "median", "q75", "p95")
    y = axis_over((row[f"slippage_bps_{name}"] for row in whole for name in names), TOP + PANEL_HEIGHT, TOP)
    left = panel_left(0)
    parts = frame(left, y, "all orders", "", "slippage (bps)")
    for index, row in enumerate(whole):
        x = left + (index + 0.5) * PANEL_WIDTH / len(whole)
        p5, q25, median, q75, p95 = (y.at(row[f"slippage_bps_{name}"]) for name in names)
        policy = row["policy"]
        parts += [line([(x, p5), (x, p95)], policy), box(x, q75, BOX_WIDTH, q25, policy), dot(x, median, policy)]
    return drawing([*parts, *legend(_policies(whole), 1)], 1, CAPTIONS["spread"])


def totals(rows: Rows) -> list[Row]:
    """The rows of all orders of the sample; its only cell where it has one."""
    return [row for row in rows if is_total(row)] or list(rows)


def _by_min_steps(
    rows: Rows,
    values: Sequence[str],
    mark: Callable[[Row, float, Axis], list[str]],
    y_label: str,
    label: str,
    *,
    joined: bool = False,
) -> str:
    """A panel for each benchmark, all with the same axis of values. `mark` draws a row at a place across."""
    cells = [row for row in rows if not is_total(row)]
    benchmarks, policies = list(dict.fromkeys(row["benchmark"] for row in cells)), _policies(cells)
    y = axis_over((row[name] for row in cells for name in values), TOP + PANEL_HEIGHT, TOP)
    parts = []
    for panel, benchmark in enumerate(benchmarks):
        here = [row for row in cells if row["benchmark"] == benchmark]
        left, steps = panel_left(panel), sorted({row["min_steps"] for row in here})
        places = {each: left + (number + 0.5) * PANEL_WIDTH / len(steps) for number, each in enumerate(steps)}
        parts += frame(left, y, f"against {benchmark}", "min_steps", y_label)
        parts += [text(x, TOP + PANEL_HEIGHT + LABEL_BELOW, str(each), anchor="middle") for each, x in places.items()]
        for number, policy in reversed(list(enumerate(policies))):  # the model lies on top
            of_policy = [row for row in here if row["policy"] == policy]
            aside = 0.0 if joined else DODGE * (number - (len(policies) - 1) / 2)
            if joined:
                parts.append(line([(places[row["min_steps"]], y.at(row[values[0]])) for row in of_policy], policy))
            parts += [part for row in of_policy for part in mark(row, places[row["min_steps"]] + aside, y)]
    return drawing([*parts, *legend(policies, len(benchmarks))], len(benchmarks), label)


def _policies(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["policy"] for row in rows))
