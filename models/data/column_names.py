"""Which column of a foreign table holds what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from app.bars.file_names import SYMBOL_COLUMNS
from app.domain.errors import InvalidInput

NUMBERS = ("open", "high", "low", "close", "volume")
REQUIRED = ("timestamp", *NUMBERS)
OPTIONAL = ("notional", "vwap", "trades")
TIME_OF_DAY = "time_of_day"
DATE_AND_TIME = ["date", "time"]
UNNAMED_INDEX = ("", "index", "index_level_0", "unnamed_0")
"""How pandas writes an index without a name. It holds the times where no other column does."""
ADJUSTED = ("adj_close", "adjusted_close", "adjclose")

# fmt: off
ALIASES: dict[str, tuple[str, ...]] = {
    "timestamp": (
        "timestamp", "time", "date", "datetime", "date_time", "open_time", "opentime", "ts", "t", "unix",
        "datum", "gmt_time",
    ),
    "open": ("open", "o", "open_price", "px_open"),
    "high": ("high", "h", "high_price", "px_high"),
    "low": ("low", "l", "low_price", "px_low"),
    "close": ("close", "c", "close_price", "close_last", "last", "px_last"),
    "volume": ("volume", "vol", "v", "base_volume", "px_volume"),
    "notional": ("notional", "quote_volume", "quote_asset_volume", "quotevolume", "turnover"),
    "vwap": ("vwap", "vw"),
    "trades": ("trades", "number_of_trades", "num_trades", "trade_count", "tradecount", "count", "n"),
    "symbol": SYMBOL_COLUMNS,
}
# fmt: on
"""The names of each column in known sources, as `plain` writes them. "amount" is not among them: in some sources it is
base units, in others quote currency. Nor is the adjusted close: open, high and low beside it are not adjusted."""


def plain(name: str) -> str:
    """`Close/Last` as `close_last`, `<OPEN>` as `open`: lower case, with `_` for all that is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def parse_mapping(text: str) -> dict[str, str]:
    """`timestamp=Date,volume=Volume BTC` as {"timestamp": "Date", ...}. Raises InvalidInput."""
    mapping = {}
    for pair in filter(None, text.split(",")):
        name, equals, theirs = (part.strip() for part in pair.partition("="))
        if not equals or not theirs or name not in ALIASES:
            raise InvalidInput(
                "bad_columns", f"--columns {pair}: write NAME=COLUMN, NAME being one of {', '.join(ALIASES)}"
            )
        mapping[name] = theirs
    return mapping


def find_columns(names: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """The index of each column that is there, by the project's name for it; `mapping` overrides the known names. A
    date and a time of day apart are `timestamp` and `TIME_OF_DAY`.

    Raises InvalidInput where a required column is missing, or where two columns could be meant: a guess would not show.
    """
    known = [plain(name) for name in names]
    found: dict[str, int] = {}
    for ours, aliases in ALIASES.items():
        indices = _mapped(names, mapping[ours]) if ours in mapping else _known(known, ours, aliases)
        if ours == "timestamp" and sorted(known[index] for index in indices) == DATE_AND_TIME:
            indices.sort(key=lambda index: known[index])
            found[TIME_OF_DAY] = indices.pop()
        if len(indices) > 1:
            theirs = " and ".join(repr(names[index]) for index in indices)
            raise InvalidInput("ambiguous_column", f"{theirs} could both be {ours}: choose with --columns {ours}=NAME")
        if indices:
            found[ours] = indices[0]
    _require_all(names, known, found)
    if len(set(found.values())) < len(found):
        raise InvalidInput("bad_columns", "--columns gives one column two meanings")
    return found


def fields_among(names: Sequence[str]) -> int:
    """How many of the names are those of prices and volumes."""
    return sum(plain(name) in ALIASES[ours] for name in names for ours in NUMBERS)


def _known(known: Sequence[str], ours: str, aliases: Sequence[str]) -> list[int]:
    indices = [index for index, name in enumerate(known) if name in aliases]
    if ours == "symbol":  # a ticker goes before the name of the company beside it
        return sorted(indices, key=lambda index: aliases.index(known[index]))[:1]
    if ours == "timestamp" and not indices:
        return [index for index, name in enumerate(known) if name in UNNAMED_INDEX][:1]
    return indices


def _mapped(names: Sequence[str], theirs: str) -> list[int]:
    indices = [index for index, name in enumerate(names) if name.strip() == theirs]
    if not indices:
        raise InvalidInput("missing_column", f"--columns names {theirs!r}, but there are only {', '.join(names)}")
    return indices


def _require_all(names: Sequence[str], known: Sequence[str], found: Mapping[str, int]) -> None:
    missing = [ours for ours in REQUIRED if ours not in found]
    if not missing:
        return
    advice = "name it with --columns"
    adjusted = [name for name, theirs in zip(names, known, strict=True) if theirs in ADJUSTED]
    if "close" in missing and adjusted:
        advice += f"; --columns close={adjusted[0]} is right only if open, high and low are adjusted too"
    shown = ", ".join(name or "''" for name in names)
    raise InvalidInput("missing_column", f"no column {', '.join(missing)} among {shown}: {advice}")
