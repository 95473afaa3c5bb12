"""The loss: an order that stops at random, its expected utility written out, against doing it by hand."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from decimal import Decimal

import numpy as np
import pytest
import torch

from app.domain.benchmark import slippage_bps
from app.domain.costs import FREE, VOLUME_FLOOR, Costs
from app.domain.order import SCENARIOS, Benchmark, SizeMode
from models.network.decision import Block
from models.network.order_view import OrderView
from models.objective.paths import Paths, paths_of
from models.objective.rollout import roll
from models.objective.terms import Terms, draw_terms
from tests.models.tiny import TINY, a_net, some_stretches


def some_paths() -> Paths:
    net, stretches = a_net(), some_stretches()
    with torch.no_grad():
        features = net.context.features(stretches.windows)
        return paths_of(stretches, features, net.context.read(features), 1)


def some_terms(paths: Paths, **changes: float) -> Terms:
    named = {
        "min_steps": 2.0, "max_steps": 4.0, "risk_aversion": 0.7, "max_slice_fraction": 1.0,
        "max_participation_rate": 1.0, "order_volume": 3.0,
    } | changes  # fmt: skip
    return Terms(**{name: torch.full((len(paths.price),), value) for name, value in named.items()})


def by_hand(paths: Paths, terms: Terms, costs: Costs, order: int, scenario: int) -> tuple[float, float]:
    """Expected utility and expected gain of one order, one stop after the other, in plain numbers."""
    net, kind = a_net().requires_grad_(requires_grad=False), SCENARIOS[scenario]
    price, volume = paths.price[order].double().numpy(), paths.volume[order].double().numpy()
    cap, longest = terms.max_slice_fraction[order].item(), int(terms.max_steps[order])

    def benchmark(end: int) -> float:
        weights = volume[:end] if kind.benchmark is Benchmark.VWAP else np.ones(end)
        return float(np.average(price[:end], weights=weights))

    def achieved(slices: list[float]) -> float:
        paid = price[: len(slices)]
        if kind.size_mode is SizeMode.QUANTITY:
            return float(np.dot(slices, paid) / sum(slices))
        return float(sum(slices) / np.dot(slices, 1.0 / paid))

    def impact(slices: list[float]) -> float:
        traded = np.maximum(volume, VOLUME_FLOOR * volume.mean())[: len(slices)]
        size = terms.order_volume[order].item()
        return float(sum(costs.impact * a * math.sqrt(a * size / v) for a, v in zip(slices, traded, strict=True)))

    slices: list[float] = []
    survive, utility, gain_mean = 1.0, 0.0, 0.0
    for step in range(1, longest + 1):
        so_far = benchmark(step - 1) if step > 1 else float(paths.close[order, 0])
        close = float(paths.close[order, step - 1])
        mine = achieved(slices) if sum(slices) else close
        state = torch.tensor(
            [[sum(slices), close / so_far - 1.0, mine / so_far - 1.0, float(volume[: step - 1].sum()),
              terms.order_volume[order].item(), terms.min_steps[order].item(), longest, cap, 1.0,
              terms.risk_aversion[order].item()]],
            dtype=torch.float32,
        )  # fmt: skip
        view = OrderView.of(
            net.decision.rule,
            context=paths.context[order, step - 1][None],
            volume_forecast=paths.volume_forecast[order, step - 1][None],
            state=state,
            step=torch.tensor([float(step)]),
            sign=net.decision.sign[scenario],
            is_vwap=net.decision.is_vwap[scenario],
        )
        block = net.decision.step_block(step)
        one = Block(**{field.name: getattr(block, field.name)[scenario] for field in fields(block)})
        allocation, logit = net.decision.propose(view, one)

        finish, rest = list(slices), 1.0 - sum(slices)
        while rest > 1e-6:
            finish.append(min(rest, cap))
            rest -= finish[-1]
        may_stop = len(finish) >= terms.min_steps[order].item() or step == longest
        stop = 1.0 if step == longest else torch.sigmoid(logit).item() * may_stop
        end = max(len(finish), step)  # a step without a slice, where all but dust was traded before, still counts
        cost = slippage_bps(kind.side.sign, achieved(finish), benchmark(end))
        gain = -(cost + costs.half_spread_bps) / 1e4 / float(paths.volatility[order]) - impact(finish)
        excess = math.sqrt(1.0 + gain**2) - 1.0
        utility += survive * stop * (gain - terms.risk_aversion[order].item() * excess)
        gain_mean += survive * stop * gain
        survive *= 1.0 - stop
        slices.append(allocation.item())
    return utility, gain_mean


@pytest.mark.parametrize("cap", [1.0, 0.4, 0.26])
@pytest.mark.parametrize("max_steps", [4.0, 3.0])
@pytest.mark.parametrize("costs", [FREE, Costs(impact=0.8, half_spread_bps=2.0)])
def test_the_expected_utility_is_the_sum_over_all_stops(cap: float, max_steps: float, costs: Costs) -> None:
    paths = some_paths()
    terms = some_terms(paths, max_slice_fraction=max(cap, 1.001 / max_steps), max_steps=max_steps)

    with torch.no_grad():
        outcome = roll(a_net().decision, paths, terms, costs)

    for order in (0, 5):
        for scenario in range(len(SCENARIOS)):
            utility, gain = by_hand(paths, terms, costs, order, scenario)
            assert outcome.utility[scenario, order].item() == pytest.approx(utility, abs=1e-3)
            assert outcome.gain[scenario, order].item() == pytest.approx(gain, abs=1e-3)


def test_a_gain_is_minus_the_slippage_of_the_domain() -> None:
    """The formula is one, for tensors in training and decimals in the service."""
    in_decimal = slippage_bps(-1, Decimal("99.5"), Decimal(100))

    in_tensors = slippage_bps(torch.tensor(-1.0), torch.tensor(99.5), torch.tensor(100.0))

    assert in_tensors.item() == pytest.approx(float(in_decimal))


def test_where_a_whole_horizon_trades_nothing_there_is_no_impact() -> None:
    """As in a backtest. One such order, infinitely dear, would outweigh all others of a training."""
    paths = some_paths()
    empty = replace(paths, volume=torch.zeros_like(paths.volume))

    free, paid = (roll(a_net().decision, empty, some_terms(empty), costs) for costs in (FREE, Costs(impact=0.8)))

    assert torch.allclose(paid.gain, free.gain, atol=1e-5)


def test_the_surcharge_on_the_pace_grows_with_the_gain_and_no_faster_than_it() -> None:
    paths = some_paths()
    terms = some_terms(paths, min_steps=4.0, max_steps=4.0)  # one way to end, so the penalty is that of the one gain
    surcharge = torch.full_like(terms.min_steps, 2.0)

    with torch.no_grad():
        outcome = roll(a_net().decision, paths, terms, hedge=surcharge)

    expected = 2.0 * (torch.sqrt(0.1**2 + outcome.gain**2) - 0.1)
    assert outcome.gain.abs().max() > 0.3
    assert torch.allclose(outcome.hedging, expected, atol=1e-6)


def test_orders_end_between_min_and_max_steps() -> None:
    paths = some_paths()

    outcome = roll(a_net(noise=2.0).decision, paths, some_terms(paths, min_steps=2.0, max_steps=3.0))

    assert ((outcome.steps >= 2) & (outcome.steps <= 3)).all()


def test_what_comes_after_the_last_step_changes_nothing() -> None:
    paths = some_paths()
    terms = some_terms(paths, max_steps=3.0, min_steps=1.0)
    price, volume = paths.price.clone(), paths.volume.clone()
    price[:, 3:] *= 2.0
    volume[:, 3:] *= 5.0

    before = roll(a_net().decision, paths, terms)
    after = roll(a_net().decision, replace(paths, price=price, volume=volume), terms)

    assert torch.equal(before.utility, after.utility)


def test_drawn_terms_can_always_be_met() -> None:
    paths = some_paths()
    paths = replace(paths, **{field.name: getattr(paths, field.name)[[0] * 500] for field in fields(paths)})

    terms = draw_terms(paths, capped=True, generator=torch.Generator().manual_seed(0))

    assert (terms.min_steps >= 1).all()
    assert (terms.min_steps <= terms.max_steps).all()
    assert (terms.max_steps <= TINY.max_steps).all()
    assert (terms.max_slice_fraction * terms.max_steps >= 1.0).all()
    assert (terms.risk_aversion == 0.0).any()
