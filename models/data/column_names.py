"""Which column of a foreign table holds what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.errors import InvalidInput

NUMBERS = ("open", "high", "low", "close", "volume")
REQUIRED = ("timestamp", *NUMBERS)
OPTIONAL = ("notional", "vwap", "trades")

# fmt: off
ALIASES: dict[str, tuple[str, ...]] = {
    "timestamp": (
        "timestamp", "time", "date", "datetime", "date_time", "open_time", "opentime", "ts", "unix",
        "__index_level_0__",  # how pandas writes an index without a name
    ),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v", "base_volume"),
    "notional": ("notional", "quote_volume", "quote_asset_volume", "quotevolume", "turnover"),
    "vwap": ("vwap", "vw"),
    "trades": ("trades", "number_of_trades", "num_trades", "trade_count", "tradecount", "count"),
}
# fmt: on
"""The names of each column in known sources, in lower case with `_` for blanks. "amount" is not among them: in some
sources it is base units, in others quote currency."""


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
    """The index of each column that is there, by the project's name for it; `mapping` overrides the known names.

    Raises InvalidInput where a required column is missing, or where two columns could be meant: a guess would not show.
    """
    plain = [name.strip().lower().replace(" ", "_") for name in names]
    found: dict[str, int] = {}
    for ours, aliases in ALIASES.items():
        indices = _mapped(names, mapping[ours]) if ours in mapping else _known(plain, aliases)
        if len(indices) > 1:
            theirs = " and ".join(repr(names[index]) for index in indices)
            raise InvalidInput("ambiguous_column", f"{theirs} could both be {ours}: choose with --columns {ours}=NAME")
        if indices:
            found[ours] = indices[0]
    missing = [ours for ours in REQUIRED if ours not in found]
    if missing:
        raise InvalidInput(
            "missing_column", f"no column {', '.join(missing)} among {', '.join(names)}: name it with --columns"
        )
    if len(set(found.values())) < len(found):
        raise InvalidInput("bad_columns", "--columns gives one column two meanings")
    return found


def _known(plain: Sequence[str], aliases: Sequence[str]) -> list[int]:
    return [index for index, name in enumerate(plain) if name in aliases]


def _mapped(names: Sequence[str], theirs: str) -> list[int]:
    indices = [index for index, name in enumerate(names) if name.strip() == theirs]
    if not indices:
        raise InvalidInput("missing_column", f"--columns names {theirs!r}, but there are only {', '.join(names)}")
    return indices
