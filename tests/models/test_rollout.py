"""The loss: an order that stops at random, its expected utility written out, against doing it by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import Decimal
from functools import cache

import numpy as np
import pytest
import torch

from app.domain.benchmark import slippage_bps
from app.domain.costs import FREE, VOLUME_FLOOR, Costs
from app.domain.order import SCENARIOS, Benchmark, SizeMode
from models.network.context_layout import CONTEXT
from models.network.decision import Block, place_of
from models.network.lem import Lem
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


def shorter(paths: Paths, steps: int) -> Paths:
    """The same paths, of orders with fewer steps."""
    along = ("price", "close", "volume", "context", "volume_forecast")
    return replace(paths, **{name: getattr(paths, name)[:, :steps] for name in along})


def some_terms(paths: Paths, **changes: float) -> Terms:
    named = {
        "min_steps": 2.0, "risk_aversion": 0.7, "max_slice_fraction": 1.0,
        "max_participation_rate": 1.0, "order_volume": 3.0,
    } | changes  # fmt: skip
    return Terms(**{name: torch.full((len(paths.price),), value) for name, value in named.items()})


@cache
def the_net() -> tuple[Lem, list[Block]]:
    net = a_net().requires_grad_(requires_grad=False)
    return net, net.decision.blocks()


def by_hand(
    paths: Paths, terms: Terms, every_cost: Sequence[Costs], order: int, scenario: int
) -> list[tuple[float, float]]:
    """Expected utility and expected gain of one order, one stop after the other, in plain numbers. What it costs to
    trade is not known to who decides: the same slices are charged each of the costs."""
    net, blocks = the_net()
    kind = SCENARIOS[scenario]
    price, volume = paths.price[order].double().numpy(), paths.volume[order].double().numpy()
    cap, rate = terms.max_slice_fraction[order].item(), terms.max_participation_rate[order].item()
    longest, wanted = len(price), terms.order_volume[order].item()
    permitted = [min(cap, rate * bar / wanted if rate < 1.0 else 1.0) for bar in volume]

    def benchmark(end: int) -> float:
        weights = volume[:end] if kind.benchmark is Benchmark.VWAP else np.ones(end)
        return float(np.average(price[:end], weights=weights))

    def achieved(slices: list[float]) -> float:
        paid = price[: len(slices)]
        if kind.size_mode is SizeMode.QUANTITY:
            return float(np.dot(slices, paid) / sum(slices))
        return float(sum(slices) / np.dot(slices, 1.0 / paid))

    def impact(costs: Costs, slices: list[float]) -> float:
        traded = np.maximum(volume, VOLUME_FLOOR * volume.mean())[: len(slices)]
        return float(sum(costs.impact * a * math.sqrt(a * wanted / v) for a, v in zip(slices, traded, strict=True)))

    slices: list[float] = []
    survive, sums = 1.0, [(0.0, 0.0) for _ in every_cost]
    for step in range(1, longest + 1):
        so_far = benchmark(step - 1) if step > 1 else float(paths.close[order, 0])
        close = float(paths.close[order, step - 1])
        mine = achieved(slices) if sum(slices) else close
        state = torch.tensor(
            [[sum(slices), close / so_far - 1.0, mine / so_far - 1.0, float(volume[: step - 1].sum()),
              wanted, terms.min_steps[order].item(), longest, cap, rate,
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
        place = place_of(torch.tensor(float(step)), torch.tensor(float(longest)), net.decision.places)
        block = blocks[int(place)]
        one = Block(**{field.name: getattr(block, field.name)[scenario] for field in fields(block)})
        allocation, logit = net.decision.propose(view, one)

        finish, rest = list(slices), 1.0 - sum(slices)
        while rest > 1e-6:  # the last step takes what the limits would leave
            at = len(finish)
            finish.append(rest if at == longest - 1 else min(rest, permitted[at]))
            rest -= finish[-1]
        may_stop = len(finish) >= terms.min_steps[order].item() or step == longest
        stop = 1.0 if step == longest else torch.sigmoid(logit).item() * may_stop
        end = max(len(finish), step)  # a step without a slice, where all but dust was traded before, still counts
        cost = slippage_bps(kind.side.sign, achieved(finish), benchmark(end))
        for number, costs in enumerate(every_cost):
            gain = -(cost + costs.half_spread_bps) / 1e4 / float(paths.volatility[order]) - impact(costs, finish)
            gain /= math.sqrt(longest / 12.0)
            excess = math.sqrt(1.0 + gain**2) - 1.0
            utility, gain_mean = sums[number]
            utility += survive * stop * (gain - terms.risk_aversion[order].item() * excess)
            sums[number] = utility, gain_mean + survive * stop * gain
        survive *= 1.0 - stop
        slices.append(min(allocation.item(), permitted[step - 1]))
    return sums


@pytest.mark.parametrize("cap", [1.0, 0.4, 0.26])
@pytest.mark.parametrize("rate", [1.0, 0.4])
@pytest.mark.parametrize("max_steps", [4, 3])
def test_the_expected_utility_is_the_sum_over_all_stops(cap: float, rate: float, max_steps: int) -> None:
    """Gains are in units of volatility and of sqrt(N / 12)."""
    paths = shorter(some_paths(), max_steps)
    if rate < 1.0:  # so that the limit binds in some bars
        paths = replace(paths, volume=3.0 * paths.volume / paths.volume.mean())
    terms = some_terms(paths, max_slice_fraction=max(cap, 1.001 / max_steps), max_participation_rate=rate)

    every_cost = (FREE, Costs(impact=0.8, half_spread_bps=2.0))
    with torch.no_grad():
        outcomes = [roll(a_net().decision, paths, terms, costs) for costs in every_cost]

    for order in (0, 5):
        for scenario in range(len(SCENARIOS)):
            expected = by_hand(paths, terms, every_cost, order, scenario)
            for outcome, (utility, gain) in zip(outcomes, expected, strict=True):
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
    terms = some_terms(paths, min_steps=4.0)  # one way to end, so the penalty is that of the one gain
    surcharge = torch.full_like(terms.min_steps, 2.0)

    with torch.no_grad():
        outcome = roll(a_net().decision, paths, terms, hedge=surcharge)

    expected = 2.0 * (torch.sqrt(0.1**2 + outcome.gain**2) - 0.1)
    assert outcome.gain.abs().max() > 0.3
    assert torch.allclose(outcome.hedging, expected, atol=1e-6)


def test_orders_end_between_min_and_max_steps() -> None:
    paths = shorter(some_paths(), 3)

    outcome = roll(a_net(noise=2.0).decision, paths, some_terms(paths, min_steps=2.0))

    assert ((outcome.steps >= 2) & (outcome.steps <= 3)).all()


def test_what_the_limits_keep_from_all_other_steps_is_traded_in_the_last() -> None:
    """As the service does for an order that is to be done always; training must know what that costs."""
    paths = some_paths()

    outcome = roll(a_net().decision, paths, some_terms(paths, max_participation_rate=1e-6, min_steps=1.0))

    assert (outcome.steps == TINY.max_steps).all()
    assert torch.isfinite(outcome.utility).all()


@pytest.mark.parametrize("limited", [False, True])
def test_drawn_terms_can_always_be_met(limited: bool) -> None:
    paths = some_paths()
    paths = replace(paths, **{field.name: getattr(paths, field.name)[[0] * 500] for field in fields(paths)})

    terms = draw_terms(paths, torch.full((500,), limited), torch.Generator().manual_seed(0))

    capped, by_volume = terms.max_slice_fraction < 1.0, terms.max_participation_rate < 1.0
    mean_volume = torch.exp(paths.context[:, 0, CONTEXT.log_volume])
    assert (terms.min_steps >= 1).all()
    assert (terms.min_steps <= TINY.max_steps).all()
    assert (terms.max_slice_fraction * TINY.max_steps >= 1.0).all()
    assert (terms.max_participation_rate * mean_volume * TINY.max_steps >= terms.order_volume).all()
    assert not (capped & by_volume).any()
    assert bool(capped.any()) == bool(by_volume.any()) == limited
    assert (terms.risk_aversion == 0.0).any()
