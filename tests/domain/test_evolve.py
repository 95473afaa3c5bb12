"""A quick copy is the copy that `dataclasses.replace` makes."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, replace
from decimal import Decimal

import pytest

from app.domain.bar import Bar
from app.domain.benchmark import BenchmarkSums
from app.domain.evolve import built_quickly, evolve
from app.domain.lifecycle import Status
from app.domain.state import OrderState
from app.domain.transitions import take
from tests.builders import PRICE, a_bar, a_decided, a_projection, a_window, an_order_state


def test_an_evolved_value_is_the_replaced_one() -> None:
    state = take(an_order_state(), a_projection(4), a_window(), a_decided(), PRICE)
    sums = BenchmarkSums().add(a_bar())

    assert evolve(state) == state
    assert evolve(state) is not state
    assert evolve(state, version=7, status=Status.PAUSED) == replace(state, version=7, status=Status.PAUSED)
    assert evolve(sums, partial=True) == replace(sums, partial=True)


def test_what_is_evolved_stays_as_it_was() -> None:
    state = an_order_state()

    evolve(state, version=7, filled_quantity=Decimal(1))

    assert state == an_order_state()


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError):
        evolve(an_order_state(), quantity=1)


def test_a_value_that_checks_what_it_is_built_of_is_refused() -> None:
    """An invalid bar cannot be built this way either."""
    with pytest.raises(AssertionError, match="Bar checks"):
        evolve(a_bar(), high=Decimal(0))


@dataclass(frozen=True, slots=True)
class Pair:
    one: int
    other: int = 2


def test_any_slotted_value_can_be_evolved() -> None:
    assert evolve(Pair(1), other=3) == Pair(1, 3)


@built_quickly
@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    first: int
    second: str = "second"


@built_quickly
@dataclass(frozen=True, slots=True)
class Placed:
    first: int
    second: str | None = None


def test_a_value_that_is_built_quickly_is_like_any_other() -> None:
    named, placed = Named(first=1), Placed(1, "b")

    assert (named.first, named.second, placed.first, placed.second) == (1, "second", 1, "b")
    assert replace(named, second="b") == Named(first=1, second="b") == Named(second="b", first=1)
    assert Placed(2) == Placed(first=2, second=None)
    with pytest.raises(FrozenInstanceError):
        named.first = 2  # type: ignore[misc]
    with pytest.raises(TypeError):
        Named(1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Named()  # type: ignore[call-arg]


def test_a_value_with_a_factory_or_a_check_is_not_built_quickly() -> None:
    with pytest.raises(AssertionError):
        built_quickly(OrderState)
    with pytest.raises(AssertionError):
        built_quickly(Bar)
