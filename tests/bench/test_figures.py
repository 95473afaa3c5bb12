"""How figures, profiles and charts are shown and written."""

from __future__ import annotations

import sys
from collections import Counter
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from app.bench.charts import LEFT, WIDTH, Chart, drawing, round_up
from app.bench.figures import Figure
from app.bench.profiled_service import Sampler
from app.bench.profiles import ours, read_folded, shares, write_folded
from app.bench.tables import figures_table, profile_tables


def a_figure(**changes: Any) -> Figure:
    """A bar with 100 orders, in 42 ms."""
    defaults: dict[str, Any] = {"case": "bar", "orders": 100, "name": "p50", "value": 0.042, "unit": "ms"}
    return Figure(**(defaults | changes))


def printed(*tables: Any) -> str:
    text = StringIO()
    console = Console(file=text, width=120)
    for table in tables:
        console.print(table)
    return text.getvalue()


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.042, "ms", "42.0 ms"),
        (3.93, "ms", "3,930 ms"),
        (0.000356, "us", "356 us"),
        (2.684, "ratio", "2.68"),
        (9_500.4, "bytes", "9,500 B"),
        (396e6, "MB", "396 MB"),
        (17.4, "count", "17"),
    ],
)
def test_a_figure_is_shown_in_its_unit_with_three_digits_that_count(value: float, unit: str, shown: str) -> None:
    figure = a_figure(value=value, unit=unit)

    assert figure.shown(figure.value) == shown


def test_a_target_is_met_by_a_value_that_is_at_most_as_large() -> None:
    assert a_figure(target=0.042).met is True
    assert a_figure(target=0.041).met is False
    assert a_figure().met is None


def test_targets_stand_beside_their_figures() -> None:
    table = figures_table("bar", [a_figure(target=0.02), a_figure(name="p99", value=0.05)])

    [met, plain] = [line.split() for line in printed(table).splitlines() if line.strip().startswith("100")]
    assert met == ["100", "p50", "42.0", "ms", "20.0", "ms", "missed"]
    assert plain == ["100", "p99", "50.0", "ms"]


def test_a_profile_tells_own_time_from_that_of_what_is_called(tmp_path: Path) -> None:
    stacks = Counter({"app.serve.run;json.loads": 6, "app.serve.run": 1, "app.serve.run;app.a.b;json.loads": 3})
    write_folded(tmp_path / "stacks", stacks)

    found = shares(read_folded(tmp_path / "stacks"))

    assert [(share.function, share.own, share.whole) for share in found] == [
        ("json.loads", 0.9, 0.9),
        ("app.serve.run", 0.1, 1.0),
        ("app.a.b", 0.0, 0.3),
    ]
    assert [share.function for share in ours(found)] == ["app.serve.run", "app.a.b"]
    assert "of 10 samples" in printed(*profile_tables(stacks))


def test_a_function_that_calls_itself_counts_once() -> None:
    [share] = shares(Counter({"app.a.b;app.a.b;app.a.b": 4}))

    assert (share.own, share.whole) == (1.0, 1.0)


def test_a_sample_names_the_functions_from_the_outermost_to_the_innermost(tmp_path: Path) -> None:
    sampler = Sampler(tmp_path / "stacks")

    def inner() -> None:
        sampler._sample(0, sys._getframe())

    inner()
    sampler._stop()

    [stack] = read_folded(tmp_path / "stacks")
    name = "test_a_sample_names_the_functions_from_the_outermost_to_the_innermost"
    outer, innermost = stack.split(";")[-2:]
    assert outer.endswith(name)
    assert innermost.endswith(f"{name}.<locals>.inner")


@pytest.mark.parametrize(
    ("value", "end"), [(0, 1), (1, 1), (27, 40), (148.7, 200), (0.3, 0.4), (81, 100), (1000, 1000)]
)
def test_an_axis_ends_at_a_round_number(value: float, end: float) -> None:
    assert round_up(value) == pytest.approx(end)


def test_a_drawing_is_svg_with_every_line_within_its_axes() -> None:
    charts = [
        Chart(title="memory & more", lines={"service": [1.0, 3.0, 2.0], "store": [0.0, 0.5, 0.5]}),
        Chart(title="nothing", lines={"service": [0.0, 0.0, 0.0]}),
    ]

    root = ET.fromstring(drawing([0.0, 1.0, 2.0], "days", charts))  # noqa: S314 -- our own text

    lines = [element for element in root if element.tag.endswith("polyline")]
    points = [tuple(map(float, point.split(","))) for line in lines for point in line.attrib["points"].split()]
    assert len(lines) == 3
    assert {x for x, _ in points} == {LEFT, LEFT + WIDTH / 2, LEFT + WIDTH}
    assert all(0 <= y <= float(root.attrib["height"]) for _, y in points)
    assert {"memory & more", "nothing", "days", "service", "store"} <= {element.text for element in root}
