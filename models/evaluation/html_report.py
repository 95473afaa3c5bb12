"""One HTML file that needs no other: what was measured, on which bars, and how to read it."""

from __future__ import annotations

from collections.abc import Sequence

from app.backtest.job import LEM
from models.evaluation import html_columns
from models.evaluation.plots import costs_plot, frontier_plot, horizon_plot, months_plot, stop_plot, volume_plot
from models.evaluation.rivals import RIVALS
from models.evaluation.scenario_groups import BOTH
from models.evaluation.tables.distributions import MEASURED, as_gains
from models.evaluation.tables.market_tables import Tables, lengths, of_length
from models.evaluation.tables.row_figures import Row
from models.evaluation.templating import rendered

TEMPLATE = "report.html"


def html_report(facts: dict[str, str], tables: Tables) -> str:
    """`facts` stand at the top, in their order: bundle, seed, date, commit, settings."""
    return rendered(
        TEMPLATE,
        facts=facts,
        markets=[_market(*key, tables) for key in lengths(tables)],
        walk=tables.get("walk"),
        columns=html_columns,
        row_class=_row_class,
    )


def _market(name: str, max_steps: int, tables: Tables) -> dict[str, object]:
    """The rows and plots of one market and one length of orders, by their names in the template."""
    of_market = of_length(tables, name, max_steps)
    pooled = _pooled(of_market["distributions"])
    errors, deciles = of_market["volume_errors"], of_market["volume_deciles"]
    plots = {
        "horizon": horizon_plot(pooled),
        "volume": volume_plot(errors, deciles),
    }
    if of_market["frontier"]:
        plots |= {f"frontier_{name}": frontier_plot(of_market["frontier"], name) for name in RIVALS}
        plots["months"] = months_plot(of_market["months"])
    if of_market["costs"]:
        plots["costs"] = costs_plot(of_market["costs"])
    if of_market["stop_calibration"]:
        plots["stop"] = stop_plot(of_market["stop_calibration"])
    return of_market | {
        "name": name,
        "max_steps": max_steps,
        "plots": plots,
        "distributions": _measured_then_printed(of_market["distributions"]),
        "paired": _pooled(of_market["paired"]),
        "frontier_no_wider": _no_wider(_pooled(of_market["frontier_paired"])),
    }


def _pooled(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["side"] == BOTH]


def _no_wider(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["no_wider"] and row["baseline"] == RIVALS[row["benchmark"]]]


def _measured_then_printed(rows: Sequence[Row]) -> list[Row]:
    """Our figures pooled, then the printed ones, which are by side and size mode; as gains, like all of the report."""
    measured = sorted(_pooled(rows), key=lambda row: (row["benchmark"], row["min_steps"]))
    return [as_gains(row) for row in [*measured, *(row for row in rows if row["source"] != MEASURED)]]


def _row_class(row: Row) -> str:
    if str(row.get("policy")).startswith("published"):
        return "published"
    return "lem" if row.get("policy") == LEM else ""
