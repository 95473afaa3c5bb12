"""Bars of a user's file as they stand: read, with the project's column names, not yet checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.bars.series import Vector
from app.domain.errors import InvalidInput
from models.data.column_names import TIME_OF_DAY, find_columns
from models.data.headers import Header
from models.data.numerals import numbers_of
from models.data.places import Places, joined_places
from models.data.times import Times, times_of
from models.data.told import Told

Found = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBars:
    """T rows of one instrument in the order of their file.

    `symbol` is what the file calls the instrument, empty where it does not. `open_time` is [T] in seconds since the
    epoch. `columns` are [T] each, NaN where the file has no value: all of `column_names.NUMBERS`, and those of
    `OPTIONAL` that the file has. `zoned` says whether the times name their zone, or need none; others are taken as UTC.
    `notes` say how the file was read where it was not the usual way.
    """

    open_time: NDArray[np.int64]
    zoned: bool
    columns: dict[str, Vector]
    places: Places
    symbol: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.open_time)

    def pick(self, chosen: NDArray[np.int64]) -> RawBars:
        """The rows at the given indices."""
        return replace(
            self,
            open_time=self.open_time[chosen],
            columns={name: values[chosen] for name, values in self.columns.items()},
            places=self.places.pick(chosen),
        )


def raw_bars(header: Header, table: pa.Table, places: Places, told: Told) -> list[RawBars]:
    """The bars of each instrument of a table. Raises InvalidInput where a column is missing or holds wrong values."""
    indices = {symbol: header.columns_of(symbol) for symbol in header.instruments}
    found = {symbol: _found(header, columns, told) for symbol, columns in indices.items()}
    first = next(iter(found.values()))
    times = times_of(_time_column(table, first), places, told)
    numbers, notes = _numbers(header, table, found, places, told)
    if "symbol" in first:
        whole = _instrument("", first, times, numbers, places, notes)
        return _split(whole, table.column(first["symbol"]))
    every = [_instrument(symbol, columns, times, numbers, places, notes) for symbol, columns in found.items()]
    return [_with_values(one) for one in every] if len(every) > 1 else every


def joined(parts: list[RawBars]) -> RawBars:
    """All rows of all parts, one part after the other; a column that a part lacks is NaN in its rows."""
    names = dict.fromkeys(name for part in parts for name in part.columns)
    return RawBars(
        open_time=np.concatenate([part.open_time for part in parts]),
        zoned=all(part.zoned for part in parts),
        columns={name: np.concatenate([_column(part, name) for part in parts]) for name in names},
        places=joined_places([part.places for part in parts]),
        symbol=parts[0].symbol,
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _column(part: RawBars, name: str) -> Vector:
    return part.columns[name] if name in part.columns else np.full(len(part), np.nan)


def _found(header: Header, columns: list[int], told: Told) -> dict[str, int]:
    found = find_columns([header.names[index] for index in columns], told.columns)
    return {name: columns[index] for name, index in found.items()}


def _time_column(table: pa.Table, found: Found) -> pa.ChunkedArray:
    column = table.column(found["timestamp"])
    if TIME_OF_DAY not in found:
        return column
    parts = (column, table.column(found[TIME_OF_DAY]))
    try:
        date, time = (part.cast(pa.string()) for part in parts)
    except pa.ArrowException as error:
        raise InvalidInput("bad_timestamp", f"date and time cannot be joined: {error}") from error
    return pc.binary_join_element_wise(date, time, " ")


def _numbers(
    header: Header, table: pa.Table, found: Mapping[str, Found], places: Places, told: Told
) -> tuple[dict[int, Vector], tuple[str, ...]]:
    """The values of every column of numbers by its index; the marks of text are those of the whole file."""
    no_numbers = ("timestamp", TIME_OF_DAY, "symbol")
    wanted = {index for columns in found.values() for name, index in columns.items() if name not in no_numbers}
    names = {index: _shown(header, index) for index in sorted(wanted)}
    texts = {index: table.column(index) for index in names if pa.types.is_string(table.column(index).type)}
    values = {index: _floats(table.column(index), names[index]) for index in names if index not in texts}
    read, notes = numbers_of({names[index]: text for index, text in texts.items()}, places, told.decimal)
    return values | {index: read[names[index]] for index in texts}, tuple(notes)


def _shown(header: Header, index: int) -> str:
    """The column's name for messages, which no other column has."""
    name, symbol = header.names[index], header.symbols[index]
    if symbol:
        return f"{name} of {symbol}"
    return name if header.names.count(name) == 1 else f"{name} (column {index})"


def _floats(column: pa.ChunkedArray, name: str) -> Vector:
    try:
        values: Vector = column.cast(pa.float64(), safe=False).to_numpy()
    except pa.ArrowException as error:
        raise InvalidInput("not_a_number", f"{name} does not hold numbers: {error}") from error
    return values


def _instrument(
    symbol: str,
    found: Found,
    times: Times,
    numbers: Mapping[int, Vector],
    places: Places,
    notes: tuple[str, ...],
) -> RawBars:
    return RawBars(
        open_time=times.seconds,
        zoned=times.zoned,
        columns={name: numbers[index] for name, index in found.items() if index in numbers},
        places=places,
        symbol=symbol,
        notes=(*times.notes, *notes),
    )


def _with_values(raw: RawBars) -> RawBars:
    """The rows with any value: where instruments lie side by side, the others are those of another exchange's days."""
    values = np.stack(list(raw.columns.values()))
    return raw.pick(np.flatnonzero(~np.isnan(values).all(axis=0)))


def _split(raw: RawBars, symbols: pa.ChunkedArray) -> list[RawBars]:
    """The bars of each instrument that the column names, in the order in which they come."""
    text = pc.utf8_trim_whitespace(symbols.cast(pa.string()))
    empty = pc.fill_null(pc.equal(text, ""), True).to_numpy()
    if empty.any():
        place = raw.places.at(int(np.argmax(empty)))
        raise InvalidInput("bad_symbol", f"the symbol in {place} is empty: name the instrument or take the row out")
    coded = text.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.unify_dictionaries().combine_chunks()
    codes = coded.indices.to_numpy()
    symbols_there = enumerate(coded.dictionary.to_pylist())
    return [replace(raw.pick(np.flatnonzero(codes == code)), symbol=symbol) for code, symbol in symbols_there]
