"""What an order expects of the steps that it has left: their volume and their volatility."""

from __future__ import annotations

import math

import pytest
import torch

from app.bundles.inputs import STATE_COLUMNS
from models.network.context_layout import CONTEXT, FIXED_COLUMNS, VOLATILITY_SPANS
from models.network.expectation import expectation, foreseen, room_later, slice_cap, standing
from models.network.packing import packed

FORECAST = torch.tensor([[5.0, 3.0, 2.0, 7.0, 1.0, 4.0]])
NOTHING_KNOWN = torch.zeros(1, len(FIXED_COLUMNS))


def an_order(context: torch.Tensor = NOTHING_KNOWN, **state: float) -> tuple[torch.Tensor, ...]:
    """Context [1, 11], state [1, K], step, sign and VWAP of one order before its step."""
    named = dict.fromkeys(STATE_COLUMNS, 0.0) | {
        "min_steps": 1.0, "max_steps": 6.0, "max_slice_fraction": 1.0, "max_participation_rate": 1.0,
        "order_volume": 2.0,
    } | state  # fmt: skip
    step = torch.tensor([named.pop("step", 1.0)])
    columns = packed(STATE_COLUMNS, {name: torch.tensor([value]) for name, value in named.items()})
    return context, columns, step, torch.ones(1), torch.tensor([True])


@pytest.mark.parametrize(("left", "to_min"), [(1, 0), (2, 0), (2, 1), (4, 0), (4, 2), (6, 5), (6, 0), (99, 98)])
def test_foreseen_volume_is_a_plain_sum(left: int, to_min: int) -> None:
    """Steps beyond the forecast have none: a network is asked for no longer orders than it knows."""
    volume = foreseen(FORECAST, torch.tensor([float(left)]), torch.tensor([float(to_min)]))

    steps = FORECAST[0].tolist()
    assert volume.next.item() == steps[0]
    assert volume.second.item() == (steps[1] if left > 1 else 0.0)
    assert volume.left.item() == sum(steps[:left])
    assert volume.to_min.item() == sum(steps[: to_min + 1])


def test_a_forecast_of_one_step_is_all_there_is() -> None:
    volume = foreseen(FORECAST[:, :1], torch.tensor([1.0]), torch.tensor([0.0]))

    assert (volume.next.item(), volume.left.item(), volume.second.item()) == (5.0, 5.0, 0.0)


@pytest.mark.parametrize("index", range(len(VOLATILITY_SPANS)))
def test_an_orders_volatility_is_that_of_the_steps_it_has_left(index: int) -> None:
    context = torch.zeros(1, len(FIXED_COLUMNS))
    context[0, CONTEXT.log_volatilities] = torch.log(torch.tensor([0.01, 0.02, 0.04]))
    span = float(VOLATILITY_SPANS[index])

    order = standing(*an_order(context, max_steps=span))

    assert order.volatility.item() == pytest.approx([0.01, 0.02, 0.04][index], rel=1e-5)


@pytest.mark.parametrize(("steps", "expected"), [(1.0, 0.01), (math.sqrt(4.0 * 24.0), 0.02**0.5 * 0.1), (500.0, 0.04)])
def test_volatilities_lie_on_straight_lines_between_the_spans_and_end_at_them(steps: float, expected: float) -> None:
    context = torch.zeros(1, len(FIXED_COLUMNS))
    context[0, CONTEXT.log_volatilities] = torch.log(torch.tensor([0.01, 0.02, 0.04]))

    order = standing(*an_order(context, max_steps=steps))

    assert order.volatility.item() == pytest.approx(expected, rel=1e-4)


def test_an_order_that_may_not_stop_is_forced_and_one_that_may_is_free() -> None:
    shares = [standing(*an_order(min_steps=least)).forced.item() for least in (1.0, 6.0)]

    assert shares == [0.0, 1.0]


def test_a_slice_is_bound_by_its_cap_or_by_the_participation_limit() -> None:
    """An order of 2 against an expected 5 in the next bar."""

    def cap(**limits: float) -> float:
        order = standing(*an_order(NOTHING_KNOWN, **limits))
        return slice_cap(order, expectation(order, foreseen(FORECAST, order.steps_left, order.to_min))).item()

    assert cap() == 1.0
    assert cap(max_slice_fraction=0.3) == pytest.approx(0.3)
    assert cap(max_participation_rate=0.1) == pytest.approx(0.25)
    assert cap(max_participation_rate=0.1, max_slice_fraction=0.2) == pytest.approx(0.2)


def test_later_steps_have_room_for_what_both_limits_permit() -> None:
    """Of six steps five are later; 17 of the forecast 22 come in them."""

    def room(**limits: float) -> float:
        order = standing(*an_order(NOTHING_KNOWN, **limits))
        return room_later(order, expectation(order, foreseen(FORECAST, order.steps_left, order.to_min))).item()

    assert room(max_slice_fraction=0.15) == pytest.approx(0.75)
    assert room(max_participation_rate=0.1) == pytest.approx(0.85)
    assert room(max_participation_rate=0.1, max_slice_fraction=0.15) == pytest.approx(0.75)
