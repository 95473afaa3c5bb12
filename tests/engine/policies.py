"""Policies for tests: real ones, with something about them that shows in the slices."""

from __future__ import annotations

import threading

import numpy as np

from app.decision.market import Floats, Market
from app.decision.policies.twap import Twap
from app.decision.policy import Proposal, Rows


class Reader:
    """What it proposes depends on every bar of its window, so that slices tell which bars were seen."""

    name = "reader"
    lookback = 8
    history_min = 4
    max_steps = 96
    risk_aversion = 1.0

    def observe(self, windows: Floats, steps: int) -> Market:
        """[G, L, C] -> a number in [0, 1) per window that any change of a close changes."""
        weights = np.arange(1, self.lookback + 1)
        mixed = (windows[:, :, 3].astype(np.float64) * weights).sum(axis=1) * 37.0 % 1.0
        forecast = np.repeat(windows[:, :, 4].mean(axis=1, keepdims=True), self.max_steps, axis=1)
        return Market(mixed[:, None].astype(np.float32), forecast)

    def propose(self, market: Market, rows: Rows) -> Proposal:
        mixed = market.context[rows.market, 0].astype(np.float64)
        return Proposal(0.02 + 0.1 * mixed, np.where(mixed > 0.85, 0.9, 0.1))


class Failing(Twap):
    name = "failing"

    def propose(self, market: Market, rows: Rows) -> Proposal:
        raise RuntimeError("broken model")


class NotANumber(Twap):
    """NaN for sells only: a batch is not all good or all bad."""

    name = "not-a-number"

    def propose(self, market: Market, rows: Rows) -> Proposal:
        good = super().propose(market, rows)
        return Proposal(np.where(rows.scenario >= 4, np.nan, good.allocation), good.stop_probability)


class Hanging(Twap):
    """Does not answer before it is released."""

    name = "hanging"

    def __init__(self) -> None:
        self.released = threading.Event()

    def propose(self, market: Market, rows: Rows) -> Proposal:
        self.released.wait(10)
        return super().propose(market, rows)
