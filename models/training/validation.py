"""What a trained network achieves on bars that it has not seen, stopping as in deployment.

Shapes: S scenarios, B orders.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.domain.durations import DAY_SECONDS
from app.domain.order import SCENARIOS, Benchmark
from models.network.lem import Lem
from models.network.scenarios import vwap_flags
from models.objective.forecasts import VOLATILITY_MIN
from models.objective.paths import Paths, paths_of
from models.objective.rollout import BPS, roll
from models.objective.stretches import stretches_at
from models.objective.terms import small_orders
from models.objective.utility import utility
from models.tapes.spacing import bars_per_day, over_the_day
from models.tapes.tapes import Tape

MIN_STEPS, MAX_STEPS = (1, 6, 9, 11, 12), 12
STRETCHES_PER_BATCH = 32
Row = dict[str, float | int | str]


def validation_table(
    net: Lem, tapes: Sequence[Tape], market: str, risk_aversion: float, *, orders_max: int = 3_000
) -> list[Row]:
    """Mean, spread and tails of the *gain* (minus slippage, before costs) by benchmark and min_steps, in units of the
    volatility per bar and in bps. Orders start about every `MAX_STEPS` bars, or more rarely where there would be more
    than `orders_max` (before scenarios)."""
    net.eval()
    longest = min(MAX_STEPS, net.config.max_steps)
    batches = list(_batches(net, _begins(net, tapes, orders_max, longest), longest))
    rows: list[Row] = []
    for min_steps in sorted({min(steps, longest) for steps in MIN_STEPS}):
        gains, bps = [], []
        for paths in batches:
            with torch.no_grad():
                gain = roll(net.decision, paths, small_orders(paths, min_steps, longest, risk_aversion)).hard_gain
            gains.append(gain)
            bps.append(gain * paths.volatility * BPS)
        rows += _rows(torch.cat(gains, dim=1), torch.cat(bps, dim=1), market, min_steps, longest)
    return rows


def utilities(
    net: Lem, tapes: Sequence[Tape], risk_aversion: float, *, orders_max: int = 2_000
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[B] each: every order's day and its utility, in units of volatility. The utility is the mean over all scenarios
    and over a short, a middle and the longest min_steps."""
    longest = min(MAX_STEPS, net.config.max_steps)
    gains = _gains(net, tapes, sorted({1, longest // 2, longest}), risk_aversion, orders_max)
    worth = utility(gains.gain, risk_aversion, torch.sqrt)
    return gains.day, worth.mean((0, 1)).double().numpy()


def tracking_errors(
    net: Lem, tapes: Sequence[Tape], risk_aversion: float, *, orders_max: int = 2_000
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[B] each: every order's day and its absolute slippage against VWAP over all of its steps, in units of volatility
    and as the mean over the scenarios."""
    gains = _gains(net, tapes, [min(MAX_STEPS, net.config.max_steps)], risk_aversion, orders_max)
    return gains.day, gains.gain[:, vwap_flags()].abs().mean((0, 1)).double().numpy()


class _Gains(NamedTuple):
    """`day` [B] of each order's start, since the epoch; `gain` [M, S, B] for M values of min_steps."""

    day: NDArray[np.float64]
    gain: Tensor


def _gains(net: Lem, tapes: Sequence[Tape], min_steps: list[int], risk_aversion: float, orders_max: int) -> _Gains:
    longest = min(MAX_STEPS, net.config.max_steps)
    begins = _begins(net, tapes, orders_max, longest)
    parts = []
    for paths in _batches(net, begins, longest):
        with torch.no_grad():
            terms = [small_orders(paths, least, longest, risk_aversion) for least in min_steps]
            rolled = [roll(net.decision, paths, each).hard_gain for each in terms]
        parts.append(torch.stack(rolled) * (paths.volatility > VOLATILITY_MIN))
    day = np.array([tape.open_time[first] // DAY_SECONDS for tape, first in begins], dtype=np.float64)
    return _Gains(day, torch.cat(parts, dim=-1))


def _begins(net: Lem, tapes: Sequence[Tape], orders_max: int, longest: int) -> list[tuple[Tape, int]]:
    """The bars at which single orders start: side by side, or further apart, so that all times of day come in turn."""
    reach = longest + net.config.max_steps
    room = sum(max(0, tape.hi - tape.lo - reach) for tape in tapes)
    every = max(longest, -(-room // orders_max))
    return [
        (tape, first)
        for tape in tapes
        for first in range(tape.lo, tape.hi - reach, over_the_day(every, bars_per_day(tape.open_time)))
    ]


def _batches(net: Lem, begins: Sequence[tuple[Tape, int]], longest: int) -> Iterator[Paths]:
    for begin in range(0, len(begins), STRETCHES_PER_BATCH):
        stretches = stretches_at(begins[begin : begin + STRETCHES_PER_BATCH], net.config, longest, 1)
        with torch.no_grad():
            features = net.context.features(stretches.windows)
            yield paths_of(stretches, features, net.context.read(features), 1)


def _rows(gains: Tensor, bps: Tensor, market: str, min_steps: int, max_steps: int) -> list[Row]:
    rows: list[Row] = []
    for benchmark in Benchmark:
        chosen = [scenario.index for scenario in SCENARIOS if scenario.benchmark is benchmark]
        gain, basis_points = gains[chosen].flatten().double(), bps[chosen].flatten().double()
        low, high = torch.quantile(basis_points, torch.tensor([0.05, 0.95], dtype=torch.double)).tolist()
        figures = {
            "gain_sigma_mean": gain.mean().item(),
            "gain_sigma_std": gain.std().item(),
            "gain_bps_mean": basis_points.mean().item(),
            "gain_bps_p5": low,
            "gain_bps_p95": high,
        }
        rows.append(
            {
                "market": market,
                "benchmark": benchmark.value,
                "min_steps": min_steps,
                "max_steps": max_steps,
                "orders": gain.numel(),
                **{name: round(value, 4) for name, value in figures.items()},
            }
        )
    return rows
