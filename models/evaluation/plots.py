"""The plots of the report, as SVG text that refers to nothing outside itself."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.backtest.job import LEM
from models.evaluation.statistics import Row

COLOURS = {
    LEM: "#c2255c",
    "twap": "#868e96",
    "volume_curve": "#1971c2",
    "linear_volume": "#0c8599",
    "optimal_stopping": "#e67700",
    "volume_aware_stopping": "#5c940d",
}
OTHER = "#495057"
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: smaller, and searchable
    "svg.hashsalt": "lem",  # the same figures give the same bytes
    "font.family": "sans-serif",
    "font.size": 8.5,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
MIDDLE_MIN_STEPS = 6
DPI = 100

Rows = Sequence[Row]


def frontier_plot(rows: Rows, benchmark: str) -> str:
    """One panel per min_steps: the LEM's line by risk aversion, the baselines as points."""
    chosen = [row for row in rows if row["benchmark"] == benchmark]

    def panel(axes: Axes, min_steps: int) -> None:
        here = [row for row in chosen if row["min_steps"] == min_steps]
        points = sorted((row for row in here if row["policy"] == LEM), key=lambda row: float(row["risk_aversion"]))
        axes.plot(*_xy(points, "w_bps", "gain_bps_mean"), "o-", markersize=3.5, **_line(LEM))
        for row in (points[0], points[-1]) if points else ():
            place = (row["w_bps"], row["gain_bps_mean"])
            axes.annotate(f"{row['risk_aversion']:g}", place, xytext=(4, 4), textcoords="offset points")
        for row in here:
            if row["policy"] != LEM:
                axes.plot([row["w_bps"]], [row["gain_bps_mean"]], "s", **_line(row["policy"]))
        _named(axes, f"min_steps {min_steps}", "P95 - P5 (bps)", "mean gain (bps)")

    return _drawn(sorted({row["min_steps"] for row in chosen}), panel)


def horizon_plot(rows: Rows) -> str:
    """Mean gain by min_steps; one panel per benchmark."""

    def panel(axes: Axes, benchmark: str) -> None:
        here = [row for row in rows if row["benchmark"] == benchmark]
        for policy in _policies(here):
            of_policy = [row for row in here if row["policy"] == policy]
            steps = [row["min_steps"] for row in of_policy]
            gains = [-row["slippage_bps_mean"] for row in of_policy]
            axes.plot(steps, gains, ".-", **_line(policy))
        _named(axes, benchmark, "min_steps", "mean gain (bps)")

    return _drawn(_benchmarks(rows), panel)


def costs_plot(rows: Rows) -> str:
    """Mean gain after costs by the order's size, at one min_steps; one panel per benchmark."""
    steps = _middle(rows)

    def panel(axes: Axes, benchmark: str) -> None:
        here = [row for row in rows if row["benchmark"] == benchmark and row["min_steps"] == steps]
        for policy in _policies(here):
            of_policy = [row for row in here if row["policy"] == policy]
            sizes = [100.0 * row["order_size"] for row in of_policy]
            gains = [row["gain_bps_mean"] for row in of_policy]
            axes.plot(sizes, gains, "o-", markersize=3.5, **_line(policy))
        axes.set_xscale("log")
        _named(axes, f"{benchmark}, min_steps {steps}", "order, % of the horizon's volume", "mean gain (bps)")

    return _drawn(_benchmarks(rows), panel)


def months_plot(rows: Rows) -> str:
    """Mean gain by month, at one min_steps; one panel per benchmark."""
    steps = _middle(rows)

    def panel(axes: Axes, benchmark: str) -> None:
        here = [row for row in rows if row["benchmark"] == benchmark and row["min_steps"] == steps]
        for policy in _policies(here):
            of_policy = [row for row in here if row["policy"] == policy]
            gains = [row["gain_bps_mean"] for row in of_policy]
            axes.plot(range(len(gains)), gains, ".-", **_line(policy))
        names = sorted({row["month"] for row in here})
        every = -(-len(names) // 6)  # at most six labels, or they run into each other
        axes.set_xticks(range(0, len(names), every), names[::every], rotation=30)
        _named(axes, f"{benchmark}, min_steps {steps}", "", "mean gain (bps)")

    return _drawn(_benchmarks(rows), panel)


def stop_plot(rows: Rows) -> str:
    """What stopping gained over going on, by the probability that it was given."""

    def panel(axes: Axes, benchmark: str) -> None:
        for steps in sorted({row["min_steps"] for row in rows}):
            here = [row for row in rows if row["benchmark"] == benchmark and row["min_steps"] == steps]
            errors = [2.0 * row["advantage_sigma_error"] for row in here]
            places = _xy(here, "probability_mean", "advantage_sigma_mean")
            axes.errorbar(*places, yerr=errors, fmt=".-", label=f"min_steps {steps}", capsize=2)
        axes.axhline(0.0, color=OTHER, linewidth=0.8)
        axes.axvline(0.5, color=OTHER, linewidth=0.8, linestyle=":")
        _named(axes, benchmark, "probability of stopping", "stopping less going on (sigma)")

    return _drawn(_benchmarks(rows), panel)


def volume_plot(errors: Rows, deciles: Rows) -> str:
    """Bias and error of the volume forecast by step ahead, and what came by tenths of what was forecast."""

    def panel(axes: Axes, kind: str) -> None:
        rows = deciles if kind == "deciles" else errors
        x, y = ("forecast_mean", "came_mean") if kind == "deciles" else ("step_ahead", kind)
        for policy in _policies(rows):
            here = [row for row in rows if row["policy"] == policy]
            axes.plot(*_xy(here, x, y), ".-", **_line(policy))
        if kind == "deciles":
            top = max((row["forecast_mean"] for row in rows), default=1.0)
            axes.plot([0.0, top], [0.0, top], ":", color=OTHER, linewidth=0.8)
            _named(axes, "tenths of the forecast", "forecast (trailing means)", "what came")
        else:
            _named(axes, {"bias": "bias", "mae": "mean absolute error"}[kind], "steps ahead", "share of the mean")

    return _drawn(["bias", "mae", "deciles"], panel)


def _drawn(panels: Sequence[Any], draw: Callable[[Axes, Any], None]) -> str:
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(max(1, len(panels)) * 3.1 + 1.4, 2.9), layout="constrained")
        for place, name in enumerate(panels):
            draw(figure.add_subplot(1, len(panels), place + 1), name)
        if figure.axes:
            handles, names = figure.axes[0].get_legend_handles_labels()
            shown = dict(zip(names, handles, strict=True))
            figure.legend(list(shown.values()), list(shown), loc="outside right center", frameon=False)
        return _svg(figure)


def _svg(figure: Figure) -> str:
    """Without the prologue, and without metadata, which holds addresses of vocabularies."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None}, dpi=DPI)
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    return re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)


def _named(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _xy(rows: Rows, x: str, y: str) -> tuple[list[float], list[float]]:
    return [row[x] for row in rows], [row[y] for row in rows]


def _policies(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["policy"] for row in rows))


def _benchmarks(rows: Rows) -> list[str]:
    return sorted({row["benchmark"] for row in rows})


def _middle(rows: Rows) -> int:
    """The min_steps that is shown where only one is: 6, or what is nearest to it."""
    return min({row["min_steps"] for row in rows}, key=lambda steps: abs(steps - MIDDLE_MIN_STEPS), default=1)


def _line(policy: str) -> dict[str, Any]:
    """The LEM lies on top."""
    return {"color": COLOURS.get(policy, OTHER), "label": policy, "zorder": 3 if policy == LEM else 2}
