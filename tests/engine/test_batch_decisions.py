"""The orders of many instruments are decided together, and each as if its instrument were alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from app.clock.calendars import calendar
from app.clock.clocks import BarsClock
from app.decision.chain import PolicyChain
from app.decision.market import Floats, Market
from app.decision.policies.twap import Twap
from app.decision.policies.volume_curve import VolumeCurve
from app.decision.policy import Policy, Proposal, Rows
from app.domain.order import Side
from app.domain.slice import Basis
from app.domain.state import OrderState
from app.engine.instruments.live import LiveInstrument
from app.engine.models.choice import Models
from app.engine.stages.batch import WantedSlice, WantedSlices
from app.engine.stages.decide import GROUPS_AT_ONCE, DecidedSlice, Decider
from tests.builders import a_window, an_instrument, an_order, an_order_state, bars
from tests.engine.desk import Counts, Desk, a_desk, sent
from tests.engine.policies import Reader
from tests.servers import flush

HISTORY = 20


class Counting(Reader):
    """Notes how many windows and orders it was asked for at a time, and on which threads."""

    def __init__(self) -> None:
        self.windows: list[int] = []
        self.orders: list[int] = []
        self.threads: set[threading.Thread] = set()

    def observe(self, windows: Floats, steps: int) -> Market:
        self.windows.append(len(windows))
        return super().observe(windows, steps)

    def propose(self, market: Market, rows: Rows) -> Proposal:
        self.orders.append(len(rows))
        self.threads.add(threading.current_thread())
        return super().propose(market, rows)


class Choosy(Reader):
    """Fails on a batch that holds the window of seed 1, and answers NaN where the first price is that of seed 2."""

    def observe(self, windows: Floats, steps: int) -> Market:
        if (windows[:, -1, 3] == np.float32(bars(HISTORY, seed=1)[-1].close)).any():
            raise RuntimeError("no such window")
        return super().observe(windows, steps)

    def propose(self, market: Market, rows: Rows) -> Proposal:
        proposal = super().propose(market, rows)
        wrong = rows.last_price == float(bars(HISTORY, seed=2)[-1].close)
        return Proposal(np.where(wrong, np.nan, proposal.allocation), proposal.stop_probability)


async def a_group(seed: int, orders: int = 2, history: int = HISTORY) -> WantedSlices:
    live = LiveInstrument(an_instrument(symbol=f"S-{seed}"), calendar("24/7"), lookback=96)
    made = bars(history, seed=seed)
    live.push(made[-1])
    filled = live.new_history(900)
    await live.fill(filled, made)
    live.add_history(filled)
    sides = (Side.BUY, Side.SELL)
    states = [
        an_order_state(an_order(client_order_id=f"{seed}-{n}", instrument=f"S-{seed}", side=sides[n % 2]))
        for n in range(orders)
    ]
    wanted = [WantedSlice(state=state, window=a_window(history)) for state in states]
    return WantedSlices(live=live, step_seconds=900, late_reason=None, wanted=wanted)


def a_decider(policy: Policy, *, prompt: bool = False) -> Decider:
    return Decider(Models(PolicyChain(policy, (VolumeCurve(), Twap()), prompt=prompt)), BarsClock(), Counts())


async def decided(groups: Sequence[WantedSlices], policy: Policy) -> list[DecidedSlice]:
    decider = a_decider(policy)
    try:
        return await decider.decide(groups)
    finally:
        decider.close()


@pytest.mark.parametrize("policy", [Reader(), Choosy(), Twap()])
async def test_a_batch_decides_each_order_as_if_its_instrument_were_alone(policy: Policy) -> None:
    histories = {seed: 3 if seed == 4 else HISTORY for seed in range(8)}  # one has too few bars for the model
    groups = [await a_group(seed, 1 + seed % 3, history) for seed, history in histories.items()]

    together = await decided(groups, policy)

    assert together == [each for group in groups for each in await decided([group], policy)]


async def test_one_window_on_which_the_model_fails_leaves_it_the_others() -> None:
    groups = [await a_group(seed) for seed in range(4)]

    made = await decided(groups, Choosy())

    reasons = [(each.decided.basis, each.decided.fallback_reason) for each in made[::2]]
    assert reasons == [
        (Basis.MODEL, None),
        (Basis.FALLBACK, "policy_failed: RuntimeError"),
        (Basis.FALLBACK, "not_finite"),
        (Basis.MODEL, None),
    ]


async def test_the_windows_and_the_orders_of_many_instruments_are_asked_about_together() -> None:
    policy = Counting()
    groups = [await a_group(seed) for seed in range(GROUPS_AT_ONCE + 3)]
    decider = a_decider(policy)

    first = await decider.decide(groups)
    again = await decider.decide(groups)
    decider.close()

    assert policy.windows == [GROUPS_AT_ONCE, 3], "a window is read once"
    assert policy.orders == [2 * GROUPS_AT_ONCE, 6] * 2
    assert first == again


async def test_orders_that_come_together_at_a_new_bar_have_its_window_read_once(store_url: str) -> None:
    policy = Counting()
    async with a_desk(store_url, policies=[policy, Twap()]) as desk:
        await desk.feed(bars(HISTORY))

        await asyncio.gather(*(desk.order(f"oms-{number}") for number in range(10)))

    assert policy.windows == [1]


async def test_a_prompt_model_decides_a_few_orders_where_they_are_and_all_else_on_its_thread() -> None:
    policy, here = Counting(), threading.current_thread()
    decider = a_decider(policy, prompt=True)
    few, many = await a_group(0, orders=16), await a_group(0, orders=17)

    await decider.decide([few])
    reads = policy.threads.copy()
    policy.threads.clear()
    inline = await decider.decide([few])
    here_only = policy.threads.copy()
    policy.threads.clear()
    await decider.decide([WantedSlices(live=few.live, step_seconds=900, late_reason=None, wanted=many.wanted)])
    decider.close()

    assert here not in reads
    assert here_only == {here}
    assert here not in policy.threads
    assert len(inline) == 16


async def test_one_request_with_bars_of_many_instruments_moves_all_their_orders(store_url: str) -> None:
    async def a_day(*, apart: bool) -> list[str]:
        async with a_desk(store_url) as desk:
            orders = [await _placed(desk, seed) for seed in range(5)]
            for number in range(HISTORY, HISTORY + 6):
                feed = [sent(bars(number + 1, seed=seed)[-1], f"S-{seed}") for seed in range(5)]
                for request in [[bar] for bar in feed] if apart else [feed]:
                    await desk.engine.bars.post(request)
            return [repr(piece) for order in orders for piece in await desk.slices(order)]

    apart = await a_day(apart=True)
    flush(store_url)

    assert await a_day(apart=False) == apart


async def _placed(desk: Desk, seed: int) -> OrderState:
    await desk.engine.instruments.put(an_instrument(symbol=f"S-{seed}"))
    await desk.feed(bars(HISTORY, seed=seed), f"S-{seed}")
    return await desk.order(f"oms-{seed}", instrument=f"S-{seed}", min_steps=8)
