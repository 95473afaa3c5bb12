"""The short version of the tables, printed to a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from models.evaluation.scenario_groups import BOTH
from models.evaluation.tables.market_tables import Tables
from models.evaluation.tables.row_figures import Row
from models.evaluation.tables.table_columns import INTERVAL

WALK_FIGURES = {
    "optimum": "optimum_sigma",
    "mean": "gain_sigma_mean",
    "share": "share_of_optimum",
    "std": "gain_sigma_std",
    "P5": "gain_sigma_p5",
}

CONTRACT_FIGURES = {
    "gain": "gain_bps_mean",
    "std": "std_bps",
    "stop": "stop_bps_mean",
    "pace": "pace_bps_mean",
    "convexity": "convexity_bps_mean",
}


def show(console: Console, tables: Tables) -> None:
    """The LEM against each baseline by market, the random walks, and repurchase contracts: at most 80 columns wide."""
    shown = {_cell(row) for row in tables["frontier"]}
    differences = [row for row in tables["paired"] if row["side"] == BOTH and _cell(row) in shown]
    for market, rows in _by(differences, "market"):
        console.print(f"{market}: LEM less baseline, gain in bps, positive is good; from, to: 95 %", markup=False)
        console.print(_differences(rows))
    if tables["walk"]:
        console.print("random walk: gain against TWAP in sigmas, positive is good")
        console.print(_walks(tables["walk"]))
    for bars, rows in _by(tables["repurchase"], "bars"):
        console.print(f"{bars}: repurchase contracts, gain in bps, positive is good", markup=False)
        console.print(_contracts(rows))


def _by(rows: Sequence[Row], name: str) -> Iterator[tuple[str, list[Row]]]:
    """The rows of each value of a column, which may be too long a name for a column of its own."""
    for value in dict.fromkeys(row[name] for row in rows):
        yield value, [row for row in rows if row[name] == value]


def _cell(row: Row) -> tuple[Any, ...]:
    return row["market"], row["max_steps"], row["min_steps"]


def _table(heads: Iterable[str], words: Sequence[str]) -> Table:
    shown = Table(box=SIMPLE_HEAD, padding=0, show_edge=False)
    for head in heads:
        shown.add_column(head, justify="left" if head in words else "right", no_wrap=True)
    return shown


def _differences(rows: Iterable[Row]) -> Table:
    words = ("baseline", "against")
    shown = _table((*words, "min", "max", "orders", "difference", "from", "to"), words)
    for row in rows:
        steps = [str(row["min_steps"]), str(row["max_steps"])]
        names = [row["baseline"], row["benchmark"], *steps, f"{row['orders']:,}"]
        shown.add_row(*names, *(f"{row[name]:z.2f}" for name in INTERVAL))
    return shown


def _walks(rows: Iterable[Row]) -> Table:
    shown = _table(("policy", "cap", "risk", "min", "max", *WALK_FIGURES), ("policy",))
    for row in rows:
        words = [row["policy"], f"{row['slice_cap']:g}", f"{row['risk_aversion']:g}"]
        words += [str(row["min_steps"]), str(row["max_steps"])]
        figures = (row[column] for column in WALK_FIGURES.values())
        shown.add_row(*words, *("" if math.isnan(figure) else f"{figure:z.3f}" for figure in figures))
    return shown


def _contracts(rows: Iterable[Row]) -> Table:
    words = ("size", "policy")
    shown = _table((*words, "risk", "cap", "min", "max", *CONTRACT_FIGURES), words)
    for row in rows:
        names = [row["size_mode"], row["policy"], f"{row['risk_aversion']:g}", f"{row['slice_cap']:g}"]
        names += [str(row["min_steps"]), str(row["max_steps"])]
        shown.add_row(*names, *(f"{row[column]:z.1f}" for column in CONTRACT_FIGURES.values()))
    return shown
