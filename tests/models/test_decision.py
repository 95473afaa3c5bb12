"""The order side: step-wise blocks, and the table that is exported."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from app.bundles.inputs import STATE_COLUMNS
from app.domain.order import SCENARIOS
from models.network.context_layout import CONTEXT, FIXED_COLUMNS
from models.network.decision import PLACES_PER_KNOT, DecisionTable, place_of
from models.network.order_view import OrderView
from tests.models.order_rows import ROWS, a_net_that_has_learned_nothing, some_orders
from tests.models.test_context import a_window
from tests.models.tiny import TINY, a_net


@pytest.mark.parametrize(
    ("longest", "step"), [(longest, step) for longest in (1, 3, TINY.max_steps) for step in range(1, longest + 1)]
)
def test_the_exported_table_answers_as_the_network_that_was_trained(longest: int, step: int) -> None:
    net = a_net()
    state, _, _ = some_orders()
    state[:, STATE_COLUMNS.index("max_steps")] = float(longest)
    context, forecast = (part.repeat(ROWS, 1) for part in net.context(a_window()))
    everyone = (len(SCENARIOS), ROWS, -1)
    steps = torch.full((len(SCENARIOS), ROWS), float(step))
    view = OrderView.of(
        net.decision.rule,
        context=context.expand(everyone),
        volume_forecast=forecast.expand(everyone),
        state=state.expand(everyone),
        step=steps,
        sign=net.decision.sign[:, None],
        is_vwap=net.decision.is_vwap[:, None],
    )

    place = place_of(torch.tensor(float(step)), torch.tensor(float(longest)), net.decision.places)

    allocation, logit = net.decision.propose(view, net.decision.blocks()[int(place)])

    table = DecisionTable(net.decision)
    for scenario in range(len(SCENARIOS)):
        at = torch.full((ROWS,), step), torch.full((ROWS,), scenario)
        one_allocation, one_stop = table(context, forecast, state, *at)
        assert torch.allclose(one_allocation, allocation[scenario], atol=1e-6)
        assert torch.allclose(one_stop, torch.sigmoid(logit[scenario]), atol=1e-6)


def test_between_two_knots_a_block_lies_on_straight_lines() -> None:
    net = a_net().decision

    blocks = net.blocks()

    assert len(blocks) == net.places == net.intervals * PLACES_PER_KNOT + 1
    for name in net.names:
        shared, own = net.shared[name], net.own[name]
        for knot in range(net.intervals):
            at, middle = (blocks[knot * PLACES_PER_KNOT + share] for share in (0, PLACES_PER_KNOT // 2))
            assert torch.allclose(getattr(at, name), shared + own[knot], atol=1e-6)
            assert torch.allclose(getattr(middle, name), shared + 0.5 * (own[knot] + own[knot + 1]), atol=1e-6)
        assert torch.allclose(getattr(blocks[-1], name), shared + own[-1], atol=1e-6)


def test_a_place_is_the_share_of_the_horizon_that_is_gone_whatever_its_length() -> None:
    lengths = torch.tensor([4.0, 12.0, 64.0, 256.0])

    assert place_of(torch.ones(4), lengths, 65).tolist() == [0.0] * 4
    assert place_of(lengths / 2.0 + 1.0, lengths, 65).tolist() == [32.0] * 4
    assert place_of(lengths + 1.0, lengths, 65).tolist() == [64.0] * 4
    assert place_of(torch.tensor([1.0]), torch.tensor([1.0]), 1).tolist() == [0.0]


@pytest.mark.parametrize("knots", [0, 2])
def test_few_knots_are_a_network_too(knots: int) -> None:
    """Without any, one network serves all steps and scenarios."""
    net = a_net(replace(TINY, knots=knots)).decision

    blocks = net.blocks()

    assert len(blocks) == (PLACES_PER_KNOT + 1 if knots else 1)
    assert all(weights.requires_grad == bool(knots) for weights in net.own.values())


LONG = replace(TINY, max_steps=96)


def a_long_order(max_steps: int, step: int, *, away: float) -> OrderView:
    """Before `step`, of a fresh network's orders that may end from the middle on, with the last close `away` from the
    benchmark so far in units of the whole horizon's volatility."""
    net = a_net_that_has_learned_nothing(LONG)
    forecast = torch.full((len(SCENARIOS), LONG.max_steps), 10.0)
    context = torch.zeros(len(SCENARIOS), len(FIXED_COLUMNS) + LONG.context_width)
    context[:, CONTEXT.log_volatilities] = math.log(0.002)
    named = {
        "max_steps": float(max_steps), "min_steps": max_steps / 2.0, "max_slice_fraction": 1.0,
        "max_participation_rate": 1.0, "benchmark_volume": 10.0 * (step - 1), "order_volume": 1e-6,
        "filled_fraction": (step - 1) / max_steps,
    }  # fmt: skip
    state = torch.zeros(len(SCENARIOS), len(STATE_COLUMNS))
    for name, value in named.items():
        state[:, STATE_COLUMNS.index(name)] = value
    moved = away * 0.002 * math.sqrt(max_steps)
    state[:, STATE_COLUMNS.index("price_return")] = -net.decision.sign * moved
    return OrderView.of(
        net.decision.rule,
        context=context,
        volume_forecast=forecast,
        state=state,
        step=torch.full((len(SCENARIOS),), float(step)),
        sign=net.decision.sign,
        is_vwap=net.decision.is_vwap,
    )


@pytest.mark.parametrize("away", [-0.5, 0.0, 0.2, 0.4])
def test_a_fresh_network_aims_alike_at_all_lengths(away: float) -> None:
    """Orders of 24 and of 96 steps, at the same shares of their horizons, on prices whose moves have the horizon's
    scale."""
    for quarter in (1, 2, 3):
        short, long = (a_long_order(steps, steps * quarter // 4, away=away).aim for steps in (24, 96))
        assert torch.allclose(short.y, long.y, rtol=1e-4)
        assert (short.target - long.target).abs().max() < 0.1

        short, long = (a_long_order(steps, steps * quarter // 4 + 1, away=away).aim for steps in (24, 96))
        assert (short.beyond - long.beyond).abs().max() < 0.3  # the fewer bars, the later their prices are known


def test_no_answer_leaves_what_the_limits_permit() -> None:
    net = a_net(noise=2.0)
    state, step, scenario = some_orders()
    context, forecast = (part.repeat(ROWS, 1) for part in net.context(a_window()))

    allocation, stop = DecisionTable(net.decision)(context, forecast, state, step, scenario)

    leaves = 1.0 - state[:, STATE_COLUMNS.index("filled_fraction")]
    cap = state[:, STATE_COLUMNS.index("max_slice_fraction")]
    assert (allocation >= 0.0).all()
    assert (allocation <= torch.minimum(leaves, cap) + 1e-6).all()
    assert ((stop >= 0.0) & (stop <= 1.0)).all()
