"""What a plot is drawn of: axes, marks and words as SVG, in colours for light and dark pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

PANEL_WIDTH, PANEL_HEIGHT = 270, 200
LEFT, TOP, BOTTOM, GAP, LEGEND = 52, 26, 40, 22, 172
LINE = 15
"""Pixels from one line of words to the next."""
TICKS = 5

STYLE = """
.plot{--lem:#c2255c;--twap:#6c757d;--volume_curve:#1971c2;--linear_volume:#0c8599;--optimal_stopping:#d9480f;
--volume_aware_stopping:#5c940d;--ink:#495057;--grid:#dee2e6;font:12px system-ui,sans-serif}
.plot text{fill:var(--ink)}.plot .title{font-weight:600}.plot .grid{stroke:var(--grid)}.plot .zero{stroke:var(--ink)}
@media(prefers-color-scheme:dark){.plot{--lem:#f783ac;--twap:#adb5bd;--volume_curve:#74c0fc;--linear_volume:#66d9e8;
--optimal_stopping:#ffa94d;--volume_aware_stopping:#a9e34b;--ink:#ced4da;--grid:#373a40}}
"""
"""Each policy has the colour of its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Values from `low` to `high` on pixels from `first` to `last`."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        return self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)

    @property
    def ticks(self) -> list[float]:
        """Round values within the axis, zero among them where the axis has it."""
        step = _round_step((self.high - self.low) / TICKS)
        return [step * number for number in range(ceil(self.low / step), floor(self.high / step) + 1)]


def axis_over(values: Iterable[float], first: float, last: float) -> Axis:
    """An axis that has all finite values with some room around them, and zero."""
    known = [0.0, *(value for value in values if value - value == 0.0)]
    low, high = min(known), max(known)
    room = 0.06 * (high - low) or 1.0
    return Axis(low=low - room if low < 0.0 else 0.0, high=high + room, first=first, last=last)


def drawing(parts: Iterable[str], panels: int, label: str) -> str:
    """An `svg` element for a page that has `STYLE`; `label` says what it shows to those who do not see it."""
    width = LEFT + panels * (PANEL_WIDTH + GAP + LEFT) - LEFT + LEGEND
    height = TOP + PANEL_HEIGHT + BOTTOM
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" aria-label="{escape(label)}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n{inner}\n</svg>\n'
    )


def standing_alone(svg: str) -> str:
    """The drawing as a file of its own, with its colours in it."""
    head, rest = svg.split(">", 1)
    return f"{head}>\n<style>{STYLE}</style>{rest}"


def panel_left(panel: int) -> float:
    return LEFT + panel * (PANEL_WIDTH + GAP + LEFT)


def frame(left: float, y: Axis, title: str, x_label: str, y_label: str) -> list[str]:
    """The title, the horizontal lines with their values, and what the axes show."""
    right = left + PANEL_WIDTH
    parts = [text(left, TOP - 12, title, kind="title")]
    for value in y.ticks:
        kind = "zero" if value == 0.0 else "grid"
        parts.append(f'<line class="{kind}" x1="{left}" y1="{y.at(value):.1f}" x2="{right}" y2="{y.at(value):.1f}"/>')
        parts.append(text(left - 6, y.at(value) + 4, f"{value:g}", anchor="end"))
    parts.append(text(left + PANEL_WIDTH / 2, TOP + PANEL_HEIGHT + BOTTOM - 6, x_label, anchor="middle"))
    middle = TOP + PANEL_HEIGHT / 2
    turned = f'transform="rotate(-90 {left - 40:.1f} {middle:.1f})"'
    return [*parts, text(left - 40, middle, y_label, anchor="middle", more=turned)]


def legend(policies: Sequence[str], panels: int) -> list[str]:
    left = panel_left(panels) - LEFT
    parts = []
    for row, policy in enumerate(policies):
        y = TOP + 6 + row * LINE
        parts += [dot(left + 6, y, policy), text(left + 16, y + 4, policy)]
    return parts


def text(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "", more: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named} {more}>{escape(words)}</text>'


def line(points: Sequence[tuple[float, float]], policy: str, *, width: float = 1.5) -> str:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{joined}" fill="none" style="stroke:var(--{policy})" stroke-width="{width}"/>'


def dot(x: float, y: float, policy: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" style="fill:var(--{policy})"/>'


def box(x: float, top: float, width: float, bottom: float, policy: str) -> str:
    return (
        f'<rect x="{x - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" height="{max(1.0, bottom - top):.1f}" '
        f'style="fill:var(--{policy});stroke:var(--{policy})" fill-opacity="0.25"/>'
    )


def _round_step(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power: float = 10.0 ** floor(log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if value <= factor * power * (1 + 1e-9))
