"""The outcomes as a table for people: a row for each kind of harm and each point."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tests.crashes.harm import Kind, Layout
from tests.crashes.points import Point
from tests.crashes.run import Outcome

WIDTH = 32
COLUMNS = ("scenarios", "harmed", "lost", "doubled", "different")


def table(outcomes: Sequence[Outcome]) -> str:
    head = "".ljust(WIDTH) + "".join(name.rjust(11) for name in COLUMNS)
    blocks = (
        [_row(kind, [each for each in outcomes if each.kind == kind]) for kind in Kind],
        [_row(point, [each for each in outcomes if each.point == point]) for point in Point],
        [_row(layout, [each for each in outcomes if each.layout == layout]) for layout in Layout],
        [_row("all", outcomes)],
    )
    return "\n\n".join("\n".join(rows) for rows in ([head], *blocks))


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    counts = (
        len(outcomes),
        _sum(outcomes, lambda each: each.struck),
        _sum(outcomes, lambda each: each.lost),
        _sum(outcomes, lambda each: each.doubled),
        _sum(outcomes, lambda each: each.different),
    )
    return name.ljust(WIDTH) + "".join(str(count).rjust(11) for count in counts)


def _sum(outcomes: Iterable[Outcome], figure: Callable[[Outcome], int]) -> int:
    return sum(map(figure, outcomes))


def failure(outcome: Outcome) -> str:
    """What to do again, and what came of it."""
    head = f"seed {outcome.seed}: {outcome.kind} at {outcome.point!r}, {outcome.layout}"
    return "\n".join([head, *(f"  {each}" for each in outcome.differences)])
