"""Figures and profiles as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from app.bench.figures import Figure
from app.bench.profiles import Share, ours, shares

OWN_ROWS, WHOLE_ROWS = 15, 30


def figures_table(title: str, figures: Sequence[Figure]) -> Table:
    """A row for each figure; what is aimed at stands beside it."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, min_width=len(title))
    table.add_column("orders", justify="right")
    table.add_column("figure", no_wrap=True)
    for name in ("measured", "target", ""):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for figure in figures:
        table.add_row(
            "" if figure.orders is None else f"{figure.orders:,}",
            figure.name,
            figure.shown(figure.value),
            "" if figure.target is None else figure.shown(figure.target),
            {None: "", True: "met", False: "missed"}[figure.met],
        )
    return table


def profile_tables(stacks: Counter[str]) -> list[Table]:
    """The functions that ran most, and those of the project with all that they call."""
    found = shares(stacks)
    return [
        _shares_table(f"functions by their own CPU, of {stacks.total():,} samples", found, own=True),
        _shares_table("functions of the project with all that they call", ours(found), own=False),
    ]


def _shares_table(title: str, found: Sequence[Share], *, own: bool) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("share", justify="right")
    table.add_column("function")
    for share in found[: OWN_ROWS if own else WHOLE_ROWS]:
        table.add_row(f"{share.own if own else share.whole:.1%}", share.function)
    return table
