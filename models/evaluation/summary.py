"""The short version, in Markdown: what a README shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.backtest.job import LEM
from models.evaluation.groups import BOTH
from models.evaluation.rivals import RIVALS
from models.evaluation.statistics import Row, Tables

HEAD = ("market", "benchmark", "min_steps", "LEM: mean gain, w", "rival", "rival: mean gain, w", "LEM less rival, 95 %")


def markdown(tables: Tables, facts: dict[str, str]) -> str:
    """One line per market, benchmark and min_steps of the frontier; gains in bps, positive is good."""
    told = "; ".join(f"{name} {value}" for name, value in facts.items())
    lines = [HEAD, ("---",) * len(HEAD), *_lines(tables)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"Mean gain and P95 - P5 (w) in bps at the default risk aversion, before costs ({told}).\n\n{table}\n"


def _lines(tables: Tables) -> Iterator[tuple[str, ...]]:
    points = [row for row in tables["distributions"] if row["side"] == BOTH]
    shown = {row["min_steps"] for row in tables["frontier"]}
    for row in tables["paired"]:
        if row["side"] == BOTH and row["min_steps"] in shown and row["baseline"] == RIVALS[row["benchmark"]]:
            place = {name: row[name] for name in ("market", "benchmark", "min_steps")}
            yield (
                row["market"],
                row["benchmark"],
                str(row["min_steps"]),
                _point(points, place | {"policy": LEM}),
                row["baseline"],
                _point(points, place | {"policy": row["baseline"]}),
                f"{row['gain_bps_difference']:+.2f} [{row['gain_bps_low']:+.2f}, {row['gain_bps_high']:+.2f}]",
            )


def _point(points: Sequence[Row], wanted: Row) -> str:
    (row,) = (row for row in points if all(row[name] == value for name, value in wanted.items()))
    return f"{-row['slippage_bps_mean']:z.2f}, {row['slippage_bps_p95'] - row['slippage_bps_p5']:.1f}"
