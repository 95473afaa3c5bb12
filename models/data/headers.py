"""The names of a table's columns, and of the instruments where columns of several lie side by side.

yfinance writes three lines above the bars: the fields, the tickers (or the tickers first), and the name of the index.
A Parquet file of the same table has names such as `('Close', 'AAPL')`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.data.column_names import fields_among

TUPLE = re.compile(r"""\(\s*(['"])(.*?)\1\s*,\s*(['"])(.*?)\3\s*\)""")
HEADER_LINES_MAX = 3

Line = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The name of each column, and the symbol of its instrument: an empty one where the header names none."""

    names: tuple[str, ...]
    symbols: tuple[str, ...]

    @property
    def instruments(self) -> tuple[str, ...]:
        """The symbols in their order; only an empty one where the header names none."""
        return tuple(dict.fromkeys(filter(None, self.symbols))) or ("",)

    def columns_of(self, symbol: str) -> list[int]:
        """The indices of the instrument's columns, and of those that all instruments share, such as the time."""
        return [index for index, theirs in enumerate(self.symbols) if theirs in ("", symbol)]


def flat_header(names: Sequence[str]) -> Header:
    """The header of a table whose columns have one name each."""
    pairs = [TUPLE.fullmatch(name) for name in names]
    if not any(pairs):
        return Header(names=tuple(names), symbols=("",) * len(names))
    upper = [pair[2] if pair else "" for pair in pairs]
    lower = [pair[4] if pair else "" for pair in pairs]
    found = _levels(upper, lower)
    whole = [name if pair is None else theirs for name, pair, theirs in zip(names, pairs, found.names, strict=True)]
    return Header(names=tuple(whole), symbols=found.symbols)


def header_of(lines: Sequence[Line]) -> tuple[Header, int]:
    """The header that a text file begins with, of which these are the first lines, and how many lines it has."""
    count = next((index + 1 for index in range(1, min(len(lines), HEADER_LINES_MAX)) if _names_index(lines, index)), 1)
    if count == 1:
        return flat_header(lines[0]), 1
    index_name = lines[count - 1][0]
    upper, lower = lines[0][1:], lines[count - 2][1:]
    found = _levels(upper, lower) if count == HEADER_LINES_MAX else flat_header(upper)
    return Header(names=(index_name, *found.names), symbols=("", *found.symbols)), count


def _names_index(lines: Sequence[Line], index: int) -> bool:
    """Whether the line holds the name of the index and nothing else, under lines of as many columns."""
    first, *others = lines[index]
    one_width = {len(line) for line in lines[: index + 1]} == {len(lines[0])}
    return one_width and bool(others) and first.strip().isalpha() and not any(cell.strip() for cell in others)


def _levels(upper: Line, lower: Line) -> Header:
    """Of the two names of each column the one is its field and the other its instrument's."""
    names, symbols = (upper, lower) if fields_among(upper) >= fields_among(lower) else (lower, upper)
    return Header(names=tuple(names), symbols=tuple(symbol.strip() for symbol in symbols))
