"""Line charts as SVG, one above the other, without a library: what a soak has seen over its days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

WIDTH, HEIGHT, TOP, LEFT, RIGHT = 720, 200, 34, 64, 150
GAP = 16
COLOURS = ("#1971c2", "#c2255c", "#2f9e44", "#e8590c")
TEXT, GRID = "#495057", "#dee2e6"
LINES_ACROSS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`lines` are values by name, each as long as the `at` of the drawing."""

    title: str
    lines: Mapping[str, Sequence[float]]


def drawing(at: Sequence[float], across: str, charts: Sequence[Chart]) -> str:
    """The charts over the same axis `at`, whose meaning is told by `across`. Every axis of values starts at 0."""
    height = len(charts) * (HEIGHT + GAP) + 2 * GAP
    parts = [part for row, chart in enumerate(charts) for part in _chart(at, chart, row * (HEIGHT + GAP))]
    width = WIDTH + LEFT + RIGHT
    parts.append(_text(LEFT + WIDTH / 2, height - GAP / 2, across, anchor="middle"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _chart(at: Sequence[float], chart: Chart, top: float) -> list[str]:
    most = round_up(max((value for line in chart.lines.values() for value in line), default=0.0))
    bottom, tall = top + HEIGHT, HEIGHT - TOP
    parts = [_text(LEFT, top + TOP / 2, chart.title, weight="bold")]
    for number in range(LINES_ACROSS + 1):
        share = number / LINES_ACROSS
        y = bottom - share * tall
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + WIDTH}" y2="{y:.1f}" stroke="{GRID}"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{share * most:,.4g}", anchor="end"))
        parts.append(_text(LEFT + share * WIDTH, bottom + 12, f"{share * max(at):.3g}", anchor="middle"))
    for values, colour in zip(chart.lines.values(), COLOURS, strict=False):
        points = " ".join(
            f"{LEFT + WIDTH * x / (max(at) or 1.0):.1f},{bottom - tall * value / most:.1f}"
            for x, value in zip(at, values, strict=True)
        )
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    for row, (name, colour) in enumerate(zip(chart.lines, COLOURS, strict=False)):
        parts.append(_text(LEFT + WIDTH + 10, top + TOP + 16 * row, name, fill=colour))
    return parts


def round_up(value: float) -> float:
    """The end of an axis: the next 1, 2, 4 or 8 times a power of ten; 1 where there is nothing to show."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 4, 8, 10) if value <= step * power)


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal", fill: str = TEXT) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="{fill}">'
        f"{escape(text)}</text>"
    )
