"""The model beside the strongest rule without a model, from the rows of other tables."""

from __future__ import annotations

from typing import Any

from app.backtest.job import LEM
from models.evaluation.rivals import RIVALS
from models.evaluation.scenario_groups import BOTH
from models.evaluation.tables.market_tables import Tables
from models.evaluation.tables.row_figures import Row


def against_rivals(tables: Tables) -> list[Row]:
    """The rows of `paired` against the strongest rule of each benchmark, both sides and size modes together, at the
    min_steps of the frontier. Each row also has `lem` and `rival`, the rows of `distributions` for the same orders."""
    shown = {_cell(row) for row in tables["frontier"]}
    measured = {(*_cell(row), row["policy"]): row for row in tables["distributions"] if row["side"] == BOTH}
    return [
        row
        | {
            "lem": measured[(*_cell(row), LEM)],
            "rival": measured[(*_cell(row), row["baseline"])],
        }
        for row in tables["paired"]
        if row["side"] == BOTH and _cell(row) in shown and row["baseline"] == RIVALS[row["benchmark"]]
    ]


def _cell(row: Row) -> tuple[Any, ...]:
    return row["market"], row["benchmark"], row["max_steps"], row["min_steps"]
