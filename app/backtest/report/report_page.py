"""`report.html`: one page that needs no other, readable in light and dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template

from app.backtest.comparison import OVER_LEM, Row, is_total
from app.backtest.job import LEM
from app.backtest.policy_tables import TOO_FEW_DAYS, digits_of, sample_title, written
from app.backtest.report.drawing import STYLE
from app.backtest.report.plots import CAPTIONS, plots, totals

PAGE = Path(__file__).with_name("page.html")
WORDS = {"benchmark": "benchmark", "min_steps": "min_steps", "policy": "policy"}
FIGURES = {
    "slippage_bps_mean": "mean",
    "slippage_bps_std": "std",
    "slippage_bps_p5": "P5",
    "slippage_bps_median": "median",
    "slippage_bps_p95": "P95",
}
OVER = dict(zip(OVER_LEM, ("cost over lem", "from", "to"), strict=True))
PAIRED = (
    "Every policy has the same orders, and differences are taken order by order: what a policy costs over lem is "
    "positive where lem is cheaper."
)


def report_page(rows: Sequence[Row], facts: Mapping[str, str]) -> str:
    """`rows` are those of `comparison`; `facts` stand at the top, in their order."""
    samples = dict.fromkeys(row["sample"] for row in rows)
    sections = [_section(each, [row for row in rows if row["sample"] == each]) for each in samples]
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        style=STYLE,
        facts="\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items()),
        sections="\n".join(sections),
        pairing=PAIRED if any(OVER_LEM[0] in row for row in rows) else "",
    )


def _section(sample: str, rows: Sequence[Row]) -> str:
    """The orders of one sample: the total, the plots, and every benchmark and min_steps."""
    orders = max(row["orders"] for row in rows)
    title = sample_title(sample) or "all orders"
    whole, cells = totals(rows), [row for row in rows if not is_total(row)]
    parts = [f"<h2>{escape(title[0].upper() + title[1:])}</h2>", f"<p>{orders:,} orders by each policy.</p>"]
    if any(row["narrow"] for row in rows):
        parts.append(f'<p class="note">The orders start on {_most(rows, "days")} days: {TOO_FEW_DAYS}.</p>')
    parts.append(_table("All of these orders", whole))
    parts += [f"<figure><figcaption>{CAPTIONS[name]}</figcaption>\n{svg}</figure>" for name, svg in plots(rows).items()]
    if len(cells) > len(whole):
        parts.append(_table("By benchmark and min_steps", cells))
    return "\n".join(parts)


def _most(rows: Sequence[Row], name: str) -> int:
    return max(int(row[name]) for row in rows)


def _table(caption: str, rows: Sequence[Row]) -> str:
    figures = FIGURES | (OVER if any(OVER_LEM[0] in row for row in rows) else {})
    heads = [
        *(f'<th scope="col" class="word">{title}</th>' for title in WORDS.values()),
        *(f'<th scope="col">{title}</th>' for title in ("orders", "steps used", *figures.values())),
    ]
    digits = digits_of([row[name] for row in rows for name in figures if name in row])
    body = "\n".join("".join(_cells(row, figures, digits)) for row in rows)
    return (
        f'<div class="scroll"><table><caption>{caption}: slippage in bps, positive is a cost</caption>\n'
        f"<thead><tr>{''.join(heads)}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )


def _cells(row: Row, figures: Mapping[str, str], digits: int) -> Iterator[str]:
    yield '<tr class="lem">' if row["policy"] == LEM else "<tr>"
    for name in WORDS:
        tag = "th" if name == "policy" else "td"
        scope = ' scope="row"' if name == "policy" else ""
        yield f'<{tag}{scope} class="word">{escape(str(row[name]))}</{tag}>'
    yield f"<td>{row['orders']:,}</td><td>{row['steps_used_mean']:.2f}</td>"
    yield from (f"<td>{written(row.get(name), digits, signed=name in OVER)}</td>" for name in figures)
    yield "</tr>"
