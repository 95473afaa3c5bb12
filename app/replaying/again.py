"""Decides an order's slices again, in the place of the service: the same stages, bundle, bars and times."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from app.api.slices.bodies import SliceOut
from app.decision.chain import PolicyChain
from app.domain.bar import Bar
from app.domain.evolve import evolve
from app.domain.fills import Fill
from app.domain.lifecycle import Status
from app.domain.projection import Bound
from app.domain.replacing import succeed
from app.domain.reports import apply_fill
from app.domain.slice import Slice
from app.domain.state import OrderState
from app.domain.transitions import accept, pause, resume
from app.engine.feasibility import usable_steps
from app.engine.instruments.live import LiveInstrument
from app.engine.models.choice import MODEL_MISSING
from app.engine.models.rerun import Rerun, decider_of, offline
from app.engine.stages.batch import BAR_LATE
from app.engine.stages.decide import POLICY_SLOW
from app.replaying.recorded_order import Link, RecordedOrder
from lem_client import GivenSlice
from lem_client import Slice as SliceAnswer
from lem_client.json_values import from_json

UNREPEATABLE = (POLICY_SLOW, MODEL_MISSING)
"""Reasons of fallbacks that are no matter of the inputs: the replay does not ask the model either."""
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A recorded slice and what came of it. `again` is None where no slice would have been decided; `differing` are the
    fields that are not the same to the last bit."""

    recorded: GivenSlice
    again: SliceAnswer | None
    differing: tuple[str, ...]

    @property
    def same(self) -> bool:
        return self.again is not None and not self.differing


class RecordedTime:
    """The time is when the slice was decided that is decided again."""

    def __init__(self) -> None:
        self.time: datetime | None = None

    def now(self, newest_close: datetime) -> datetime:
        return self.time or newest_close


async def decided_again(
    recorded: RecordedOrder, chain: PolicyChain, before: Sequence[Bar], following: Sequence[Bar]
) -> list[Repeated]:
    """Every slice, by step. `before` are the bars before the first window, `following` those of the windows."""
    clock = RecordedTime()
    decider = decider_of(chain, clock)
    live = await offline(
        recorded.instrument, recorded.calendar, chain.lookback, recorded.step_seconds, _known_at_first(recorded, before)
    )
    rerun = Rerun(live, _as_it_began(recorded, live))
    upcoming = deque(bar for bar in (*before, *following) if bar.open_time > live.last.open_time)
    repeated: list[Repeated] = []
    former, unbooked = None, list(recorded.fills)
    try:
        for target in recorded.slices:
            at_once, behind_bars = _upcoming_links(recorded, rerun.state, target)
            rerun.state = _succeeded(_booked(rerun.state, unbooked, target), at_once, live, target)
            rerun.state = _paused_as(rerun.state, target, former)
            _take_bars(rerun, upcoming, target)
            rerun.state = _succeeded(rerun.state, behind_bars, live, target)
            clock.time = target.decided_at
            late_since = target.decided_at if target.fallback_reason == BAR_LATE else None
            if late_since is not None:
                rerun.close(late_since)
            reason = target.fallback_reason if target.fallback_reason in UNREPEATABLE else None
            piece = rerun.take(await decider.decide(rerun.wanted(late_since, reason)))
            repeated.append(_compared(target, piece))
            former = target
    finally:
        decider.close()
    return repeated


def _as_it_began(recorded: RecordedOrder, live: LiveInstrument) -> OrderState:
    """The order before its first slice."""
    first, order = recorded.slices[0].window.start, recorded.links[0].order
    usable = usable_steps(order, live, first)
    steps = usable.usable if usable else None
    return accept(order, recorded.instrument, first, recorded.arrival_price, steps, recorded.bundle)


def _upcoming_links(
    recorded: RecordedOrder, state: OrderState, target: GivenSlice
) -> tuple[Sequence[Link], Sequence[Link]]:
    """The orders that took the place of the one in `state` until the slice was decided: those that came before the bars
    in between, and those that came after them, from the first one that took a slice back."""
    links = recorded.links
    known = next(number for number, link in enumerate(links) if link.order.order_id == state.order_id)
    owner = next(number for number, link in enumerate(links) if target.slice_id.startswith(f"{link.order.order_id}-"))
    upcoming = links[known + 1 : owner + 1]
    after = next((number for number, link in enumerate(upcoming) if link.took_back), len(upcoming))
    return upcoming[:after], upcoming[after:]


def _succeeded(state: OrderState, links: Sequence[Link], live: LiveInstrument, target: GivenSlice) -> OrderState:
    for link in links:
        if not state.step:  # another start or length of step may have moved the first window
            state = evolve(state, next_open=target.window.start)
        usable = usable_steps(link.order, live, state.next_open, state.step + 1)
        state = succeed(state, link.order, usable.usable if usable else None)
    return state


def _known_at_first(recorded: RecordedOrder, before: Sequence[Bar]) -> Sequence[Bar]:
    """The bars that had come when the first slice was decided: the last ones were missing where it was late."""
    first = recorded.slices[0]
    if first.fallback_reason != BAR_LATE or first.decided_on is None:
        return before
    return [bar for bar in before if bar.open_time <= first.decided_on] or before[:1]


def _take_bars(rerun: Rerun, bars: deque[Bar], target: GivenSlice) -> None:
    """Those that had come when the slice was decided."""
    until = target.window.start
    if target.fallback_reason == BAR_LATE and target.decided_on is not None:
        until = rerun.live.close_of(target.decided_on, rerun.live.step_seconds_of(rerun.state.order))
    while bars and bars[0].open_time < until:
        rerun.push(bars.popleft())


def _booked(state: OrderState, unbooked: list[Fill], target: GivenSlice) -> OrderState:
    """With the fills that were executed before the slice was decided; they are taken from `unbooked`."""
    for fill in list(unbooked):
        if fill.executed_at <= target.decided_at and state.step_of(fill.slice_id) is not None:
            state = apply_fill(state, fill)
            unbooked.remove(fill)
    return state


def _paused_as(state: OrderState, target: GivenSlice, former: GivenSlice | None) -> OrderState:
    """Paused where the slice says so. A slice before it of which nothing is traded was withheld."""
    paused = target.bound_by is not None and target.bound_by == Bound.PAUSED.value
    if not paused:
        return resume(state, target.decided_at) if state.status is Status.PAUSED else state
    if former is None:
        return pause(state, target.decided_at)
    withheld = bool(former.quantity) and not former.executed
    return pause(state, former.window.start - INSTANT if withheld else former.window.start)


def _compared(recorded: GivenSlice, piece: Slice | None) -> Repeated:
    if piece is None:
        return Repeated(recorded=recorded, again=None, differing=())
    again = from_json(SliceAnswer, SliceOut.of(piece).model_dump(mode="json"))
    names = [each.name for each in fields(SliceAnswer)]
    if recorded.inputs is None:  # an earlier release recorded none
        names.remove("inputs")
    differing = tuple(name for name in names if getattr(recorded, name) != getattr(again, name))
    return Repeated(recorded=recorded, again=again, differing=differing)
