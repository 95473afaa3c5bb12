"""Base units and quote currency: the one that an order fixes stays exact."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.order import SizeMode
from app.domain.sizing import Amounts, amounts_at, quantity_of, size_of, size_worth


@pytest.mark.parametrize(
    ("size_mode", "amounts"),
    [
        (SizeMode.QUANTITY, Amounts(Decimal(12), Decimal(960))),
        (SizeMode.NOTIONAL, Amounts(Decimal("0.15"), Decimal(12))),
    ],
)
def test_a_size_at_a_price_is_known_in_both_units(size_mode: SizeMode, amounts: Amounts) -> None:
    assert amounts_at(size_mode, Decimal(12), Decimal(80)) == amounts
    assert amounts.fixed(size_mode) == 12


def test_a_quantity_is_itself_where_it_is_fixed_and_its_worth_where_the_notional_is() -> None:
    assert size_of(SizeMode.QUANTITY, Decimal(3), Decimal(80)) == 3
    assert size_of(SizeMode.NOTIONAL, Decimal(3), Decimal(80)) == 240


def test_a_notional_is_what_it_buys_where_the_quantity_is_fixed_and_itself_where_the_notional_is() -> None:
    assert size_worth(SizeMode.QUANTITY, Decimal(240), Decimal(80)) == 3
    assert size_worth(SizeMode.NOTIONAL, Decimal(240), Decimal(80)) == 240


def test_a_size_has_its_quantity_in_base_units() -> None:
    assert quantity_of(SizeMode.QUANTITY, Decimal(12), Decimal(80)) == 12
    assert quantity_of(SizeMode.NOTIONAL, Decimal(12), Decimal(80)) == Decimal("0.15")
