"""A bundle's card as a page to read, in Markdown and in HTML: one content, two dresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

TRAINED_SHOWN_MAX = 12
"""Names of training data that the page lists of each market; a card may have hundreds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardTable:
    """Every cell is text."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSection:
    title: str
    paragraphs: Sequence[str] = ()
    tables: Sequence[CardTable] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardPage:
    title: str
    sections: Sequence[CardSection]


def card_page(name: str, card: Mapping[str, Any]) -> CardPage:
    """`card` is the bundle's card as JSON, with its calibration."""
    return CardPage(
        title=f"Model card: {name}",
        sections=(_details(card), _use(card), _training(card), _measured(card), _calibrated(card), _tensors(card)),
    )


def _details(card: Mapping[str, Any]) -> CardSection:
    facts = [
        ("Name", card["name"]),
        ("Made", card["created_at"]),
        ("Kind", "Large Execution Model: a context graph that reads bars, and a decision graph that reads orders"),
        ("Context graph", f"sha256 {card['context']['sha256']}"),
        ("Decision graph", f"sha256 {card['decision']['sha256']}"),
    ]
    return CardSection(title="Details", tables=[_facts(facts)])


def _use(card: Mapping[str, Any]) -> CardSection:
    aversions = ", ".join(f"{name} {value:g}" for name, value in card["risk_aversions"].items())
    facts = [
        ("Decides", "how much of an order to trade in the next step, and whether to finish it now"),
        ("Longest horizon", f"{card['max_steps']} steps"),
        ("Reads", f"the last {card['lookback']} bars; {card['history_min']} are enough"),
        ("Lengths of bars", ", ".join(f"{seconds} s" for seconds in card["bar_seconds"])),
        ("Scenarios", "; ".join(" ".join(words) for words in card["scenarios"])),
        ("Risk aversions", aversions),
    ]
    outside = (
        "Hard limits are not the model's: the service projects every proposal on them in exact arithmetic. Where the "
        "model cannot answer, the volume curve or TWAP decides and the slice says so. Figures come before costs, and "
        "what was earned on the bars below need not be earned on others."
    )
    return CardSection(title="Intended use and limits", paragraphs=[outside], tables=[_facts(facts)])


def _training(card: Mapping[str, Any]) -> CardSection:
    training = card["training"]
    said = (
        f"Bars from {training['start']} to before {training['end']}, {training['steps']} steps, seed "
        f"{training['seed']}."
    )
    by_market: dict[str, list[str]] = {}
    for entry in training["data"]:
        market, _, instrument = entry.rpartition("/")
        by_market.setdefault(market, []).append(instrument)
    splits = training["markets"]
    data = [
        (market, str(len(names)), _listed(names), *_split(splits.get(market, {})))
        for market, names in by_market.items()
    ]
    settings = sorted((training["config"] | training["settings"]).items())
    return CardSection(
        title="Training",
        paragraphs=[said],
        tables=[
            CardTable(header=("Market", "Instruments", "Which", "Trained before", "Chose before"), rows=data),
            CardTable(header=("Setting", "Value"), rows=[(key, _text(value)) for key, value in settings]),
        ],
    )


def _split(split: Mapping[str, str]) -> tuple[str, str]:
    """The days of a market that trained and chose; empty for a card of an earlier release, which names none."""
    return split.get("train_end", ""), split.get("validation_end", "")


def _measured(card: Mapping[str, Any]) -> CardSection:
    """All rows of a card have the same columns, but for those of cards from elsewhere: what a row lacks is empty."""
    rows = card["metrics"]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [[_text(row.get(column, "")) for column in columns] for row in rows]
    said = "At the end of the training, on bars that did not train the model. A positive gain is a better price."
    tables = [CardTable(header=columns, rows=cells)] if rows else []
    return CardSection(title="Measured", paragraphs=[said if rows else "Nothing was measured."], tables=tables)


def _calibrated(card: Mapping[str, Any]) -> CardSection:
    tables = card["calibration"]["tables"]
    header = (
        "Market",
        "Benchmark",
        "Risk aversion",
        "Slice cap",
        "From",
        "To before",
        "Steps",
        "Orders",
        "Mean",
        "Std",
    )
    rows = [
        (
            *(table["market"], table["benchmark"], _text(table["risk_aversion"])),
            _text(table["slice_cap_multiple"]) if table["slice_cap_multiple"] is not None else "none",
            *(table["start"], table["end"], f"{least}..{most}", str(orders), f"{mean:+.3f}", f"{std:.3f}"),
        )
        for table in tables
        for least, most, orders, mean, std in zip(
            *(table[name] for name in ("min_steps", "max_steps", "orders", "mean", "std")), strict=True
        )
    ]
    said = (
        "What orders of the model earned on bars that did not train it, in units of the volatility per bar times the "
        "square root of the longest horizon; quotes rest on it."
    )
    none = "Nobody has measured orders of the model: quotes rest on simulations alone."
    return CardSection(
        title="Calibration",
        paragraphs=[said if rows else none],
        tables=[CardTable(header=header, rows=rows)] if rows else [],
    )


def _tensors(card: Mapping[str, Any]) -> CardSection:
    rows = [
        (graph, kind, each["name"], each["dtype"], " x ".join(map(str, each["shape"])), each["unit"])
        for graph in ("context", "decision")
        for kind in ("inputs", "outputs")
        for each in card[graph][kind]
    ]
    return CardSection(
        title="Tensors", tables=[CardTable(header=("Graph", "Kind", "Name", "Type", "Shape", "Unit"), rows=rows)]
    )


def _facts(facts: Sequence[tuple[str, str]]) -> CardTable:
    return CardTable(header=("", ""), rows=facts)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - TRAINED_SHOWN_MAX
    return ", ".join(names[:TRAINED_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def as_markdown(page: CardPage) -> str:
    lines = [f"# {_in_line(page.title)}", ""]
    for section in page.sections:
        lines += [f"## {section.title}", ""]
        for paragraph in section.paragraphs:
            lines += [_in_line(paragraph), ""]
        for table in section.tables:
            lines += [_row(table.header), _row(["---"] * len(table.header)), *map(_row, table.rows), ""]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_in_line(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _in_line(text: str) -> str:
    """A card's text cannot begin a line or a tag of its own."""
    return " ".join(text.split()).replace("<", "&lt;")


STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0;display:block;overflow-x:auto}"
    "td,th{border:1px solid #ccc;padding:.2rem .6rem;text-align:left;vertical-align:top}"
)


def as_html(page: CardPage) -> str:
    """A page that stands alone and loads nothing."""
    parts = [f"<h1>{escape(page.title)}</h1>"]
    for section in page.sections:
        parts.append(f"<h2>{escape(section.title)}</h2>")
        parts += [f"<p>{escape(paragraph)}</p>" for paragraph in section.paragraphs]
        parts += map(_html_table, section.tables)
    head = f'<meta charset="utf-8"><title>{escape(page.title)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


def _html_table(table: CardTable) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.header) if any(table.header) else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"
