"""How a plot is drawn: panels side by side, colours, labels, and the SVG text."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.backtest.job import LEM
from models.evaluation.tables.row_figures import Row

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
DPI = 100

Rows = Sequence[Row]


def drawn(panels: Sequence[Any], draw: Callable[[Axes, Any], None]) -> str:
    """A row of panels, with one legend at the right. `draw` draws the panel of one of `panels`."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(max(1, len(panels)) * 3.1 + 1.4, 2.9), layout="constrained")
        for index, name in enumerate(panels):
            draw(figure.add_subplot(1, len(panels), index + 1), name)
        if figure.axes:
            handles, names = figure.axes[0].get_legend_handles_labels()
            shown = dict(zip(names, handles, strict=True))
            figure.legend(list(shown.values()), list(shown), loc="outside right center", frameon=False)
        return _svg(figure)


def _svg(figure: Figure) -> str:
    """Without the prologue and without metadata, which holds addresses of vocabularies."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None}, dpi=DPI)
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    return re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)


def labelled(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, fontsize=9)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def xy(rows: Rows, x: str, y: str) -> tuple[list[float], list[float]]:
    return [row[x] for row in rows], [row[y] for row in rows]


def line_of(policy: str) -> dict[str, Any]:
    """Colour and label of a policy. The LEM lies on top."""
    return {"color": COLOURS.get(policy, OTHER), "label": policy, "zorder": 3 if policy == LEM else 2}
