"""Whatever a model does, every order gets its slice, marked and counted."""

from __future__ import annotations

import asyncio

import pytest

from app.clock.calendars import calendar
from app.clock.clocks import BarsClock
from app.decision.policies.twap import Twap
from app.decision.policy import Policy
from app.domain.order import Side
from app.domain.slice import Basis
from app.engine.instruments.live import LiveInstrument
from app.engine.models.choice import Models
from app.engine.stages.batch import WantedSlice, WantedSlices
from app.engine.stages.decide import Decider
from tests.builders import a_window, an_instrument, an_order_state, bars
from tests.engine.desk import Counts, a_chain, a_desk
from tests.engine.policies import Failing, Hanging, NotANumber, Reader

HISTORY = 20


@pytest.mark.parametrize(
    ("policy", "history", "reason"),
    [
        (Failing(), HISTORY, "policy_failed: RuntimeError"),
        (Reader(), Reader.history_min - 1, "insufficient_history"),
    ],
)
async def test_where_a_policy_cannot_serve_its_fallback_decides(
    store_url: str, policy: Policy, history: int, reason: str
) -> None:
    async with a_desk(store_url, policies=[policy, Twap()]) as desk:
        await desk.feed(bars(history))

        order = await desk.order()

        assert order.current is not None
        assert order.current.decided.basis is Basis.FALLBACK
        assert order.current.decided.fallback_reason == reason
        assert order.current.decided.model == "twap"
        assert desk.counts[f"fallback {reason}"] == 1


async def test_a_nan_sends_only_its_own_order_to_the_fallback(store_url: str) -> None:
    async with a_desk(store_url, policies=[NotANumber(), Twap()]) as desk:
        await desk.feed(bars(HISTORY))
        buy, sell = await desk.order("buy"), await desk.order("sell", side=Side.SELL)

        await desk.feed(bars(HISTORY + 1)[HISTORY:])

        decided = {each: (await desk.slices(each))[-1].decided for each in (buy, sell)}
        assert decided[buy].basis is Basis.MODEL
        assert decided[sell].fallback_reason == "not_finite"


async def test_a_policy_that_hangs_is_not_waited_for_and_decides_again_once_it_answers() -> None:
    policy = Hanging()
    decider = Decider(Models(a_chain(policy, Twap())), BarsClock(), Counts(), seconds_max=0.02)
    live = LiveInstrument(an_instrument(), calendar("24/7"), 96)
    for bar in bars(HISTORY):
        live.push(bar)
    history = live.new_history(900)
    await live.fill(history, bars(HISTORY))
    live.add_history(history)
    wanted = WantedSlice(state=an_order_state(), window=a_window(HISTORY))
    group = WantedSlices(live=live, step_seconds=900, late_reason=None, wanted=[wanted])

    async def decided() -> tuple[str, str | None]:
        [piece] = await decider.decide([group])
        return piece.decided.model, piece.decided.fallback_reason

    while_it_hangs = [await decided() for _ in range(3)]
    policy.released.set()
    for _ in range(500):
        if (after := await decided()) == ("hanging", None):
            break
        await asyncio.sleep(0.01)
    decider.close()

    assert while_it_hangs == [("twap", "policy_slow")] * 3
    assert after == ("hanging", None)
