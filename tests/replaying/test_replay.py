"""A past order is decided again from what the service has stored, to the last bit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.bundles.shipped import SHIPPED_BUNDLES
from app.decision.chain import PolicyChain
from app.replaying.again import Repeated, decided_again
from app.replaying.lem_replay import chain_named
from app.replaying.recorded_order import CannotReplay, RecordedOrder, bars_of, recorded_order
from lem_client import AsyncClient, Bar, Benchmark, Fill, Fills, Horizon, Limits, Order, Side
from tests.api.conftest import serving
from tests.api.wire import HISTORY
from tests.client.desk import an_instrument, an_order, bars
from tests.client.way import Way
from tests.clock.session_bars import session_bars

pytestmark = pytest.mark.asyncio(loop_scope="module")

STEPS = 12
BAR_FIELDS = ("open_time", "open", "high", "low", "close", "volume")
numbers = count()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lem(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[AsyncClient]:
    """One service for all: every test has an instrument of its own."""
    folder = tmp_path_factory.mktemp("service")
    async with serving(folder) as service, AsyncClient("http://lem", transport=Way(service)) as lem:
        yield lem


@pytest_asyncio.fixture(loop_scope="module")
async def symbol(lem: AsyncClient) -> str:
    """A new instrument, with enough bars for the model to decide."""
    name = f"I-{next(numbers)}"
    await lem.put_instrument(an_instrument(symbol=name))
    await lem.post_bars(bars(HISTORY, instrument=name))
    return name


async def sent(lem: AsyncClient, symbol: str, **terms: Any) -> Order:
    return await lem.post_order(an_order(instrument=symbol, client_order_id=f"oms-{next(numbers)}", **terms))


async def trade(lem: AsyncClient, symbol: str, first: int = HISTORY, steps: int = STEPS + 1) -> None:
    for bar in bars(steps, first=first, instrument=symbol):
        await lem.post_bars([bar])


@cache
def chain_of_shipped(name: str) -> PolicyChain:
    """Loading it is most of what a replay takes."""
    return chain_named(name, [SHIPPED_BUNDLES])


async def replayed(lem: AsyncClient, order: Order) -> tuple[RecordedOrder, list[Repeated]]:
    recorded = await recorded_order(lem, order.order_id)
    chain = chain_of_shipped(recorded.bundle)
    return recorded, await decided_again(recorded, chain, *await bars_of(lem, recorded, chain.lookback))


def differing(repeated: list[Repeated]) -> list[tuple[str, ...] | None]:
    """What is not the same, by step; None where no slice came."""
    return [each.differing if each.again is not None else None for each in repeated]


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"side": Side.SELL, "benchmark": Benchmark.TWAP, "quantity": None, "notional": Decimal("1000.01")},
        {"horizon": Horizon(min_steps=3, max_steps=4, step_seconds=1_800)},
        {"quantity": Decimal(3), "limits": Limits(max_participation_rate=Decimal("0.01"))},
        {"limits": Limits(max_slice_fraction=Decimal("0.2"))},
        {"limits": Limits(limit_price=Decimal("99.9")), "risk_aversion": Decimal(6)},
        {"model": "lem-1"},
    ],
)
async def test_every_slice_of_an_order_comes_out_the_same(lem: AsyncClient, symbol: str, terms: dict[str, Any]) -> None:
    order = await sent(lem, symbol, **terms)
    await trade(lem, symbol)

    recorded, repeated = await replayed(lem, order)

    assert len(repeated) == (await lem.get_order(order.order_id)).step
    assert all(each.recorded.inputs for each in repeated)
    assert differing(repeated) == [()] * len(repeated)
    assert recorded.bundle == order.model


async def test_a_paused_order_comes_out_the_same(lem: AsyncClient, symbol: str) -> None:
    order = await sent(lem, symbol, horizon=Horizon(min_steps=12, max_steps=12))
    await trade(lem, symbol, steps=3)
    await lem.pause_order(order.order_id)
    await trade(lem, symbol, first=HISTORY + 3, steps=3)
    await lem.resume_order(order.order_id)
    await trade(lem, symbol, first=HISTORY + 6, steps=6)

    _, repeated = await replayed(lem, order)

    assert sum(each.recorded.bound_by == "paused" for each in repeated) == 3
    assert differing(repeated) == [()] * len(repeated)


async def replaced(lem: AsyncClient, symbol: str, old: Order, **terms: Any) -> Order:
    body = an_order(instrument=symbol, client_order_id=f"oms-{next(numbers)}", **terms)
    return await lem.replace_order(old.order_id, body)


async def test_orders_that_replaced_one_another_come_out_the_same(lem: AsyncClient, symbol: str) -> None:
    whole = Horizon(min_steps=12, max_steps=12)
    first = await sent(lem, symbol, horizon=whole)
    await trade(lem, symbol, steps=3)
    second = await replaced(lem, symbol, first, quantity=Decimal(20), horizon=whole)
    third = await replaced(lem, symbol, second, quantity=Decimal(30), limits=Limits(max_slice_fraction=Decimal("0.2")))
    await trade(lem, symbol, first=HISTORY + 3, steps=3)
    last = await replaced(lem, symbol, third, quantity=Decimal(26), limits=Limits(limit_price=Decimal("99.9")))
    await trade(lem, symbol, first=HISTORY + 6)

    found = [(await replayed(lem, order))[1] for order in (first, second, third, last)]

    assert [len(each) for each in found][:3] == [4, 4, 7]
    assert len(found[-1]) > 7
    for repeated in found:
        assert differing(repeated) == [()] * len(repeated)


async def test_a_slice_that_a_replace_took_back_overnight_is_left_out_of_the_replay(lem: AsyncClient) -> None:
    """It was decided at the close for the next morning."""
    symbol, session = f"I-{next(numbers)}", 13
    made = [
        Bar(**{name: getattr(each, name) for name in BAR_FIELDS}, instrument=symbol)
        for each in session_bars("XNYS", 1_800, "2025-02-24", "2025-03-07")
    ]
    await lem.put_instrument(an_instrument(symbol=symbol, bar_seconds=1_800, calendar="XNYS"))
    await lem.post_bars(made[: 6 * session - 2])
    old = await sent(lem, symbol, horizon=Horizon(min_steps=8, max_steps=8))
    for bar in made[6 * session - 2 : 6 * session]:
        await lem.post_bars([bar])
    taken_back = (await lem.list_slices(old.order_id))[-1]
    new = await replaced(lem, symbol, old, quantity=Decimal(20), horizon=Horizon(min_steps=8, max_steps=8))
    for bar in made[6 * session :]:
        await lem.post_bars([bar])

    recorded, repeated = await replayed(lem, new)

    assert recorded.links[-1].took_back
    assert repeated[taken_back.step - 1].recorded.slice_id == f"{new.order_id}-{taken_back.step}"
    assert differing(repeated) == [()] * 8
    assert differing((await replayed(lem, old))[1]) == [()] * taken_back.step


async def test_an_order_with_reported_fills_comes_out_the_same(lem: AsyncClient, symbol: str) -> None:
    order = await sent(lem, symbol, fills=Fills.REPORTED, horizon=Horizon(min_steps=6, max_steps=6))
    for number, bar in enumerate(bars(6, first=HISTORY, instrument=symbol)):
        piece = (await lem.next_slice(order.order_id)).slice
        if piece is not None and piece.quantity:
            at, half = piece.window.start, piece.quantity / 2
            fill = Fill(
                execution_id=f"e-{number}", slice_id=piece.slice_id, quantity=half, price=bar.open, executed_at=at
            )
            await lem.post_fill(order.order_id, fill)
        await lem.post_bars([bar])

    _, repeated = await replayed(lem, order)

    assert len(repeated) > 3
    assert differing(repeated) == [()] * len(repeated)


async def test_a_bar_that_was_another_one_shows_in_the_inputs_of_the_slices_after_it(
    lem: AsyncClient, symbol: str
) -> None:
    order = await sent(lem, symbol, horizon=Horizon(min_steps=6, max_steps=6))
    await trade(lem, symbol, steps=6)
    recorded = await recorded_order(lem, order.order_id)
    chain = chain_named(recorded.bundle, [SHIPPED_BUNDLES])
    before, following = await bars_of(lem, recorded, chain.lookback)

    following[1] = replace(following[1], volume=following[1].volume * 2)
    repeated = await decided_again(recorded, chain, before, following)

    changed = ["inputs" in each.differing for each in repeated]
    assert changed[:2] == [False, False]
    assert all(changed[2:])


async def test_another_bundle_decides_otherwise(lem: AsyncClient, symbol: str) -> None:
    order = await sent(lem, symbol, horizon=Horizon(min_steps=6, max_steps=6))
    recorded = await recorded_order(lem, order.order_id)
    other = chain_named((await sent(lem, symbol, model="lem-1")).model or "", [SHIPPED_BUNDLES])

    [first] = await decided_again(recorded, other, *await bars_of(lem, recorded, other.lookback))

    assert not first.same
    assert {"model", "allocation"} <= set(first.differing)


async def test_a_bundle_that_is_in_no_folder_cannot_be_asked(tmp_path: Path) -> None:
    with pytest.raises(CannotReplay, match="lem-9@0 decided the order and is in none of the folders"):
        chain_named("lem-9@0", [SHIPPED_BUNDLES, tmp_path])
