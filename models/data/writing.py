"""Bar files as the project reads them, all or none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.bars.reader import read_series
from app.bars.series import Series
from models.data.drafts import own_draft
from models.data.wording import length_of

NUMBERS = ("open", "high", "low", "close", "volume", "notional")


def file_name(series: Series) -> str:
    return f"{series.instrument}-{length_of(series.bar_seconds)}.parquet"


def write_all(folder: Path, every: Sequence[Series]) -> list[Path]:
    """Write each series to its file, in place of one that is there.

    Every draft is read back as the backtest reads it before any file is replaced, so a failure leaves the folder as it
    was. Raises InvalidInput or OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / file_name(series) for series in every]
    with ExitStack() as stack:
        drafts = [stack.enter_context(own_draft(path)) for path in paths]
        for draft, series in zip(drafts, every, strict=True):
            _write(draft, series)
        for draft, path in zip(drafts, paths, strict=True):
            draft.replace(path)
    return paths


def _write(path: Path, series: Series) -> None:
    pq.write_table(_table(series), path, compression="zstd")
    with path.open("rb") as file:
        os.fsync(file.fileno())
    read_series(path)


def _table(series: Series) -> pa.Table:
    """`trades` only where the source counted them."""
    columns = {"timestamp": pa.array(series.open_time * 1000, pa.timestamp("ms", tz="UTC"))}
    columns |= {name: pa.array(getattr(series, name)) for name in NUMBERS}
    if series.trades.any():
        columns["trades"] = pa.array(series.trades.astype(np.int64))
    return pa.table(columns)
