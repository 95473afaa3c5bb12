"""Bar files as the project reads them, all or none."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.bars.reader import read_series
from app.bars.series import Series
from models.data.wording import length_of

NUMBERS = ("open", "high", "low", "close", "volume", "notional")


def file_name(series: Series) -> str:
    return f"{series.instrument}-{length_of(series.bar_seconds)}.parquet"


def write_all(folder: Path, every: Sequence[Series]) -> list[Path]:
    """Each series in its file, in place of one that is there. What is written is read back as the backtest reads it
    before any name changes: a failure leaves the folder as it was. Raises InvalidInput or OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as drafts:
        written = [(drafts.enter_context(_draft(folder, series)), folder / file_name(series)) for series in every]
        for draft, path in written:
            draft.replace(path)
    return [path for _, path in written]


@contextmanager
def _draft(folder: Path, series: Series) -> Iterator[Path]:
    """The series under a name that no reader looks for; gone in the end unless it got a name."""
    path = folder / f".{file_name(series)}.{os.getpid()}.part"
    try:
        pq.write_table(_table(series), path, compression="zstd")
        with path.open("rb") as file:
            os.fsync(file.fileno())
        read_series(path)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _table(series: Series) -> pa.Table:
    """`trades` only where the source counted them."""
    columns = {"timestamp": pa.array(series.open_time * 1000, pa.timestamp("ms", tz="UTC"))}
    columns |= {name: pa.array(getattr(series, name)) for name in NUMBERS}
    if series.trades.any():
        columns["trades"] = pa.array(series.trades.astype(np.int64))
    return pa.table(columns)
