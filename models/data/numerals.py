"""Read numbers however they are written: decimal point or comma, thousands separated, currency signs.

What the marks mean is decided over all numbers of a file, since one value may leave it open: 1,234 is either 1234 or
1.234. Where no value tells it the file is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from app.bars.series import Vector
from app.domain.errors import InvalidInput
from models.data.places import Places
from models.data.told import DecimalMark

MARKS = {DecimalMark.POINT: ".", DecimalMark.COMMA: ","}
SPACES = r"[ '\x{2019}\x{a0}\x{202f}\x{2009}]"
"""What separates thousands besides the point and the comma, in France and in Switzerland."""
CURRENCY = r"^([-+]?)[$€£¥]\s*|\s*[$€£¥]$"
REWRITE = "write numbers with a decimal point and without thousands separators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value of the column `name`, and its place in the file."""

    name: str
    value: str
    place: str

    def __str__(self) -> str:
        return f"{self.name} {self.value[:40]!r} in {self.place}"


def numbers_of(
    texts: Mapping[str, pa.ChunkedArray], places: Places, told: DecimalMark | None
) -> tuple[dict[str, Vector], list[str]]:
    """The values of each column, NaN where a cell is empty, and in which way they were read where it was not the usual.

    Raises InvalidInput with the first cell that is no number, or that shows that the marks cannot be told.
    """
    texts = {name: pc.utf8_trim_whitespace(column) for name, column in texts.items()}
    if told is not DecimalMark.COMMA:
        try:
            return {name: _floats(column) for name, column in texts.items()}, []
        except pa.ArrowInvalid:
            pass
    texts = {name: _without_spaces(column) for name, column in texts.items()}
    mark, notes = _decimal_mark(texts, places, told)
    return {name: _read(name, column, mark, places) for name, column in texts.items()}, notes


def _decimal_mark(
    texts: Mapping[str, pa.ChunkedArray], places: Places, told: DecimalMark | None
) -> tuple[str, list[str]]:
    proofs = {mark: next(_cells(texts, places, _proof(sign)), None) for mark, sign in MARKS.items()}
    point, comma = proofs[DecimalMark.POINT], proofs[DecimalMark.COMMA]
    if point and comma:
        raise InvalidInput("decimal_marks", f"{point} has a decimal point and {comma} a decimal comma: {REWRITE}")
    if told and proofs[(refuting := next(mark for mark in MARKS if mark is not told))]:
        raise InvalidInput("decimal_marks", f"--decimal {told}, but {proofs[refuting]} has a decimal {refuting}")
    if told or point or comma:
        mark = told or (DecimalMark.POINT if point else DecimalMark.COMMA)
        shown = f", as {proofs[mark]} shows" if proofs[mark] else ""
        return MARKS[mark], [f"numbers have a decimal {mark}{shown}"]
    unclear = next(_cells(texts, places, r"^[-+]?[1-9]\d{0,2},\d{3}$"), None)
    if unclear:
        plain = unclear.value.replace(",", "")
        raise InvalidInput(
            "decimal_marks",
            f"{unclear} may be {plain} or {unclear.value.replace(',', '.')}, and no number of the file tells which: "
            f"give --decimal point or --decimal comma, or {REWRITE}",
        )
    return MARKS[DecimalMark.POINT], []


def _proof(mark: str) -> str:
    """What a number looks like that can have no other decimal mark: decimals behind it that are no three digits after
    one to three, or the other mark before it, or several of the other."""
    decimal, other = (r"\.", ",") if mark == "." else (",", r"\.")
    exponent = r"(?:[eE][-+]?\d+)?"
    decimals = rf"\d*{decimal}(?:\d{{0,2}}|\d{{4,}}){exponent}|(?:0\d*|\d{{4,}})?{decimal}\d+{exponent}"
    return rf"^[-+]?(?:{decimals}|{_grouped(other)}{decimal}\d*|\d{{1,3}}(?:{other}\d{{2,3}})+{other}\d{{3}})$"


def _grouped(mark: str) -> str:
    """Whole numbers whose thousands are separated, in India their hundreds from there on."""
    return rf"\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}"


def _read(name: str, column: pa.ChunkedArray, mark: str, places: Places) -> Vector:
    other = r"\." if mark == "," else ","
    grouped = pc.match_substring_regex(column, rf"^[-+]?{_grouped(other)}(?:{mark if mark == ',' else '[.]'}\d*)?$")
    plain = pc.if_else(grouped, pc.replace_substring_regex(column, other, ""), column)
    if mark == ",":
        # a point that separates no thousands must not become a decimal point
        plain = pc.replace_substring_regex(plain, r"\.", "?")
        plain = pc.replace_substring(plain, ",", ".")
    try:
        return _floats(plain)
    except pa.ArrowInvalid:
        pass
    bad = next(index for index in range(len(plain)) if not _is_float(plain[index]))
    cell = Cell(name=name, value=column[bad].as_py(), place=places.at(bad))
    raise InvalidInput("not_a_number", f"{cell} is no number: correct it or take the row out")


def _without_spaces(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Without currency signs, and without spaces and apostrophes between thousands."""
    column = pc.replace_substring_regex(column, CURRENCY, r"\1")
    spaced = pc.match_substring_regex(column, rf"^[-+]?\d{{1,3}}(?:{SPACES}\d{{3}})+(?:[.,]\d*)?$")
    return pc.if_else(spaced, pc.replace_substring_regex(column, SPACES, ""), column)


def _cells(texts: Mapping[str, pa.ChunkedArray], places: Places, pattern: str) -> Iterator[Cell]:
    """The first cell of each column that looks like the pattern."""
    for name, column in texts.items():
        index = pc.index(pc.fill_null(pc.match_substring_regex(column, pattern), False), True).as_py()
        if index >= 0:
            yield Cell(name=name, value=column[index].as_py(), place=places.at(index))


def _floats(column: pa.ChunkedArray) -> Vector:
    values: Vector = column.cast(pa.float64()).to_numpy()
    return values


def _is_float(cell: pa.Scalar) -> bool:
    try:
        cell.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
