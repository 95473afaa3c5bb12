"""One HTML file that needs nothing beside it: what was measured, on what, and how to read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from app.backtest.job import LEM
from models.evaluation.groups import BOTH
from models.evaluation.plots import (
    costs_plot,
    frontier_plot,
    horizon_plot,
    months_plot,
    stop_plot,
    volume_plot,
)
from models.evaluation.rivals import RIVALS
from models.evaluation.statistics import Row, Tables

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#212529;max-width:1180px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{margin-top:3rem;border-bottom:2px solid #dee2e6}h3{margin-top:2rem}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;margin:.5rem 0 1rem}
th,td{padding:.2rem .55rem;border-bottom:1px solid #e9ecef;text-align:right;white-space:nowrap}
th{background:#f8f9fa;position:sticky;top:0}td.word,th.word{text-align:left}
tr.lem td{background:#fff0f6}tr.published td{color:#868e96;font-style:italic}
.scroll{overflow-x:auto}svg{max-width:100%;height:auto}.note{color:#495057;max-width:60rem}
"""

READING = """Orders are decided by the same function as in the service, on bars that had closed. Gains are minus
slippage: positive is good, for buys and for sells. w is P95 - P5. All policies are on the same orders: those that each
has the history for. Unless a table says "after costs", orders are a millionth of their horizon's expected volume and
trading is free. Intervals are 95 %, from a bootstrap that draws blocks
of whole days over all instruments together. Tables here pool sides and size modes; the CSV files beside this page have
every combination. Published figures are those printed in the LEM paper, in our signs: other data, and made by code that
sees the very bar in which a slice trades. They are no target."""
NO_WIDER = """Points of the frontier with no more spread than the strongest baseline, on the same orders. All points and
baselines are in frontier_paired.csv. The best of these rows favours the model, unless it was chosen elsewhere."""
STOPPING = """Orders are run without ever stopping, so that at every step the gain of finishing now and that of going on
(and stopping later by the model's own rule) are both known. A calibrated stop crosses zero at one half."""
VOLUME = """In trailing means of 96 bars. twap stands for the trailing mean itself; bias and error are shares of what
came on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """`facts` are told at the top, in order: bundle, seed, date, commit, settings."""

    title: str
    facts: dict[str, str]


def html_report(heading: Heading, tables: Tables, markets: Sequence[str]) -> str:
    facts = "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in heading.facts.items())
    body = "".join(_market(market, _of(tables, market)) for market in markets)
    if tables.get("walk"):
        body += _walk(tables["walk"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(heading.title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(heading.title)}</h1>"
        f'<ul>{facts}</ul><p class="note">{READING}</p>{body}</body></html>\n'
    )


def _of(tables: Tables, market: str) -> Tables:
    return {name: [row for row in rows if row.get("market") == market] for name, rows in tables.items()}


def _market(name: str, tables: Tables) -> str:
    pooled = [row for row in tables["distributions"] if row["side"] == BOTH]
    parts = [
        f"<h2>{escape(name)}</h2>",
        _section("Slippage, all policies", horizon_plot(pooled), _distributions(tables)),
        _section("LEM against each baseline, paired", _table(_both(tables["paired"]), PAIRED)),
        _section(
            "Frontier",
            *(frontier_plot(tables["frontier"], benchmark) for benchmark in ("twap", "vwap")),
            _note(NO_WIDER),
            _table(_no_wider(_both(tables["frontier_paired"])), FRONTIER_PAIRED),
            _table(tables["frontier"], FRONTIER),
        ),
        _section("Tracking the whole horizon", _table(tables["tracking"], TRACKING)),
    ]
    if tables["costs"]:
        parts.append(_section("After costs", costs_plot(tables["costs"]), _table(tables["costs"], COSTS)))
    parts.append(_section("By month", months_plot(tables["months"])))
    if tables["stop_calibration"]:
        plot = stop_plot(tables["stop_calibration"])
        parts.append(_section("Calibration of the stop", _note(STOPPING), plot, _table(tables["stop_steps"], STEPS)))
    errors, deciles = tables["volume_errors"], tables["volume_deciles"]
    parts.append(_section("Volume forecast", _note(VOLUME), volume_plot(errors, deciles), _table(errors, VOLUMES)))
    return "".join(parts)


def _no_wider(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["no_wider"] and row["baseline"] == RIVALS[row["benchmark"]]]


def _distributions(tables: Tables) -> str:
    """Ours pooled, then what was printed, which is by side and size mode."""
    measured = [row for row in tables["distributions"] if row["side"] == BOTH]
    printed = [row for row in tables["distributions"] if row["source"] != "measured"]
    measured.sort(key=lambda row: (row["benchmark"], row["min_steps"]))
    return _table(measured + printed, DISTRIBUTIONS)


def _walk(rows: Sequence[Row]) -> str:
    note = (
        "Gain against TWAP in sigmas on simulated random walks, where nothing can be forecast; the optimum is that of "
    )
    note += "dynamic programming, known before every bar. The LEM is shown at every risk aversion."
    return f"<h2>Random walk</h2>{_note(note)}{_table(rows, WALK)}"


def _both(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["side"] == BOTH]


def _section(title: str, *parts: str) -> str:
    return f"<h3>{escape(title)}</h3>{''.join(parts)}"


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def _number(digits: int) -> Callable[[Any], str]:
    return lambda value: "" if value is None or value != value else f"{value:z,.{digits}f}"  # noqa: PLR0124 - NaN


def _word(value: Any) -> str:
    return "" if value is None else escape(f"{value:g}" if isinstance(value, float) else str(value))


Format = tuple[str, Callable[[Any], str]]
BPS, SHARE, COUNT = _number(2), _number(3), _number(0)

DISTRIBUTIONS: dict[str, Format] = {
    **{name: (name, _word) for name in ("benchmark", "min_steps", "policy", "side", "size_mode", "source")},
    "orders": ("orders", COUNT),
    **{f"slippage_bps_{name}": (name, BPS) for name in ("mean", "std", "median", "p5", "p95", "q25", "q75")},
    "slippage_sigma_mean": ("mean, sigma", SHARE),
    "steps_used_mean": ("steps used", BPS),
}
DIFFERENCE: dict[str, Format] = {
    "gain_bps_difference": ("LEM gains more, bps", BPS),
    "gain_bps_low": ("from", BPS),
    "gain_bps_high": ("to", BPS),
}
PAIRED: dict[str, Format] = {
    **{name: (name, _word) for name in ("baseline", "benchmark", "min_steps")},
    "orders": ("orders", COUNT),
    **DIFFERENCE,
    "gain_sigma_difference": ("in sigma", SHARE),
    "gain_sigma_low": ("from ", SHARE),
    "gain_sigma_high": ("to ", SHARE),
}
SPREAD: dict[str, Format] = {"gain_bps_mean": ("mean gain", BPS), "std_bps": ("std", BPS), "w_bps": ("w", BPS)}
FRONTIER_PAIRED: dict[str, Format] = {
    **{name: (name, _word) for name in ("baseline", "benchmark", "min_steps", "risk_aversion")},
    "lem_w_bps": ("w of LEM", BPS),
    "baseline_w_bps": ("w of baseline", BPS),
    **DIFFERENCE,
}
FRONTIER: dict[str, Format] = {
    **{name: (name, _word) for name in ("policy", "risk_aversion", "benchmark", "min_steps")},
    **SPREAD,
    "gain_sigma_mean": ("mean, sigma", SHARE),
}
TRACKING: dict[str, Format] = {
    **{name: (name, _word) for name in ("policy", "risk_aversion", "benchmark")},
    "mean_absolute_bps": ("mean absolute", BPS),
    "std_bps": ("std", BPS),
    "w_bps": ("w", BPS),
    "mean_absolute_to_twap": ("mean absolute over TWAP's", SHARE),
    "mean_absolute_to_twap_low": ("from", SHARE),
    "mean_absolute_to_twap_high": ("to", SHARE),
    "std_to_twap": ("std over TWAP's", SHARE),
    "std_to_twap_low": ("from ", SHARE),
    "std_to_twap_high": ("to ", SHARE),
    "w_to_twap": ("w over TWAP's", SHARE),
    "wildest_day": ("wildest day", _word),
    "wildest_day_share": ("its share of the squares", SHARE),
    "std_to_twap_without_wildest_day": ("std over TWAP's without it", SHARE),
}
COSTS: dict[str, Format] = {
    **{name: (name, _word) for name in ("order_size", "benchmark", "min_steps", "policy")},
    **SPREAD,
    "steps_used_mean": ("steps used", BPS),
    **{
        f"gain_bps_{part}_to_{rival}": (f"{word}{rival.replace('_', ' ')}{end}", BPS)
        for rival in ("twap", "optimal_stopping")
        for part, word, end in (("difference", "above ", ""), ("low", "above ", ", from"), ("high", "above ", ", to"))
    },
}
STEPS: dict[str, Format] = {
    **{name: (name, _word) for name in ("benchmark", "min_steps", "step")},
    "orders": ("orders", COUNT),
    "probability_mean": ("mean probability", SHARE),
    "stopped": ("share that stopped", SHARE),
    "advantage_sigma_mean": ("stopping less going on, sigma", SHARE),
}
VOLUMES: dict[str, Format] = {
    **{name: (name, _word) for name in ("policy", "step_ahead")},
    **{name: (name, SHARE) for name in ("bias", "mae", "deviance", "correlation")},
}
WALK: dict[str, Format] = {
    **{name: (name, _word) for name in ("slice_cap", "min_steps", "policy", "risk_aversion")},
    "optimum_sigma": ("optimum", SHARE),
    "gain_sigma_mean": ("mean", SHARE),
    "gain_sigma_error": ("standard error", _number(4)),
    "share_of_optimum": ("share of optimum", SHARE),
    "gain_sigma_std": ("std", SHARE),
    "gain_sigma_p5": ("P5", SHARE),
}


def _table(rows: Sequence[Row], columns: dict[str, Format]) -> str:
    words = {name for name, (_, shown) in columns.items() if shown is _word}
    head = "".join(f"<th{_class(name in words)}>{escape(title)}</th>" for name, (title, _) in columns.items())
    lines = []
    for row in rows:
        cells = "".join(f"<td{_class(name in words)}>{show(row.get(name))}</td>" for name, (_, show) in columns.items())
        lines.append(f"<tr{_row_class(row)}>{cells}</tr>")
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _class(word: bool) -> str:
    return ' class="word"' if word else ""


def _row_class(row: Row) -> str:
    if str(row.get("policy")).startswith("published"):
        return ' class="published"'
    return ' class="lem"' if row.get("policy") == LEM else ""
