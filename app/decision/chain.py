"""A model and what stands in for it: the chain of policies that decides an order.

A chain is one value, so that an order can be pinned to the chain that it began with.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import overload

import numpy as np
from numpy.typing import NDArray

from app.decision.inputs_digest import window_digest
from app.decision.market import Floats, Market, seen_bars
from app.decision.policy import Policy
from app.decision.quotes.calibration import UNCALIBRATED, Calibration
from app.domain.bar import Bar
from app.domain.order_words import NEUTRAL, TRACKING, RiskAversion, RiskAversions


@dataclass(frozen=True, slots=True, kw_only=True)
class BarWindow:
    """What a chain reads: `bars` [1, L, C] as of the bar `newest`."""

    bars: Floats
    newest: Bar

    @property
    def last_price(self) -> Decimal:
        return self.newest.close


@dataclass(frozen=True, slots=True)
class Reading:
    """A policy and what it made of the market; `market` is None where it cannot serve, and `unavailable` says why."""

    policy: Policy
    market: Market | None
    unavailable: str | None = None


@dataclass(frozen=True, slots=True)
class ChainReading:
    """What the model of a chain made of a market, and then each of its fallbacks, in the order of the chain. `window`
    is the digest of the bars, empty where nobody records it."""

    model: Reading
    fallbacks: Sequence[Reading] = ()
    window: bytes = b""

    def __iter__(self) -> Iterator[Reading]:
        yield self.model
        yield from self.fallbacks

    def without_model(self, reason: str) -> ChainReading:
        """The same market, the model being unavailable for `reason`."""
        return replace(self, model=Reading(self.model.policy, None, reason))

    def expected_volumes(self, windows_unseen: int, steps: int) -> NDArray[np.float64] | None:
        """[N]: the volume (base units) that the first policy able to say expects in each of so many steps after
        `windows_unseen` ones; None where none is."""
        for reading in self:
            if reading.market is not None:
                ahead = reading.market.volume_forecast[0]
                index = np.minimum(windows_unseen + np.arange(steps), len(ahead) - 1)
                forecast: NDArray[np.float64] = ahead[index].astype(np.float64)
                if np.isfinite(forecast).all() and (forecast >= 0.0).all():
                    return forecast
        return None

    def expected_volume(self, windows_unseen: int = 0) -> Decimal | None:
        """The volume (base units) that the first policy able to say expects in the step after `windows_unseen` ones."""
        for reading in self:
            if reading.market is not None:
                ahead = reading.market.volume_forecast[0]
                forecast = float(ahead[min(windows_unseen, len(ahead) - 1)])
                if math.isfinite(forecast) and forecast >= 0:
                    return Decimal(repr(forecast))
        return None


class StandIns(Sequence[Reading]):
    """What fallbacks make of a window. Each reads it when its answer is needed, and once: while the model answers,
    nobody needs it."""

    def __init__(self, policies: Sequence[Policy], window: BarWindow, steps: int) -> None:
        self._policies, self._window, self._steps = policies, window, steps
        self._readings: dict[int, Reading] = {}

    def __len__(self) -> int:
        return len(self._policies)

    @overload
    def __getitem__(self, index: int) -> Reading: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Reading]: ...

    def __getitem__(self, index: int | slice) -> Reading | Sequence[Reading]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        if index not in self._readings:
            self._readings[index] = _reading(self._policies[index], self._window, self._steps)
        return self._readings[index]


@dataclass(frozen=True, slots=True)
class PolicyChain:
    """`model` decides; where it cannot, the first of `fallbacks` that can. `calibration` is what orders of the
    model were measured to earn, which quotes rest on. A `prompt` model decides a few orders at once: nobody need
    guard himself against its taking long."""

    model: Policy
    fallbacks: tuple[Policy, ...] = ()
    calibration: Calibration = UNCALIBRATED
    prompt: bool = False

    @property
    def name(self) -> str:
        """The model's name, which slices record."""
        return self.model.name

    @property
    def lookback(self) -> int:
        """The most bars that a policy of the chain reads."""
        return max(1, *(policy.lookback for policy in (self.model, *self.fallbacks)))

    @property
    def max_steps(self) -> int:
        """The longest horizon that the model can decide."""
        return self.model.max_steps

    @property
    def risk_aversions(self) -> RiskAversions:
        """What the names mean, of which an order that asks for nothing gets the default."""
        known: Mapping[str, float] = getattr(self.model, "risk_aversions", {})
        return RiskAversions(
            neutral=known.get(RiskAversion.NEUTRAL, NEUTRAL),
            default=known.get(RiskAversion.DEFAULT, self.model.risk_aversion),
            tracking=known.get(RiskAversion.TRACKING, TRACKING),
        )

    def read(self, window: BarWindow) -> ChainReading:
        """Ask the model what it makes of the window, and each fallback once its answer is needed."""
        return self.read_all([window])[0]

    def read_all(self, windows: Sequence[BarWindow]) -> list[ChainReading]:
        """As `read` of each window; the model reads them together, which takes a tenth of the time."""
        models = _readings(self.model, windows, self.max_steps)
        return [
            ChainReading(each, self._stand_ins(window), window_digest(window.bars, self.lookback))
            for each, window in zip(models, windows, strict=True)
        ]

    def read_without_model(self, window: BarWindow, reason: str) -> ChainReading:
        """Ask the fallbacks alone; the model is unavailable for `reason`."""
        unread = Reading(self.model, None, reason)
        return ChainReading(unread, self._stand_ins(window), window_digest(window.bars, self.lookback))

    def _stand_ins(self, window: BarWindow) -> StandIns:
        return StandIns(self.fallbacks, window, self.max_steps)


def _readings(policy: Policy, windows: Sequence[BarWindow], steps: int) -> list[Reading]:
    """One for each window. Where the policy fails on all of them together, each is read alone."""
    together = [window for window in windows if seen_bars(_looked_at(policy, window))[0] >= policy.history_min]
    if len(together) < 2:  # noqa: PLR2004 -- one window is alone
        return [_reading(policy, window, steps) for window in windows]
    try:
        market = policy.observe(np.concatenate([_looked_at(policy, window) for window in together]), steps)
    except Exception:  # noqa: BLE001 -- whatever a model does wrong, it does to one of the windows
        return [_reading(policy, window, steps) for window in windows]
    read = {id(window): Reading(policy, market.at(index)) for index, window in enumerate(together)}
    return [read.get(id(window)) or _reading(policy, window, steps) for window in windows]


def _looked_at(policy: Policy, window: BarWindow) -> Floats:
    """The part of the window that the policy reads."""
    return window.bars[:, window.bars.shape[1] - policy.lookback :]


def _reading(policy: Policy, window: BarWindow, steps: int) -> Reading:
    bars = _looked_at(policy, window)
    if seen_bars(bars)[0] < policy.history_min:
        return Reading(policy, None, "insufficient_history")
    try:
        return Reading(policy, policy.observe(bars, steps))
    except Exception as error:  # noqa: BLE001 -- whatever a model does wrong, the order goes on
        return Reading(policy, None, f"policy_failed: {type(error).__name__}")
