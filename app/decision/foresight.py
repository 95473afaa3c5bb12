"""Foresees how an order may go on: its decisions over many simulated continuations of the market.

The log price is a Brownian motion from the last close, with the volatility of the newest bars, and the price itself has
no drift; a bar's price is the average of its path. Volumes come as forecast. The policies read the market as of the
newest bar throughout, since nothing newer is known.

Shapes: P continuations, N steps to come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.decision.chain import BarWindow, ChainReading
from app.decision.continuations import Continuations
from app.domain.order_words import RiskAversions
from app.domain.state import OrderState
from app.domain.steps_ahead import StepsAhead

Vector = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """[N] each, for the steps that have no slice yet: the mean number of `lots` that each asks for, where an order that
    has ended asks for none, and the probability that the order ends with it.

    Of every continuation: `traded` [N, P], the lots that each step trades, and `gain_bps` [P] against the benchmark, as
    if the order fixed a quantity: the convexity of a fixed notional is left out. Positive is a gain."""

    lots: Vector
    end_probability: Vector
    traded: Integers
    gain_bps: Vector


def foresee(
    reading: ChainReading,
    window: BarWindow,
    state: OrderState,
    windows_unseen: int,
    risk_aversions: RiskAversions,
    before_each_step: Callable[[], None] = lambda: None,
    steps: StepsAhead | None = None,
) -> Foresight:
    """Run a live order to its end in each continuation; steps that no continuation reaches are left out.

    `windows_unseen` lie between the newest bar and the order's first window without a slice; the last of them are those
    of slices whose bars are still to come. `risk_aversions` says what names mean. `before_each_step` may pause, so that
    more urgent work goes first. `steps` are those without a slice, where the order avoids some of them.
    """
    ahead = Continuations(reading, window, state, risk_aversions, steps)
    ahead.pass_open_windows(windows_unseen)
    lots, ends, traded = [], [], []
    for step in range(state.step + 1, state.order.horizon.max_steps + 1):
        if not (going := ahead.going).any():
            break
        before_each_step()
        asked = ahead.decided(step, windows_unseen)
        traded.append(ahead.pass_window(windows_unseen, asked))
        windows_unseen += 1
        ended = going if step == state.order.horizon.max_steps else going & ~ahead.going
        lots.append(asked.mean())
        ends.append(ended.mean())
        ahead.note_benchmark(going)
    gain_bps = ahead.gain_bps()
    return Foresight(
        lots=np.array(lots),
        end_probability=np.array(ends),
        traded=np.array(traded, dtype=np.int64).reshape(len(traded), len(gain_bps)),
        gain_bps=gain_bps,
    )
