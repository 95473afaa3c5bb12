"""All tables of one market."""

from __future__ import annotations

from collections.abc import Iterable

from models.evaluation.market_results import MarketResults
from models.evaluation.tables.costs import costs
from models.evaluation.tables.distributions import distributions
from models.evaluation.tables.frontier import frontier, frontier_paired
from models.evaluation.tables.months import months
from models.evaluation.tables.paired import paired
from models.evaluation.tables.row_figures import Row
from models.evaluation.tables.session_parts import session_parts
from models.evaluation.tables.stop_calibration import stop_calibration, stop_steps
from models.evaluation.tables.tracking import tracking
from models.evaluation.tables.volume_forecasts import volume_deciles, volume_errors

Tables = dict[str, list[Row]]
"""The rows of each table, by the names in `COLUMNS`."""


def lengths(tables: Tables) -> list[tuple[str, int]]:
    """The markets and lengths of orders of the tables, in their order."""
    return list(dict.fromkeys((row["market"], row["max_steps"]) for row in tables["paired"]))


def of_length(tables: Tables, market: str, max_steps: int) -> Tables:
    """The rows of one market and one length of orders."""
    wanted = (market, max_steps)
    return {
        name: [row for row in rows if (row.get("market"), row["max_steps"]) == wanted] for name, rows in tables.items()
    }


def market_tables(results: MarketResults, *, published: str | None, resamples: int, seed: int) -> Tables:
    """Every table but that of the random walks. `published` names a block of printed figures to stand beside."""
    tables: dict[str, Iterable[Row]] = {
        "distributions": distributions(results, published),
        "paired": paired(results, resamples, seed),
        "frontier": frontier(results),
        "frontier_paired": frontier_paired(results, resamples, seed),
        "costs": costs(results, resamples, seed),
        "months": months(results),
        "tracking": tracking(results, resamples, seed),
        "session_parts": session_parts(results),
        "stop_calibration": stop_calibration(results),
        "stop_steps": stop_steps(results),
        "volume_errors": volume_errors(results),
        "volume_deciles": volume_deciles(results),
    }
    return {name: list(rows) for name, rows in tables.items()}
