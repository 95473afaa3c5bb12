"""What an order trades and when it ends before anything is learned, and what learning may move."""

from __future__ import annotations

import math

import pytest
import torch

from app.bundles.inputs import STATE_COLUMNS
from app.domain.order import SCENARIOS, Benchmark
from models.network.answer import answer
from models.network.context_layout import CONTEXT
from models.network.decision import DecisionTable
from models.network.order_view import OrderView
from tests.models.order_rows import ROWS, a_net_that_has_learned_nothing, forced_orders, some_orders
from tests.models.test_context import a_window
from tests.models.tiny import a_net


def test_a_network_that_has_learned_nothing_tracks_the_benchmark_over_a_forced_horizon() -> None:
    """Even pace for TWAP, the forecast share of volume for VWAP: what is learned scales this curve."""
    net, state = a_net_that_has_learned_nothing(), forced_orders()
    context, forecast = (part.repeat(len(SCENARIOS), 1) for part in net.context(a_window()))
    context[:, CONTEXT.tilts] = 0.0  # every volume counts as it is forecast

    first = torch.ones(len(SCENARIOS), dtype=torch.int64)
    allocation, _ = DecisionTable(net.decision)(context, forecast, state, first, torch.arange(len(SCENARIOS)))

    by_volume = (forecast[0, 0] / forecast[0].sum()).item()
    for scenario, share in zip(SCENARIOS, allocation.tolist(), strict=True):
        assert share == pytest.approx(0.25 if scenario.benchmark is Benchmark.TWAP else by_volume, abs=1e-5)


def test_the_more_later_volume_counts_the_slower_a_vwap_order_begins() -> None:
    """The next bar, the one after it and later ones each count for themselves."""
    net, state = a_net_that_has_learned_nothing(), forced_orders()
    context, forecast = (part.repeat(len(SCENARIOS), 1) for part in net.context(a_window()))
    context[:, CONTEXT.tilts] = torch.log(torch.tensor(2 * [0.5, 3.0, 2.0]))

    first = torch.ones(len(SCENARIOS), dtype=torch.int64)
    allocation, _ = DecisionTable(net.decision)(context, forecast, state, first, torch.arange(len(SCENARIOS)))

    following = 0.5 * forecast[0, 0].item()
    later = 3.0 * forecast[0, 1].item() + 2.0 * forecast[0, 2:].sum().item()
    for scenario, share in zip(SCENARIOS, allocation.tolist(), strict=True):
        by_volume = following / (following + later)
        assert share == pytest.approx(0.25 if scenario.benchmark is Benchmark.TWAP else by_volume, abs=1e-5)


@pytest.mark.parametrize(("min_steps", "forced"), [(1.0, 0.0), (2.0, 1.0 / 3.0), (4.0, 1.0)])
def test_the_less_a_vwap_order_may_stop_the_more_it_counts_volume_as_forced_ones_do(
    min_steps: float, forced: float
) -> None:
    """Of the three steps after the first it may leave out all, two, or none."""
    net, state = a_net_that_has_learned_nothing(), forced_orders()
    context, forecast = (part.repeat(len(SCENARIOS), 1) for part in net.context(a_window()))
    context[:, CONTEXT.free_tilts], context[:, CONTEXT.forced_tilts] = 0.0, torch.log(torch.tensor([0.5, 3.0, 2.0]))
    state[:, STATE_COLUMNS.index("min_steps")] = min_steps

    view = OrderView.of(
        net.decision.rule,
        context=context,
        volume_forecast=forecast,
        state=state,
        step=torch.ones(len(SCENARIOS)),
        sign=net.decision.sign,
        is_vwap=net.decision.is_vwap,
    )

    counted = forecast[0] * torch.tensor([0.5, 3.0, 2.0, 2.0]) ** forced
    expected = (counted[0] / counted.sum()).item()
    for scenario, share in zip(SCENARIOS, view.expectation.share.tolist(), strict=True):
        assert share == pytest.approx(0.25 if scenario.benchmark is Benchmark.TWAP else expected, abs=1e-5)


def test_a_large_vwap_order_counts_volume_as_it_is_forecast() -> None:
    """An uneven pace costs a large order more in impact than the hedge is worth."""
    net, state = a_net_that_has_learned_nothing(), forced_orders()
    context, forecast = (part.repeat(len(SCENARIOS), 1) for part in net.context(a_window()))
    context[:, CONTEXT.tilts] = torch.log(torch.tensor(2 * [0.5, 3.0, 2.0]))
    state[:, STATE_COLUMNS.index("order_volume")] = 10.0 * forecast[0].sum()

    first = torch.ones(len(SCENARIOS), dtype=torch.int64)
    allocation, _ = DecisionTable(net.decision)(context, forecast, state, first, torch.arange(len(SCENARIOS)))

    by_volume = (forecast[0, 0] / forecast[0].sum()).item()
    for scenario, share in zip(SCENARIOS, allocation.tolist(), strict=True):
        assert share == pytest.approx(0.25 if scenario.benchmark is Benchmark.TWAP else by_volume, abs=1e-3)


def test_nothing_learned_moves_the_end_of_a_small_order_without_a_cap_or_without_fear_on_a_walk() -> None:
    """When to end it is known; a large one, or one under a cap in a market or with fear, is what there is to learn."""
    learned, fresh = a_net(noise=1.0), a_net_that_has_learned_nothing()
    context, forecast = (part.repeat(ROWS, 1) for part in fresh.context(a_window()))
    state, step, _ = some_orders()
    asked = ("order_volume", "max_slice_fraction", "risk_aversion")
    size, cap, fear = (STATE_COLUMNS.index(name) for name in asked)
    benchmarks = [scenario.benchmark for scenario in SCENARIOS]

    def apart(benchmark: Benchmark, volume: float, slice_cap: float, risk_aversion: float, trust: float = 0.0) -> float:
        state[:, size], state[:, cap], state[:, fear] = volume, slice_cap, risk_aversion
        context[:, CONTEXT.trust] = trust
        scenarios = torch.full((ROWS,), benchmarks.index(benchmark))
        ours, theirs = (
            DecisionTable(net.decision)(context, forecast, state, step, scenarios)[1] for net in (learned, fresh)
        )
        most: float = (ours - theirs).abs().max().item()
        return most

    usual = forecast[0].sum().item()
    for benchmark in Benchmark:
        assert apart(benchmark, 1e-9 * usual, 1.0, 0.3) < 1e-3
        assert apart(benchmark, usual, 1.0, 0.3) > 0.1
        assert apart(benchmark, 1e-9 * usual, 0.5, 0.3) > 0.1
        assert apart(benchmark, 1e-9 * usual, 0.5, 0.0) < 1e-3
        assert apart(benchmark, 1e-9 * usual, 0.5, 0.0, trust=1.0) > 0.1


def test_a_small_vwap_order_without_a_cap_ends_earlier_on_a_market() -> None:
    """The last close is a little short of where the optimum for a random walk ends an order."""
    net = a_net_that_has_learned_nothing()
    context, forecast = (part.repeat(len(SCENARIOS), 1) for part in net.context(a_window()))
    context[:, CONTEXT.learned] = 0.0  # nothing is foreseen
    scenarios, second = torch.arange(len(SCENARIOS)), torch.full((len(SCENARIOS),), 2)
    context[:, CONTEXT.log_volatilities] = math.log(0.003)
    threshold = net.decision.rule.threshold(torch.tensor(1.0), torch.tensor(4.0), torch.tensor(2.0)) * math.sqrt(4.0)
    short = 0.95 * threshold * 0.003

    def ends(trust: float = 1.0, **terms: float) -> torch.Tensor:
        context[:, CONTEXT.trust] = trust
        state = forced_orders()
        state[:, STATE_COLUMNS.index("price_return")] = -net.decision.sign * short
        for name, value in {"min_steps": 1.0, **terms}.items():
            state[:, STATE_COLUMNS.index(name)] = value
        ended: torch.Tensor = DecisionTable(net.decision)(context, forecast, state, second, scenarios)[1] > 0.5
        return ended

    assert torch.equal(ends(), ~IS_TWAP)
    assert not ends(trust=0.0).any()
    assert not ends(order_volume=0.1 * forecast[0].sum().item()).any()
    assert not ends(max_slice_fraction=0.999).any()


IS_TWAP = torch.tensor([scenario.benchmark is Benchmark.TWAP for scenario in SCENARIOS])


def moved_by_a_learned_shift(**terms: float) -> torch.Tensor:
    """By how much it moves each scenario's next slice in a market, of an order on these terms."""
    net = a_net_that_has_learned_nothing()
    context, forecast = (part.repeat(len(SCENARIOS), 1) for part in net.context(a_window()))
    context[:, CONTEXT.trust] = 1.0
    state = forced_orders()
    for name, value in terms.items():
        state[:, STATE_COLUMNS.index(name)] = value
    view = OrderView.of(
        net.decision.rule,
        context=context,
        volume_forecast=forecast,
        state=state,
        step=torch.ones(len(SCENARIOS)),
        sign=net.decision.sign,
        is_vwap=~IS_TWAP,
    )
    shifted, plain = (
        answer(view, torch.tensor([[shift, 0.0, 0.0]]).expand(len(SCENARIOS), 3))[0] for shift in (-2.0, 0.0)
    )
    return (shifted - plain).abs()


def test_under_a_cap_a_small_order_without_much_fear_runs_ahead_as_late_as_it_can() -> None:
    """Each slice that is held back delays the end. One that fears spread, or whose impact is dear, keeps its pace."""
    net = a_net_that_has_learned_nothing()
    context, forecast = (part.repeat(len(SCENARIOS), 1) for part in net.context(a_window()))
    context[:, CONTEXT.learned] = 0.0  # nothing is foreseen
    first, scenarios = torch.ones(len(SCENARIOS), dtype=torch.int64), torch.arange(len(SCENARIOS))

    def first_slice(**terms: float) -> torch.Tensor:
        state = forced_orders()
        for name, value in {"min_steps": 1.0, "max_slice_fraction": 0.3, "risk_aversion": 0.3, **terms}.items():
            state[:, STATE_COLUMNS.index(name)] = value
        allocation: torch.Tensor = DecisionTable(net.decision)(context, forecast, state, first, scenarios)[0]
        return allocation[IS_TWAP]

    even = torch.tensor(0.25)
    assert torch.allclose(first_slice(), torch.tensor(0.3), atol=1e-3)
    assert torch.allclose(first_slice(min_steps=4.0), even, atol=1e-3)
    assert torch.allclose(first_slice(risk_aversion=6.0), even, atol=1e-3)
    assert torch.allclose(first_slice(order_volume=forecast[0].sum().item()), even, atol=1e-3)


def test_nothing_learned_shifts_the_pace_of_a_small_twap_order_under_a_cap_without_fear() -> None:
    fearless, fearful = (
        moved_by_a_learned_shift(min_steps=1.0, max_slice_fraction=0.9, risk_aversion=fear) for fear in (0.0, 1.0)
    )
    assert (fearless[IS_TWAP] < 1e-3).all()
    assert (fearless[~IS_TWAP] > 1e-2).all()
    assert (fearful > 1e-2).all()


def test_the_less_a_large_twap_order_may_stop_the_less_its_pace_is_shifted_by_what_is_learned() -> None:
    large = 1e9
    free, later, forced = (moved_by_a_learned_shift(order_volume=large, min_steps=steps) for steps in (1.0, 3.0, 4.0))
    assert (free[IS_TWAP] > later[IS_TWAP] + 1e-3).all()
    assert (later[IS_TWAP] > 1e-3).all()
    assert (forced[IS_TWAP] < 1e-6).all()
    assert (forced[~IS_TWAP] > 1e-2).all()


def test_what_is_foreseen_moves_the_two_sides_apart_and_the_fearful_less() -> None:
    """Prices are expected to rise from the next bar on: buyers trade earlier than at an even pace, sellers later."""
    net, state = a_net_that_has_learned_nothing(), forced_orders()
    context, forecast = (part.repeat(len(SCENARIOS), 1) for part in net.context(a_window()))
    context[:, CONTEXT.outlooks] = torch.tensor([0.0, 0.5, 0.5])  # rising only after the next bar
    first, scenarios = torch.ones(len(SCENARIOS), dtype=torch.int64), torch.arange(len(SCENARIOS))

    moved = {}
    for risk in (0.0, 6.0):
        state[:, STATE_COLUMNS.index("risk_aversion")] = risk
        allocation, _ = DecisionTable(net.decision)(context, forecast, state, first, scenarios)
        moved[risk] = [
            share - 0.25
            for scenario, share in zip(SCENARIOS, allocation.tolist(), strict=True)
            if scenario.benchmark is Benchmark.TWAP
        ]

    signs = [scenario.side.sign for scenario in SCENARIOS if scenario.benchmark is Benchmark.TWAP]
    assert all(move * sign > 0.05 for move, sign in zip(moved[0.0], signs, strict=True))
    assert all(abs(fearful) < 0.1 * abs(bold) for fearful, bold in zip(moved[6.0], moved[0.0], strict=True))
