"""The shortest version of the tables, in Markdown: the model beside the strongest rule without a model."""

from __future__ import annotations

from collections.abc import Iterator

from models.evaluation.tables.against_rivals import against_rivals
from models.evaluation.tables.market_tables import Tables
from models.evaluation.tables.row_figures import Row

HEAD = (
    "market",
    "benchmark",
    "max_steps",
    "min_steps",
    "LEM: mean gain, w",
    "rival",
    "rival: mean gain, w",
    "LEM less rival, 95 %",
)


def summary_page(tables: Tables, facts: dict[str, str]) -> str:
    """One line per market, benchmark, max_steps and min_steps of the frontier; gains in bps, positive is good."""
    words = "; ".join(f"{name} {value}" for name, value in facts.items())
    lines = [HEAD, ("---",) * len(HEAD), *_lines(tables)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"Mean gain and P95 - P5 (w) in bps at the default risk aversion, before costs ({words}).\n\n{table}\n"


def _lines(tables: Tables) -> Iterator[tuple[str, ...]]:
    for row in against_rivals(tables):
        yield (
            row["market"],
            row["benchmark"],
            str(row["max_steps"]),
            str(row["min_steps"]),
            _gain_and_w(row["lem"]),
            row["baseline"],
            _gain_and_w(row["rival"]),
            f"{row['gain_bps_difference']:+.2f} [{row['gain_bps_low']:+.2f}, {row['gain_bps_high']:+.2f}]",
        )


def _gain_and_w(row: Row) -> str:
    return f"{-row['slippage_bps_mean']:z.2f}, {row['slippage_bps_p95'] - row['slippage_bps_p5']:.1f}"
