"""Read raw bars from Parquet and CSV files, and from CSV in memory."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from app.domain.errors import InvalidInput
from models.data.column_names import find_columns
from models.data.raw import RawBars, raw_bars

PARQUET_SUFFIXES = (".parquet", ".pq")
PARQUET_MAGIC = b"PAR1"
DELIMITERS = ",;\t|"

KLINE_COLUMNS = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "trades", "taker_buy_volume",
    "taker_buy_quote_volume", "ignore",
)  # fmt: skip
"""The columns of Binance's kline archives. Older archives have no header."""


def is_parquet(path: Path) -> bool:
    if path.suffix.lower() in PARQUET_SUFFIXES:
        return True
    with path.open("rb") as file:
        return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def read_bars(path: Path, mapping: Mapping[str, str]) -> RawBars:
    """The bars of a Parquet or CSV file (`.csv.gz` and the like too), as they stand.

    `mapping` gives columns with unusual names (see `column_names.ALIASES`). Raises InvalidInput that names the file.
    """
    try:
        if is_parquet(path):
            return raw_bars(pq.read_table(path), mapping)
        with pa.input_stream(str(path)) as stream:
            return parse_csv(stream.read(), mapping)
    except FileNotFoundError:
        raise InvalidInput("no_such_file", f"{path} does not exist") from None
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput("unreadable", f"{path} cannot be read: {error}") from error
    except InvalidInput as error:
        raise InvalidInput(error.code, f"{path}: {error.detail}") from error


def parse_csv(data: bytes, mapping: Mapping[str, str]) -> RawBars:
    """The bars of a CSV: a header, then a bar in each line. Twelve columns without a header are Binance klines.

    Raises InvalidInput, with Arrow's own words for a line that does not parse (rows count from 1, the header's line).
    """
    header, delimiter, headed = _header(data)
    wanted = find_columns(header, mapping)
    types = {str(index): pa.float64() for index in wanted.values()} | {str(wanted["timestamp"]): pa.string()}
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            pa_csv.ReadOptions(
                column_names=[str(index) for index in range(len(header))], skip_rows=int(headed), use_threads=False
            ),
            pa_csv.ParseOptions(delimiter=delimiter),
            pa_csv.ConvertOptions(column_types=types, include_columns=list(types), strings_can_be_null=True),
        )
    except pa.ArrowInvalid as error:
        raise InvalidInput("not_csv", f"{error} (columns count from 0)") from error
    return raw_bars(table.rename_columns(list(wanted)), {})


def _header(data: bytes) -> tuple[Sequence[str], str, bool]:
    """The names of the columns, the delimiter, and whether the first line holds the names."""
    try:
        line = data.partition(b"\n")[0].decode("utf-8-sig").strip("\r")
    except UnicodeDecodeError:
        raise InvalidInput("not_csv", "the file is neither Parquet nor text in UTF-8") from None
    delimiter = max(DELIMITERS, key=line.count)
    names = next(csv.reader([line], delimiter=delimiter), [])
    if not any(map(_is_number, names)):
        return names, delimiter, True
    if len(names) == len(KLINE_COLUMNS):
        return KLINE_COLUMNS, delimiter, False
    raise InvalidInput("no_header", f"the first line is {line[:80]!r}: it must name the columns")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
