"""Bar files: Parquet, one per instrument, checked before anything is computed from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.bars.file_names import SYMBOL_COLUMNS, instrument_of
from app.bars.series import Series
from app.domain.errors import InvalidInput

PRICES = ("open", "high", "low", "close")
MAKE = "lem data convert makes bar files"
MEND = "lem data convert sorts rows and drops repeated ones"
CORRECT = "correct the row or take it out; lem data check lists what is wrong"
REQUIRED = ("timestamp", *PRICES, "volume", "notional")


def read_series(path: Path) -> Series:
    """The bars of one file; the instrument is the file's name up to the first `-`.

    `timestamp` is the open of the bar, UTC. The length of the bars is the commonest distance between two opens. Raises
    InvalidInput with the file, the column and the first bad row.
    """
    table = _table(path)
    seconds = _open_times(path, table)
    columns: dict[str, Any] = {name: _numbers(path, table, name) for name in REQUIRED[1:]}
    trades = _numbers(path, table, "trades") if "trades" in table.column_names else np.zeros(len(seconds))
    _check_values(path, columns)
    return Series(
        instrument=instrument_of(path),
        bar_seconds=bar_seconds_of(seconds),
        open_time=seconds,
        **columns,
        trades=trades,
        synthetic=np.zeros(len(seconds), dtype=np.bool_),
    )


def _table(path: Path) -> pa.Table:
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise InvalidInput("no_such_file", f"{path} does not exist") from None
    except pa.ArrowInvalid as error:
        # What pyarrow says of a CSV is long, and no help.
        why = "it is another kind of file, or broken"
        raise InvalidInput("not_parquet", f"{path} cannot be read as Parquet: {why}; {MAKE}") from error
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput("not_parquet", f"{path} cannot be read as Parquet: {error}; {MAKE}") from error
    missing = [name for name in REQUIRED if name not in table.column_names]
    if missing:
        raise InvalidInput(
            "missing_column", f"{path} has no column {', '.join(missing)}: lem data convert makes bar files"
        )
    _require_one_instrument(path, table)
    if table.num_rows < 2:  # noqa: PLR2004 - one bar has no length
        raise InvalidInput("too_few_bars", f"{path} has {table.num_rows} bars; at least 2 are needed")
    return table


def _require_one_instrument(path: Path, table: pa.Table) -> None:
    for name in filter(lambda name: name.lower() in SYMBOL_COLUMNS, table.column_names):
        symbols = table.column(name).unique().drop_null().to_pylist()
        if len(symbols) > 1:
            raise InvalidInput(
                "several_instruments",
                f"{path}: {name} holds {len(symbols)} instruments, {symbols[0]} and {symbols[1]} among them: "
                "lem data convert makes a file of each",
            )


def _open_times(path: Path, table: pa.Table) -> NDArray[np.int64]:
    column = table.column("timestamp")
    if not pa.types.is_timestamp(column.type):
        raise InvalidInput(
            "bad_timestamp", f"{path}: timestamp is {column.type}, not a timestamp: lem data convert reads other times"
        )
    if column.null_count:
        row = _first(column.is_null().to_numpy())
        raise InvalidInput(
            "bad_timestamp", f"{path}: timestamp has empty values, first in row {row}: take such rows out"
        )
    seconds: NDArray[np.int64] = column.cast(pa.timestamp("s"), safe=False).to_numpy().astype(np.int64)
    step = np.diff(seconds)
    if (step < 0).any():
        raise InvalidInput(
            "unsorted", f"{path}: timestamp in row {_first(step < 0) + 1} is older than in the row before it: {MEND}"
        )
    if (step == 0).any():
        raise InvalidInput(
            "duplicate_times", f"{path}: timestamp in row {_first(step == 0) + 1} is that of the row before it: {MEND}"
        )
    return seconds


def _numbers(path: Path, table: pa.Table, name: str) -> NDArray[np.float64]:
    """The values of a column. NaN and empty values are refused except in `notional`, which a feed may lack."""
    try:
        values: NDArray[np.float64] = table.column(name).cast(pa.float64()).to_numpy()
    except pa.ArrowException as error:
        raise InvalidInput("not_a_number", f"{path}: {name} does not hold numbers: {error}") from error
    bad = np.isinf(values) if name == "notional" else ~np.isfinite(values)
    bad |= values < 0.0
    if bad.any():
        raise InvalidInput("bad_value", f"{path}: {name} is {values[_first(bad)]} in row {_first(bad)}: {CORRECT}")
    return values


def _check_values(path: Path, columns: dict[str, NDArray[np.float64]]) -> None:
    high, low = columns["high"], columns["low"]
    if (high < low).any():
        raise InvalidInput("high_below_low", f"{path}: high is below low in row {_first(high < low)}: {CORRECT}")
    for name in PRICES:
        outside = (columns[name] < low) | (columns[name] > high) | (columns[name] <= 0.0)
        if outside.any():
            raise InvalidInput(
                "price_outside_range",
                f"{path}: {name} is not above 0 and within low..high in row {_first(outside)}: {CORRECT}",
            )


def bar_seconds_of(seconds: NDArray[np.int64]) -> int:
    """The commonest distance between neighbours in `seconds`, the opens of at least two bars."""
    lengths, counts = np.unique(np.diff(seconds), return_counts=True)
    return int(lengths[np.argmax(counts)])


def _first(bad: NDArray[np.bool_]) -> int:
    return int(np.argmax(bad))
