"""Numbers and times on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from app.api.values import parse_decimal, parse_time, plain, utc

WIRE_DECIMALS = st.decimals(
    min_value=Decimal("-1e15"), max_value=Decimal("1e15"), places=12, allow_nan=False, allow_infinity=False
).filter(lambda value: abs(value) < Decimal("1e15"))


@given(WIRE_DECIMALS)
def test_a_decimal_survives_the_way_in_and_out_without_an_exponent(value: Decimal) -> None:
    text = plain(parse_decimal(f"{value:f}"))

    assert Decimal(text) == value
    assert "E" not in text.upper()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1E+3", "1000"),
        ("1E-9", "0.000000001"),
        ("-0.0", "0"),
        ("2.500", "2.5"),
        ("0.33333333333333", "0.333333333333"),
    ],
)
def test_decimals_leave_plain_and_rounded_to_twelve_places(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.5, "decimal_not_a_string"),
        (3, "decimal_not_a_string"),
        (True, "decimal_not_a_string"),
        (None, "decimal_not_a_string"),
        ("NaN", "not_finite"),
        ("-Infinity", "not_finite"),
        ("1e3", "not_a_decimal"),
        ("", "not_a_decimal"),
        (" 1", "not_a_decimal"),
        ("1_000", "not_a_decimal"),
        ("٣", "not_a_decimal"),
        ("9" * 16, "not_a_decimal"),
        ("0." + "1" * 13, "not_a_decimal"),
    ],
)
def test_what_is_no_plain_decimal_string_is_refused(value: object, code: str) -> None:
    with pytest.raises(PydanticCustomError) as refusal:
        parse_decimal(value)

    assert refusal.value.type == code


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2025-01-06T14:30:00Z", datetime(2025, 1, 6, 14, 30, tzinfo=UTC)),
        ("2025-01-06t14:30:00z", datetime(2025, 1, 6, 14, 30, tzinfo=UTC)),
        ("2025-01-06T15:30:00+01:00", datetime(2025, 1, 6, 14, 30, tzinfo=UTC)),
        ("2025-01-06T14:30:00.250Z", datetime(2025, 1, 6, 14, 30, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_a_time_with_any_offset_becomes_utc(text: str, time: datetime) -> None:
    assert parse_time(text) == time
    assert utc(parse_time(text)).endswith("Z")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("2025-01-06T14:30:00", "naive_time"),
        ("2025-01-06", "bad_time"),
        ("20250106T143000Z", "bad_time"),
        ("2025-02-30T00:00:00Z", "bad_time"),
        ("2025-01-06T14:30:60Z", "bad_time"),
        (1736173800, "bad_time"),
        (True, "bad_time"),
        ("0001-01-01T00:00:00+14:00", "time_out_of_range"),
        ("9999-12-31T23:59:59-14:00", "time_out_of_range"),
    ],
)
def test_what_is_no_time_with_an_offset_is_refused(value: object, code: str) -> None:
    with pytest.raises(PydanticCustomError) as refusal:
        parse_time(value)

    assert refusal.value.type == code
