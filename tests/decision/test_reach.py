"""What an order can still trade within its limits, if the market trades what is expected."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from app.decision.chain import ChainReading, Reading
from app.decision.market import Market
from app.decision.policies.twap import Twap
from app.decision.reach import lots_within_reach, out_of_reach
from app.domain.order import Limits, SizeMode
from app.domain.projection import Bound
from app.domain.state import OrderState, room
from app.domain.steps_ahead import StepsAhead
from app.domain.transitions import pause
from tests.builders import PRICE, START, a_projection, an_order, an_order_state

RATE = Limits(max_participation_rate=Decimal("0.1"))


def expecting(*volumes: float) -> ChainReading:
    """A policy that expects these volumes, the last one of every step after them."""
    forecast = np.array([volumes], dtype=np.float32)
    return ChainReading(Reading(Twap(), Market(context=np.zeros((1, 1), dtype=np.float32), volume_forecast=forecast)))


def an_order_of(max_steps: int, limits: Limits = RATE, **changes: Any) -> OrderState:
    return an_order_state(an_order(max_steps=max_steps, limits=limits, **changes))


def test_the_participation_limit_allows_its_share_of_every_step_that_is_expected() -> None:
    state = an_order_of(4)

    assert lots_within_reach(expecting(50, 20, 10), state, PRICE, 0) == 500 + 200 + 100 + 100
    assert lots_within_reach(expecting(50, 20, 10), state, PRICE, 1) == 200 + 100 + 100 + 100
    assert lots_within_reach(expecting(50, 20, 10), state, PRICE, 0, after=1) == 200 + 100 + 100


def test_a_fixed_notional_is_worth_the_last_price() -> None:
    state = an_order_of(2, size=Decimal(1_000), size_mode=SizeMode.NOTIONAL)

    assert lots_within_reach(expecting(50), state, PRICE, 0) == 2 * 50_000


def test_no_step_is_within_reach_beyond_the_slice_cap() -> None:
    limits = Limits(max_participation_rate=Decimal("0.1"), max_slice_fraction=Decimal("0.25"))

    assert lots_within_reach(expecting(50, 10), an_order_of(4, limits), PRICE, 0) == 250 + 3 * 100
    assert lots_within_reach(expecting(0), an_order_of(4, Limits()), PRICE, 0) == 4 * 1000


def test_steps_that_are_avoided_are_out_of_reach() -> None:
    ahead = StepsAhead(1, (Bound.AVOID_OPEN, None, None, Bound.AVOID_CLOSE))

    assert lots_within_reach(expecting(50, 20, 10), an_order_of(4), PRICE, 0, ahead) == 200 + 100
    assert lots_within_reach(expecting(50), an_order_of(4, Limits()), PRICE, 0, ahead) == 2 * 1000


def test_without_a_forecast_nothing_is_within_reach_of_a_participation_limit() -> None:
    nobody = ChainReading(Reading(Twap(), None, "insufficient_history"))

    assert lots_within_reach(nobody, an_order_of(4), PRICE, 0) == 0


@pytest.mark.parametrize(("volume", "missing"), [(50, 0), (25, "1.5"), (0, 9)])
def test_what_the_slices_to_come_have_no_room_for_is_out_of_reach(volume: float, missing: Decimal | int | str) -> None:
    """An order of 10 in 4 steps, of which the first slice takes 1: 9 are left for three."""
    reading, state = expecting(volume), an_order_of(4)

    found = out_of_reach(reading, state, room(state, PRICE, Decimal(volume)), a_projection(100), 0, PRICE)

    assert found == Decimal(missing)


def test_a_price_beyond_the_limit_counts_as_lasting_in_the_last_steps() -> None:
    limits = Limits(limit_price=Decimal(99))
    early, late = an_order_of(4, limits), an_order_of(1, limits)

    found = [
        out_of_reach(expecting(50), state, room(state, PRICE, None), a_projection(0), 0, PRICE)
        for state in (early, late)
    ]

    assert found == [0, 10]


def test_a_pause_counts_as_lasting_in_the_last_steps() -> None:
    state = pause(an_order_of(1, Limits()), START)

    assert out_of_reach(expecting(50), state, room(state, PRICE, None), a_projection(0), 0, PRICE) == 10
