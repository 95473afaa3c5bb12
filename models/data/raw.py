"""Bars of a user's file as they stand: read, with the project's column names, not yet checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.bars.series import Vector
from app.domain.errors import InvalidInput
from models.data.column_names import find_columns
from models.data.times import seconds_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBars:
    """T rows in the order of their file.

    `open_time` is [T] in seconds since the epoch. `columns` are [T] each, NaN where the file has no value: all of
    `column_names.NUMBERS`, and those of `OPTIONAL` that the file has. `zoned` says whether the times name their zone;
    times without a zone are taken as UTC.
    """

    open_time: NDArray[np.int64]
    zoned: bool
    columns: dict[str, Vector]

    def __len__(self) -> int:
        return len(self.open_time)

    def pick(self, chosen: NDArray[np.int64]) -> RawBars:
        """The rows at the given indices."""
        columns = {name: values[chosen] for name, values in self.columns.items()}
        return RawBars(open_time=self.open_time[chosen], zoned=self.zoned, columns=columns)


def raw_bars(table: pa.Table, mapping: Mapping[str, str]) -> RawBars:
    """The bars of a table. Raises InvalidInput where a column is missing or holds wrong values."""
    found = find_columns(table.column_names, mapping)
    open_time, zoned = seconds_of(table.column(found.pop("timestamp")))
    columns = {name: _numbers(table.column(index), name) for name, index in found.items()}
    return RawBars(open_time=open_time, zoned=zoned, columns=columns)


def joined(parts: list[RawBars]) -> RawBars:
    """All rows of all parts, one part after the other; a column that a part lacks is NaN in its rows."""
    names = dict.fromkeys(name for part in parts for name in part.columns)
    return RawBars(
        open_time=np.concatenate([part.open_time for part in parts]),
        zoned=all(part.zoned for part in parts),
        columns={name: np.concatenate([_column(part, name) for part in parts]) for name in names},
    )


def _column(part: RawBars, name: str) -> Vector:
    return part.columns[name] if name in part.columns else np.full(len(part), np.nan)


def _numbers(column: pa.ChunkedArray, name: str) -> Vector:
    try:
        values: Vector = column.cast(pa.float64(), safe=False).to_numpy()
    except pa.ArrowException as error:
        raise InvalidInput("not_a_number", f"{name} does not hold numbers: {error}") from error
    return values
