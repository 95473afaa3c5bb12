"""Frozen values to JSON and back, exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_type_hints

import pytest

from lem_client import AcceptedHorizon, Fill, Health, Limits, Order, Quality, RiskAversion, Status, Window, Word
from lem_client.json_values import from_json, to_json

FILL = {
    "execution_id": "exec-1",
    "slice_id": "order-1",
    "quantity": "0.000000000001",
    "price": "100.10",
    "executed_at": "2025-01-06T14:30:00+00:00",
}


def test_decimals_and_times_come_back_as_they_were_sent() -> None:
    fill = from_json(Fill, FILL)

    assert fill.quantity == Decimal("1e-12")
    assert fill.executed_at == datetime(2025, 1, 6, 14, 30, tzinfo=UTC)
    assert to_json(fill) == FILL


def test_a_decimal_is_never_sent_with_an_exponent() -> None:
    assert to_json(Limits(limit_price=Decimal("1E+3"))) == {"limit_price": "1000"}


def test_what_is_told_by_name_is_read_name_by_name() -> None:
    names = ("accepted", "duplicates", "revised", "older", "gaps_filled", "late", "out_of_order", "implausible_moves")
    counted = dict.fromkeys(names, 1)

    assert from_json(Quality, counted | {"refused": {"misaligned_bar": 2}}).refused == {"misaligned_bar": 2}
    with pytest.raises(ValueError, match="it is no Quality"):
        from_json(Quality, counted | {"refused": {"misaligned_bar": "2"}})


def test_a_risk_aversion_is_read_as_a_number_or_as_a_name() -> None:
    hints = get_type_hints(Order)["risk_aversion"]

    assert [from_json(hints, each) for each in ("0.30", "tracking", None)] == [
        Decimal("0.30"),
        RiskAversion.TRACKING,
        None,
    ]


def test_what_is_none_is_left_to_the_service() -> None:
    assert to_json(Limits()) == {}


def test_a_time_without_an_offset_is_not_sent() -> None:
    naive = datetime(2025, 1, 6)  # noqa: DTZ001 -- it is what is refused

    with pytest.raises(ValueError, match="has no offset"):
        to_json(Window(start=naive, end=naive))


def test_fields_that_only_a_newer_service_has_are_skipped() -> None:
    assert from_json(Health, {"status": "ok", "since": "today"}) == Health(status="ok")


def test_a_word_that_only_a_newer_service_says_is_kept() -> None:
    word = from_json(Status, "suspended")

    assert isinstance(word, Word)
    assert word == "suspended"
    assert word.live


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"min_steps": 1},
        {"min_steps": 1, "max_steps": "2", "step_seconds": None},
        {"min_steps": True, "max_steps": 2, "step_seconds": None},
        {"min_steps": 1, "max_steps": 2, "step_seconds": None, "latest_end": "soon"},
    ],
)
def test_what_does_not_fit_is_told_and_not_guessed(value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(AcceptedHorizon, value)
