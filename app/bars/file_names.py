"""The instrument in the name of a bar file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from app.domain.errors import InvalidInput

SYMBOL_COLUMNS = ("symbol", "ticker", "tic", "instrument", "sym", "ric", "pair", "code", "name")
"""What columns are called that name the instrument of a row, in lower case."""
SUFFIX = re.compile(r"\.(csv|tsv|txt|parquet|pq|gz|bz2|xz|zst|zip)$", re.IGNORECASE)
YEAR, MONTH, DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
NUMBER = rf"{YEAR}(?:{MONTH}{DAY}?)?|\d{{1,3}}|\d{{10}}|\d{{13}}"
"""A date, the number of a part, or an epoch. Others, such as 7203 and 00700, are what exchanges in Asia call shares."""
NOT_OF_THE_SYMBOL = re.compile(
    rf"(?:{NUMBER})(?:_+(?:{NUMBER}))*|_+"
    r"|\d+(s|m|h|d|w|mo|sec|min)|[mhdw]\d{1,2}"  # lengths
    r"|(second|minute|hour|day|week|month)s?|(hour|dai|week|month)ly|intraday|eod"
    r"|bars?|ohlcv?|candles?|klines?|prices?|data|history|part\d*",
    re.IGNORECASE,
)
BEHIND_UNDERSCORE = re.compile(
    r"_+(?:\d+_?(?:min|minutes?|sec|seconds?)|(?:hour|dai|week|month)ly|intraday|eod|bars?|ohlcv?|candles?|klines?)$",
    re.IGNORECASE,
)
"""Of what sources put behind an underscore, the words that no symbol ends with. A tenor, as in SWAP_3M, is one."""


def instrument_of(path: Path) -> str:
    """The instrument of a bar file: its name up to the first `-`."""
    return path.name.removesuffix(".parquet").split("-", 1)[0]


def symbol_of(path: Path) -> str:
    """The symbol that a file of any source is named for: `COIN` of COIN-15m-2024-01.csv, `BRK-A` of BRK-A.csv.gz and
    `0700.HK` of 0700.HK-1d.parquet. Dates, numbers and lengths at the end are left out, and nothing else: what is left
    out would make two share classes one instrument."""
    name = path.name
    while SUFFIX.search(name):
        name = SUFFIX.sub("", name)
    parts = re.split(r"([-.])", name)
    while len(parts) > 1 and (not parts[-1] or NOT_OF_THE_SYMBOL.fullmatch(parts[-1])):
        del parts[-2:]
    symbol = "".join(parts)
    while BEHIND_UNDERSCORE.search(symbol):
        symbol = BEHIND_UNDERSCORE.sub("", symbol)
    return symbol


def bar_file_symbol(symbol: str) -> str:
    """The symbol as the name of a bar file has it, where a dash ends the instrument: `BRK.A` for `BRK-A` and `BRK/A`,
    `EURUSD.X` for `EURUSD=X`."""
    return re.sub(r"[^A-Za-z0-9._]+", ".", symbol).strip(".")


def bar_file_name(path: Path) -> str:
    """The name of a bar file with the dots that keep its symbol whole: `BRK.A-1d.parquet` for `BRK-A-1d.parquet`."""
    symbol = symbol_of(path)
    return bar_file_symbol(symbol) + path.name[len(symbol) :]


def require_one_symbol_each(paths: Iterable[Path]) -> None:
    """Raises InvalidInput where files that are named for different symbols would be read as one instrument."""
    named: dict[str, Path] = {}
    for path in paths:
        instrument = instrument_of(path)
        other = named.setdefault(instrument, path)
        theirs, ours = symbol_of(other), symbol_of(path)
        if theirs != ours:
            raise InvalidInput(
                "same_instrument",
                f"{other} and {path} would both be the instrument {instrument}, as a name ends it at the first dash: "
                f"rename one of them, as in {bar_file_symbol(ours)}-1d.parquet",
            )
