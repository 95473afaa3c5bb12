"""The life cycle is one table: what is not in it does not happen."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.lifecycle import (
    REASONS,
    TRANSITIONS,
    Move,
    Status,
    StatusReason,
    StopReason,
    permits,
    reason_of,
    status_after,
    stop_reason,
)
from app.domain.order import Fills
from app.domain.reports import apply_fill
from app.domain.state import OrderState
from app.domain.transitions import cancel, close_window, take
from tests.builders import PRICE, START, a_bar, a_decided, a_fill, a_projection, a_window, an_order, an_order_state

ENDED = set(Status) - {Status.ACCEPTED, Status.WORKING, Status.PAUSED}


def asked(state: OrderState, lots: int, *, final: bool = False, reason: StopReason | None = None) -> OrderState:
    """The next step asks for `lots`."""
    projection = a_projection(lots, final=final, stop_reason=reason, stopping=reason is StopReason.MODEL)
    return take(state, projection, a_window(state.step), a_decided(), PRICE)


def test_no_move_leads_out_of_an_ended_order() -> None:
    moves = set(Move) - {Move.BUSTED, Move.BUSTED_LATE}  # these say that the order had not ended as it seemed

    left = {(status, move): status_after(status, move) for status in ENDED for move in moves}

    assert all(after is status for (status, _), after in left.items())


def test_a_bust_leads_out_of_completed_alone() -> None:
    left = {(status, move): status_after(status, move) for status in ENDED for move in (Move.BUSTED, Move.BUSTED_LATE)}

    moved = {status: after for (status, _), after in left.items() if after is not status}
    assert set(moved) == {Status.COMPLETED}


def test_every_live_order_gets_slices_and_a_paused_one_stays_paused() -> None:
    assert {status for status in Status if permits(status, Move.SLICE)} == {each for each in Status if each.live}
    assert status_after(Status.PAUSED, Move.SLICE) is Status.PAUSED


@pytest.mark.parametrize("move", [Move.FILLED, Move.OUT_OF_STEPS, Move.CANCEL])
def test_every_live_order_can_end(move: Move) -> None:
    assert all(permits(status, move) for status in Status if status.live)
    assert all(not status_after(status, move).live for status in Status if status.live)


def test_every_move_leads_to_these_statuses() -> None:
    leads_to = {move: {after for (_, each), after in TRANSITIONS.items() if each is move} for move in Move}

    assert leads_to == {
        Move.SLICE: {Status.WORKING, Status.PAUSED},
        Move.PAUSE: {Status.PAUSED},
        Move.RESUME: {Status.WORKING},
        Move.RESUME_UNBEGUN: {Status.ACCEPTED},
        Move.BUSTED: {Status.WORKING},
        Move.BUSTED_LATE: {Status.EXPIRED},
        Move.FILLED: {Status.COMPLETED},
        Move.OUT_OF_STEPS: {Status.EXPIRED},
        Move.CANCEL: {Status.CANCELLED},
        Move.REPLACE: {Status.REPLACED},
    }


def test_every_move_has_a_reason_and_so_has_every_way_between_two_statuses() -> None:
    ways: dict[tuple[Status, Status], set[StatusReason]] = {}
    for (before, move), after in TRANSITIONS.items():
        ways.setdefault((before, after), set()).add(REASONS[move])

    assert set(REASONS) == set(Move)
    changes = {way: reasons for way, reasons in ways.items() if way[0] is not way[1]}
    assert {way: {reason_of(*way)} for way in changes} == changes


def test_an_order_that_no_order_was_taken_of_has_no_status() -> None:
    assert Status.REJECTED not in {*TRANSITIONS.values(), *(before for before, _ in TRANSITIONS)}


def test_a_fill_that_makes_up_a_cancelled_order_leaves_it_cancelled() -> None:
    state = cancel(asked(an_order_state(an_order(fills=Fills.REPORTED, size=Decimal(1))), 100), START)

    after = apply_fill(state, a_fill(state))

    assert (after.status, after.leaves) == (Status.CANCELLED, 0)


@pytest.mark.parametrize(
    ("step", "stopping", "why"),
    [(12, True, StopReason.MAX_STEPS), (5, True, StopReason.MODEL), (5, False, StopReason.EARLY)],
)
def test_the_last_step_is_the_first_reason_and_the_model_the_second(step: int, stopping: bool, why: StopReason) -> None:
    assert stop_reason(step, 12, stopping=stopping) is why


def test_an_order_under_way_has_no_reason_to_stop() -> None:
    assert an_order_state().stop_reason is None
    assert asked(an_order_state(), 100).stop_reason is None


def test_a_final_slice_says_why_the_order_stops_while_it_runs_and_after() -> None:
    running = asked(an_order_state(), 1000, final=True, reason=StopReason.MODEL)

    ended = close_window(running, a_bar(0))

    assert running.stop_reason is StopReason.MODEL
    assert (ended.status, ended.stop_reason) == (Status.COMPLETED, StopReason.MODEL)


def test_an_order_that_is_done_before_its_window_closes_says_at_once_why_it_stopped() -> None:
    running = asked(an_order_state(an_order(fills=Fills.REPORTED)), 400)

    done = apply_fill(running, a_fill(running, quantity=Decimal(10)))
    ended = close_window(done, a_bar(0))

    assert (running.stop_reason, done.status, done.stop_reason) == (None, Status.COMPLETED, StopReason.EARLY)
    assert ended.stop_reason is StopReason.EARLY


def test_a_cancelled_order_did_not_stop_by_itself() -> None:
    assert cancel(asked(an_order_state(), 100), START).stop_reason is None


def test_an_order_out_of_steps_stopped_at_its_last_step() -> None:
    state = replace(asked(an_order_state(an_order(max_steps=1)), 100))

    ended = close_window(state, a_bar(0))

    assert (ended.status, ended.stop_reason) == (Status.EXPIRED, StopReason.MAX_STEPS)
