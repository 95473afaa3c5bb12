"""What must hold of every order is checked before an order is recorded."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.domain.invariants import require_sound
from app.domain.lifecycle import Status
from app.domain.order import Fills
from app.domain.slice import ReportsDue
from app.domain.state import OrderState
from app.domain.transitions import close_window, take
from app.engine.changes import change
from tests.builders import PRICE, a_bar, a_decided, a_projection, a_window, an_order, an_order_state, at


def under_way(fills: Fills = Fills.ASSUMED) -> OrderState:
    """An order of 1000 lots, 10 in all: 400 lots are traded, 100 are asked for."""
    state = an_order_state(an_order(fills=fills))
    for step, lots in enumerate((400, 100)):
        state = close_window(state, a_bar(step - 1)) if state.current else state
        state = take(state, a_projection(lots), a_window(step), a_decided(), PRICE)
    return state


def due(step: int) -> ReportsDue:
    return ReportsDue(step=step, window=a_window(step - 1), until=at(step + 1))


@pytest.mark.parametrize("fills", Fills)
def test_an_order_under_way_is_sound(fills: Fills) -> None:
    require_sound(under_way(fills))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"executed": (Decimal(3), Decimal(0))}, "booked by step"),
        ({"asked": (400,)}, "steps and slices differ"),
        ({"asked": (400, -1)}, "negative or above the cap"),
        ({"asked": (400, 1001)}, "negative or above the cap"),
        ({"asked": (400, 601)}, "more is asked for than the order has"),
        ({"status": Status.COMPLETED}, "completed with something left"),
        ({"overdue": (), "asked": (400, 100, 0), "executed": (Decimal(4), Decimal(0), Decimal(0))}, "not the newest"),
    ],
)
def test_an_order_that_must_not_be_is_not_recorded(changes: dict[str, Any], says: str) -> None:
    broken = replace(under_way(), **changes)

    with pytest.raises(AssertionError, match=says):
        change(under_way(), broken)


def test_only_reports_overfill_an_order_and_never_without_a_word() -> None:
    more: dict[str, Any] = {
        "executed": (Decimal(11), Decimal(0)),
        "filled_quantity": Decimal(11),
        "current": None,
        "reports_due": (),
    }
    told = more | {"over_filled": Decimal(1)}

    require_sound(replace(under_way(Fills.REPORTED), **told))
    for fills, changes in ((Fills.REPORTED, more), (Fills.ASSUMED, more), (Fills.ASSUMED, told)):
        with pytest.raises(AssertionError):
            require_sound(replace(under_way(fills), **changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reports_due": (due(1), due(1))}, "no slice, or twice"),
        ({"reports_due": (due(3),)}, "no slice, or twice"),
        ({"executed": (Decimal(4), Decimal(0)), "filled_quantity": Decimal(4)}, "made up"),
        ({"over_filled": Decimal(-1)}, "less than nothing"),
    ],
)
def test_an_order_that_awaits_reports_which_cannot_come_is_not_recorded(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        require_sound(replace(under_way(Fills.REPORTED), **changes))
