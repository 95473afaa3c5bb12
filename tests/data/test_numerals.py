"""Decimal commas, separated thousands, currency signs: read where the file tells what they mean, and else refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from app.domain.errors import InvalidInput
from models.data.numerals import numbers_of
from models.data.places import places_of
from models.data.told import DecimalMark


def read(*cells: str | None, told: DecimalMark | None = None) -> list[float]:
    texts = {"Close": pa.chunked_array([pa.array(cells, pa.string())])}
    line = np.arange(2, 2 + len(cells))
    return list(numbers_of(texts, places_of(len(cells), line), told)[0]["Close"])


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("1.5", "1e3", " 2 "), [1.5, 1000.0, 2.0]),
        (("1,5", "1.234"), [1.5, 1234.0]),
        (("1.234,5", "12"), [1234.5, 12.0]),
        (("1.234.567", "1,234"), [1_234_567.0, 1.234]),
        (("1,234.5", "12"), [1234.5, 12.0]),
        (("1,234,567", "1.234"), [1_234_567.0, 1.234]),
        (("12,34,567.5",), [1_234_567.5]),
        (("0,123", "1.234"), [0.123, 1234.0]),
        (("1,2E+05",), [120_000.0]),
        (("1 234,5", "1\u00a0234,5", "1\u202f234,5"), [1234.5] * 3),
        (("1'234.5", "1\u2019234.5"), [1234.5] * 2),
        (("$1,234.50", "-$2", "3.5 \u20ac"), [1234.5, -2.0, 3.5]),
    ],
)
def test_marks_mean_what_one_number_of_the_file_shows(cells: tuple[str, ...], values: list[float]) -> None:
    assert read(*cells) == values


def test_an_empty_cell_is_no_number_and_no_fault() -> None:
    first, second = read("1,5", None)

    assert first == 1.5
    assert np.isnan(second)


@pytest.mark.parametrize(("told", "value"), [(DecimalMark.POINT, 1234.0), (DecimalMark.COMMA, 1.234)])
def test_the_user_tells_the_mark_where_no_number_does(told: DecimalMark, value: float) -> None:
    assert read("1,234", told=told) == [value]


@pytest.mark.parametrize(
    ("cells", "told", "detail"),
    [
        (("12", "1,234"), None, r"'1,234' in row 1, line 3 may be 1234 or 1\.234.*--decimal point or --decimal"),
        (("1.5", "2,5"), None, "Close '1.5' in row 0, line 2 has a decimal point and Close '2,5' in row 1, line 3 a"),
        (("2,5",), DecimalMark.POINT, "--decimal point, but Close '2,5' in row 0, line 2 has a decimal comma"),
        (("1,5", "ten"), None, "Close 'ten' in row 1, line 3 is no number: correct it or take the row out"),
        (("1,5", "1.23.4"), None, "is no number"),
        (("12%",), None, "Close '12%' in row 0, line 2 is no number"),
    ],
)
def test_what_is_open_or_no_number_is_refused_with_its_place(
    cells: tuple[str, ...], told: DecimalMark | None, detail: str
) -> None:
    with pytest.raises(InvalidInput, match=detail):
        read(*cells, told=told)
