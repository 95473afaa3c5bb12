"""The plots of the report, as SVG text that refers to nothing outside itself."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from app.backtest.job import LEM
from models.evaluation.plot_panels import OTHER, drawn, labelled, line_of, xy
from models.evaluation.tables.middle import middle_min_steps
from models.evaluation.tables.row_figures import Row

Rows = Sequence[Row]


def frontier_plot(rows: Rows, benchmark: str) -> str:
    """One panel per min_steps: the LEM's line by risk aversion, the baselines as points."""
    chosen = [row for row in rows if row["benchmark"] == benchmark]

    def panel(axes: Axes, min_steps: int) -> None:
        here = [row for row in chosen if row["min_steps"] == min_steps]
        points = sorted((row for row in here if row["policy"] == LEM), key=lambda row: float(row["risk_aversion"]))
        axes.plot(*xy(points, "w_bps", "gain_bps_mean"), "o-", markersize=3.5, **line_of(LEM))
        for row in (points[0], points[-1]) if points else ():
            point = (row["w_bps"], row["gain_bps_mean"])
            axes.annotate(f"{row['risk_aversion']:g}", point, xytext=(4, 4), textcoords="offset points")
        for row in here:
            if row["policy"] != LEM:
                axes.plot([row["w_bps"]], [row["gain_bps_mean"]], "s", **line_of(row["policy"]))
        labelled(axes, f"min_steps {min_steps}", "P95 - P5 (bps)", "mean gain (bps)")

    return drawn(sorted({row["min_steps"] for row in chosen}), panel)


def horizon_plot(rows: Rows) -> str:
    """Mean gain by min_steps; one panel per benchmark."""

    def panel(axes: Axes, benchmark: str) -> None:
        here = [row for row in rows if row["benchmark"] == benchmark]
        for policy in _policies(here):
            of_policy = [row for row in here if row["policy"] == policy]
            steps = [row["min_steps"] for row in of_policy]
            gains = [-row["slippage_bps_mean"] for row in of_policy]
            axes.plot(steps, gains, ".-", **line_of(policy))
        labelled(axes, benchmark, "min_steps", "mean gain (bps)")

    return drawn(_benchmarks(rows), panel)


def costs_plot(rows: Rows) -> str:
    """Mean gain after costs by the order's size, at one min_steps; one panel per benchmark."""
    steps = middle_min_steps(rows)

    def panel(axes: Axes, benchmark: str) -> None:
        here = [row for row in rows if row["benchmark"] == benchmark and row["min_steps"] == steps]
        for policy in _policies(here):
            of_policy = [row for row in here if row["policy"] == policy]
            sizes = [100.0 * row["order_size"] for row in of_policy]
            gains = [row["gain_bps_mean"] for row in of_policy]
            axes.plot(sizes, gains, "o-", markersize=3.5, **line_of(policy))
        axes.set_xscale("log")
        labelled(axes, f"{benchmark}, min_steps {steps}", "order, % of the horizon's volume", "mean gain (bps)")

    return drawn(_benchmarks(rows), panel)


def months_plot(rows: Rows) -> str:
    """Mean gain by month, at one min_steps; one panel per benchmark."""
    steps = middle_min_steps(rows)

    def panel(axes: Axes, benchmark: str) -> None:
        here = [row for row in rows if row["benchmark"] == benchmark and row["min_steps"] == steps]
        for policy in _policies(here):
            of_policy = [row for row in here if row["policy"] == policy]
            gains = [row["gain_bps_mean"] for row in of_policy]
            axes.plot(range(len(gains)), gains, ".-", **line_of(policy))
        names = sorted({row["month"] for row in here})
        every = -(-len(names) // 6)  # at most six labels, or they run into each other
        axes.set_xticks(range(0, len(names), every), names[::every], rotation=30)
        labelled(axes, f"{benchmark}, min_steps {steps}", "", "mean gain (bps)")

    return drawn(_benchmarks(rows), panel)


def stop_plot(rows: Rows) -> str:
    """How much more stopping gained than going on, by the probability of stopping."""

    def panel(axes: Axes, benchmark: str) -> None:
        for steps in sorted({row["min_steps"] for row in rows}):
            here = [row for row in rows if row["benchmark"] == benchmark and row["min_steps"] == steps]
            errors = [2.0 * row["advantage_sigma_error"] for row in here]
            points = xy(here, "probability_mean", "advantage_sigma_mean")
            axes.errorbar(*points, yerr=errors, fmt=".-", label=f"min_steps {steps}", capsize=2)
        axes.axhline(0.0, color=OTHER, linewidth=0.8)
        axes.axvline(0.5, color=OTHER, linewidth=0.8, linestyle=":")
        labelled(axes, benchmark, "probability of stopping", "stopping less going on (sigma)")

    return drawn(_benchmarks(rows), panel)


def volume_plot(errors: Rows, deciles: Rows) -> str:
    """Bias and error of the volume forecast by step ahead, and the volume that came by tenths of the forecast."""

    def panel(axes: Axes, kind: str) -> None:
        rows = deciles if kind == "deciles" else errors
        x, y = ("forecast_mean", "came_mean") if kind == "deciles" else ("step_ahead", kind)
        for policy in _policies(rows):
            here = [row for row in rows if row["policy"] == policy]
            axes.plot(*xy(here, x, y), ".-", **line_of(policy))
        if kind == "deciles":
            top = max((row["forecast_mean"] for row in rows), default=1.0)
            axes.plot([0.0, top], [0.0, top], ":", color=OTHER, linewidth=0.8)
            labelled(axes, "tenths of the forecast", "forecast (trailing means)", "what came")
        else:
            labelled(axes, {"bias": "bias", "mae": "mean absolute error"}[kind], "steps ahead", "share of the mean")

    return drawn(["bias", "mae", "deciles"], panel)


def _policies(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["policy"] for row in rows))


def _benchmarks(rows: Rows) -> list[str]:
    return sorted({row["benchmark"] for row in rows})
