"""Read raw bars from Parquet and CSV files, and from CSV in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from app.domain.errors import InvalidInput
from models.data.headers import flat_header
from models.data.places import places_of
from models.data.raw import RawBars, raw_bars
from models.data.text_file import text_table
from models.data.told import Told

PARQUET_SUFFIXES = (".parquet", ".pq")
PARQUET_MAGIC = b"PAR1"
TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
PACKED_SUFFIXES = (".gz", ".bz2", ".zst", ".lz4")


def is_parquet(path: Path) -> bool:
    if path.suffix.lower() in PARQUET_SUFFIXES:
        return True
    with path.open("rb") as file:
        return file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files themselves, and all bar files and tables in folders. Raises InvalidInput where a folder has none."""
    found: dict[Path, None] = {}
    for path in paths:
        inside = sorted(filter(_is_table, path.iterdir())) if path.is_dir() else [path]
        if not inside:
            raise InvalidInput("no_such_file", f"{path} is a folder without CSV or Parquet files")
        found |= dict.fromkeys(inside)
    return list(found)


def read_bars(path: Path, told: Told | None = None) -> list[RawBars]:
    """The bars of each instrument of a Parquet or CSV file (`.csv.gz` and the like too), as they stand.

    Raises InvalidInput that names the file.
    """
    told = told or Told()
    try:
        if is_parquet(path):
            table = pq.read_table(path)
            return raw_bars(flat_header(table.column_names), _plain(table), places_of(len(table), file=str(path)), told)
        with pa.input_stream(str(path)) as stream:
            return parse_csv(stream.read(), told, str(path))
    except FileNotFoundError:
        raise InvalidInput("no_such_file", f"{path} does not exist") from None
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput("unreadable", f"{path} cannot be read: {error}") from error
    except InvalidInput as error:
        raise InvalidInput(error.code, f"{path}: {error.detail}") from error


def parse_csv(data: bytes, told: Told | None = None, file: str = "") -> list[RawBars]:
    """The bars of each instrument of a CSV: a header, then a bar in each line. Twelve columns without a header are
    Binance klines. Raises InvalidInput with the first line or cell that does not parse."""
    text = text_table(data)
    return raw_bars(text.header, text.cells, places_of(len(text.cells), text.line, file), told or Told())


def _is_table(path: Path) -> bool:
    name = path.with_suffix("") if path.suffix.lower() in PACKED_SUFFIXES else path
    return path.is_file() and name.suffix.lower() in (*PARQUET_SUFFIXES, *TEXT_SUFFIXES)


def _plain(table: pa.Table) -> pa.Table:
    """The table with categories and long strings as plain strings."""
    columns = [column.cast(pa.string()) if _holds_text(column.type) else column for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _holds_text(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_large_string(value) or pa.types.is_string_view(value) or pa.types.is_string(value))
