"""The short version of the tables, printed to a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

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
    """The LEM against each baseline by market, the random walks, and repurchase contracts."""
    shown = {_cell(row) for row in tables["frontier"]}
    differences = [row for row in tables["paired"] if row["side"] == BOTH and _cell(row) in shown]
    if differences:
        console.print(_differences(differences))
    if tables["walk"]:
        console.print(_walks(tables["walk"]))
    if tables["repurchase"]:
        console.print(_contracts(tables["repurchase"]))


def _cell(row: Row) -> tuple[Any, ...]:
    return row["market"], row["max_steps"], row["min_steps"]


def _differences(rows: Iterable[Row]) -> Table:
    shown = Table(title="LEM less baseline: gain in bps, 95 % interval; positive is good", title_justify="left")
    for name in ("market", "baseline", "benchmark", "min", "max", "orders", "difference", "from", "to"):
        shown.add_column(name, justify="left" if name in ("market", "baseline", "benchmark") else "right")
    for row in rows:
        steps = [str(row["min_steps"]), str(row["max_steps"])]
        words = [row["market"], row["baseline"], row["benchmark"], *steps, f"{row['orders']:,}"]
        shown.add_row(*words, *(f"{row[name]:z.2f}" for name in INTERVAL))
    return shown


def _walks(rows: Iterable[Row]) -> Table:
    shown = Table(title="random walk: gain against TWAP in sigmas", title_justify="left")
    for name in ("policy", "cap", "risk", "min", "max", *WALK_FIGURES):
        shown.add_column(name, justify="left" if name == "policy" else "right")
    for row in rows:
        words = [row["policy"], f"{row['slice_cap']:g}", f"{row['risk_aversion']:g}"]
        words += [str(row["min_steps"]), str(row["max_steps"])]
        figures = (row[column] for column in WALK_FIGURES.values())
        shown.add_row(*words, *("" if math.isnan(figure) else f"{figure:z.3f}" for figure in figures))
    return shown


def _contracts(rows: Iterable[Row]) -> Table:
    shown = Table(title="repurchase contracts: gain in bps, positive is good", title_justify="left")
    for name in ("bars", "size", "policy", "risk", "cap", "min", "max", *CONTRACT_FIGURES):
        shown.add_column(name, justify="left" if name in ("bars", "size", "policy") else "right")
    for row in rows:
        words = [row["bars"], row["size_mode"], row["policy"], f"{row['risk_aversion']:g}", f"{row['slice_cap']:g}"]
        words += [str(row["min_steps"]), str(row["max_steps"])]
        shown.add_row(*words, *(f"{row[column]:z.1f}" for column in CONTRACT_FIGURES.values()))
    return shown
