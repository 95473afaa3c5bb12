"""An order changes by one way only, and whoever comes second goes on from where the first has left the order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.domain.errors import Unavailable
from app.domain.lifecycle import Status
from app.domain.state import OrderState
from app.domain.transitions import cancel
from app.engine.changes import Change, change
from app.engine.commit_transition import RACES_MAX, commit_transition
from app.engine.live_orders import LiveOrders
from app.engine.ownership.lease import SoleOwner
from app.engine.stages.announce import Announcer
from app.engine.stages.commit import Committer
from app.engine.waiters import Waiters
from tests.builders import START, bars
from tests.engine.desk import Counts, Desk

HISTORY = 20


def committer_of(desk: Desk, counts: Counts) -> Committer:
    return Committer(desk.store, counts, Announcer(counts, Waiters(), LiveOrders(SoleOwner().owns)))


def touched(state: OrderState) -> Change:
    """A change that changes nothing but the version."""
    return change(state, state)


async def test_only_what_changes_is_recorded_and_all_come_back_in_their_order(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    orders = [await desk.order(f"oms-{number}") for number in range(3)]
    counts = Counts()

    async def transition(pending: Sequence[OrderState]) -> list[Change | None]:
        return [change(state, cancel(state, START)) if state == orders[1] else None for state in pending]

    moved = await commit_transition(committer_of(desk, counts), orders, transition)

    assert [state.order_id for state in moved] == [state.order_id for state in orders]
    assert [state.status for state in moved] == [Status.WORKING, Status.CANCELLED, Status.WORKING]
    assert counts.of["committed"] == counts.of["order cancelled"] == 1


async def test_a_lost_race_is_run_again_from_what_is_recorded(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order()
    counts, seen = Counts(), []

    async def transition(pending: Sequence[OrderState]) -> list[Change | None]:
        seen.append([state.status for state in pending])
        if len(seen) == 1:
            await desk.engine.orders.cancel(order.order_id)
        return [touched(state) for state in pending]

    [moved] = await commit_transition(committer_of(desk, counts), [order], transition)

    assert seen == [[Status.WORKING], [Status.CANCELLED]]
    assert moved == await desk.again(order)
    assert moved.version == order.version + 2


async def test_a_transition_that_loses_every_race_is_refused_as_busy(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    order = await desk.order()
    counts = Counts()
    attempts = 0

    async def transition(pending: Sequence[OrderState]) -> list[Change | None]:
        nonlocal attempts
        attempts += 1
        [before] = pending
        await desk.store.commit([touched(before)])
        return [touched(before)]

    with pytest.raises(Unavailable) as refused:
        await commit_transition(committer_of(desk, counts), [order], transition)

    assert refused.value.code == "busy"
    assert attempts == RACES_MAX
    assert counts.of["order cancelled"] == 0
