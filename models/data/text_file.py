"""Read text files as tables of text: whatever the encoding, the delimiter, and what stands above the bars."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from io import BytesIO
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from app.domain.errors import InvalidInput
from models.data.column_names import REQUIRED
from models.data.headers import Header, header_of

DELIMITERS = ",;\t|"
HEAD_LINES = 20
"""So many lines are looked through for the names of the columns."""
NULLS = ["", "#N/A", "N/A", "n/a", "NA", "NaN", "nan", "NULL", "null", "None", "none", "-", "--"]
UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
ZIP_MAGIC = b"PK\x03\x04"
GZIP_MAGIC = b"\x1f\x8b"
RAGGED = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")

KLINE_COLUMNS = (
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "trades", "taker_buy_volume",
    "taker_buy_quote_volume", "ignore",
)  # fmt: skip
"""The columns of Binance's kline archives. Older archives have no header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTable:
    """The cells of a text file as text, a column for each name of the header; `line` [T] is the line of each row in the
    file, from 1, and None where rows are no lines."""

    header: Header
    cells: pa.Table
    line: NDArray[np.int64] | None


def text_table(data: bytes) -> TextTable:
    """The table in a text file. Raises InvalidInput with the line that does not parse."""
    text = _utf8(data)
    head = _head_of(text)
    body = text[head.ends :]
    line = _lines_of(body, head.lines)
    names = [str(index) for index in range(len(head.header.names))]
    try:
        cells = pa_csv.read_csv(
            pa.BufferReader(body),
            pa_csv.ReadOptions(column_names=names, use_threads=False),
            pa_csv.ParseOptions(delimiter=head.delimiter),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=NULLS, strings_can_be_null=True
            ),
        ) if body.strip() else pa.table({name: pa.array([], pa.string()) for name in names})  # fmt: skip
    except pa.ArrowInvalid as error:
        raise InvalidInput("not_csv", _parse_error(str(error), head, line)) from error
    return TextTable(
        header=head.header, cells=cells, line=line if line is not None and len(line) == len(cells) else None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What stands above the bars: the first bar begins after `ends` bytes, which are `lines` lines."""

    header: Header
    delimiter: str
    ends: int
    lines: int


def _head_of(data: bytes) -> Head:
    lines = [line.decode() for line in islice(BytesIO(data), HEAD_LINES)]
    first = next((index for index, line in enumerate(lines) if len(_cells(line)[0]) >= len(REQUIRED)), None)
    if first is None:
        first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is None:
        raise InvalidInput("empty_file", "the file is empty")
    names, delimiter = _cells(lines[first])
    if any(map(_is_number, names)):
        if len(names) != len(KLINE_COLUMNS):
            raise InvalidInput(
                "no_header", f"line {first + 1} is {lines[first][:80].strip()!r}: it must name the columns"
            )
        header, count = Header(names=KLINE_COLUMNS, symbols=("",) * len(names)), 0
    else:
        header, count = header_of([_cells(line, delimiter)[0] or [""] for line in lines[first : first + 3]])
    above = lines[: first + count]
    return Head(header=header, delimiter=delimiter, ends=len("".join(above).encode()), lines=len(above))


def _cells(line: str, delimiter: str = "") -> tuple[list[str], str]:
    """The cells of a line, and their delimiter where it is not given."""
    chosen = delimiter or max(DELIMITERS, key=line.count)
    return next(csv.reader([line.strip("\r\n")], delimiter=chosen), []), chosen


def _utf8(data: bytes) -> bytes:
    """The text without its byte order mark, with line feeds at the ends of lines. Raises InvalidInput."""
    if data.startswith(ZIP_MAGIC):
        raise InvalidInput("not_csv", "the file is a zip archive or a spreadsheet: unpack it, or save the sheet as CSV")
    if data.startswith(GZIP_MAGIC):
        raise InvalidInput("not_csv", "the file is packed with gzip: name it with .gz at the end")
    try:
        encoding = UTF16.get(data[:2])
        text = data.decode(encoding).encode() if encoding else data
        text.decode()
    except UnicodeDecodeError:
        raise InvalidInput("not_csv", "the file is neither Parquet nor text in UTF-8: save it as CSV") from None
    text = text.removeprefix(b"\xef\xbb\xbf")
    return text if b"\n" in text else text.replace(b"\r", b"\n")


def _lines_of(body: bytes, above: int) -> NDArray[np.int64] | None:
    """The number of each line that is not empty, after `above` others; None where a quote may hold a line break."""
    if body.count(b'"') % 2:
        return None
    ends = np.flatnonzero(np.frombuffer(body, dtype=np.uint8) == ord("\n"))
    if body and not body.endswith(b"\n"):
        ends = np.append(ends, len(body))
    begins = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    length = ends - begins
    lone = np.frombuffer(body + b"\n", dtype=np.uint8)[np.minimum(begins, len(body))] == ord("\r")
    filled = (length > 1) | ((length == 1) & ~lone)
    found: NDArray[np.int64] = np.flatnonzero(filled) + above + 1
    return found


def _parse_error(said: str, head: Head, line: NDArray[np.int64] | None) -> str:
    ragged = RAGGED.search(said)
    if ragged is None:
        return said
    row, expected, got = (int(number) for number in ragged.groups())
    where = f"line {line[row - 1]}" if line is not None and row <= len(line) else f"row {row - 1}"
    text = f"{where} has {got} columns where the header names {expected}"
    if got > expected and head.delimiter == ",":
        return f"{text}: decimal commas need semicolons between the columns, or quotes around the numbers"
    return f"{text}: correct the line or take it out"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
