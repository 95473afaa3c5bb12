"""A finish at full speed, by running sums, is what a plain loop over its bars pays."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from app.domain.costs import FREE, VOLUME_FLOOR, Costs
from app.domain.order import SCENARIOS
from models.network.scenarios import notional_flags
from models.objective.full_speed import DUST, FullSpeed
from models.objective.terms import Terms
from tests.models.test_rollout import some_paths, some_terms

STEPS, ORDER_VOLUME = 4, 3.0
COSTLY = Costs(impact=0.8)


def limits(terms: Terms, order: int, volume: list[float]) -> list[float]:
    """The most that each bar permits."""
    rate, cap = terms.max_participation_rate[order].item(), terms.max_slice_fraction[order].item()
    return [min(cap, rate * bar / ORDER_VOLUME if rate < 1.0 else 1.0) for bar in volume]


def by_loop(
    permitted: list[float], price_over: list[float], volume: list[float], costs: Costs, step: int, leaves: float
) -> tuple[int, float, float]:
    """The last step of a finish, what it pays and what its impact costs, bar by bar."""
    paid, impact, end, usual = 0.0, 0.0, step, sum(volume) / len(volume)
    while leaves > 0.0:
        piece = leaves if end == STEPS or leaves - permitted[end - 1] <= DUST else permitted[end - 1]
        paid += piece * price_over[end - 1]
        impact += costs.impact * piece * math.sqrt(piece * ORDER_VOLUME / max(volume[end - 1], VOLUME_FLOOR * usual))
        leaves -= piece
        end += leaves > 0.0
    return end, paid, impact


@pytest.mark.parametrize("costs", [FREE, COSTLY])
@pytest.mark.parametrize("limited", [{}, {"max_slice_fraction": 0.3}, {"rate": 0.4},
                                     {"max_slice_fraction": 0.3, "rate": 0.5}, {"rate": 0.05}])  # fmt: skip
def test_a_finish_is_a_plain_loop_over_its_bars(limited: dict[str, float], costs: Costs) -> None:
    """In both size modes. The rate is a share of the volume at which the whole order could just be traded."""
    paths = some_paths()
    usual = paths.volume.mean().item()
    changes = {name: value for name, value in limited.items() if name != "rate"}
    if "rate" in limited:  # some bars permit much of the order, others little, one nothing
        volume = paths.volume / usual * ORDER_VOLUME
        volume[:, 1] *= 0.0
        paths, changes = replace(paths, volume=volume), changes | {"max_participation_rate": limited["rate"]}
    terms, by_notional = some_terms(paths, **changes), notional_flags()[:, None]
    speed = FullSpeed.of(paths, terms, costs, by_notional)

    for step in range(1, STEPS + 1):
        for share in (1.0, 0.45, 0.1):
            finish = speed.finish(step, torch.full((len(SCENARIOS), len(paths.price)), share))

            for scenario in (0, 1, len(SCENARIOS) - 1):
                for order in range(0, len(paths.price), 3):
                    bars = paths.volume[order].tolist()
                    price = paths.price[order].double()
                    over = ((1.0 / price if by_notional[scenario] else price) - 1.0).tolist()
                    end, paid, impact = by_loop(limits(terms, order, bars), over, bars, costs, step, share)
                    assert finish.end[scenario, order] == end
                    assert finish.paid[scenario, order].item() == pytest.approx(paid, abs=1e-5)
                    assert finish.impact[scenario, order].item() == pytest.approx(impact, abs=1e-4)


def test_only_orders_with_a_limit_are_limited() -> None:
    paths, by_notional = some_paths(), notional_flags()[:, None]

    free, capped = (
        FullSpeed.of(paths, some_terms(paths, max_slice_fraction=cap), FREE, by_notional) for cap in (1.0, 0.9)
    )

    assert not free.limited
    assert capped.limited


def test_an_order_of_which_nothing_is_left_ends_where_it_stands_and_pays_nothing() -> None:
    paths = some_paths()
    speed = FullSpeed.of(paths, some_terms(paths, max_slice_fraction=0.3), COSTLY, notional_flags()[:, None])

    finish = speed.finish(2, torch.zeros(len(SCENARIOS), len(paths.price)))

    assert (finish.end == 2).all()
    assert finish.paid.abs().max() < 1e-6
    assert finish.impact.abs().max() < 1e-6
    assert torch.isfinite(finish.last_share).all()
