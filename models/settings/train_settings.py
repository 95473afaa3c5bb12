"""Settings of a training: what the `[training]` part of a plan may change."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from app.domain.costs import Costs
from models.settings.values import Number, Whole

COUNT_MAX, DRAWS_MAX = 1_000_000_000, 10_000
Count = Annotated[Whole, Field(ge=1, le=COUNT_MAX)]
CountOrNone = Annotated[Whole, Field(ge=0, le=COUNT_MAX)]
Draws = Annotated[Whole, Field(ge=1, le=DRAWS_MAX)]
DrawsOrNone = Annotated[Whole, Field(ge=0, le=DRAWS_MAX)]
Share = Annotated[Number, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class TrainSettings:
    """One step draws `stretches` of `starts` order starts, `repeat` orders (and `repeat_capped` with a limit on their
    slices or their participation) on each start. A share of the steps is simulated; a share has orders of up to the
    longest horizon, the rest of up to 12 steps. The learning rate rises over `warmup` steps and falls to zero along a
    cosine. Before the first step, straight lines are fitted to as many draws as `warm_batches`, and the forecasts are
    taught for `forecast_steps`; they stay as they are from then on.

    What is released is the running average of the weights at the step where the utility on validation bars, and on
    their mirror images, was best; training ends early after `patience` validations without a better one.

    Raises pydantic's ValidationError, a ValueError, where a setting is out of its range.
    """

    steps: Count = 2_000
    seed: Annotated[Whole, Field(ge=0, le=2**63 - 1)] = 0
    stretches: Draws = 32
    starts: Draws = 5
    repeat: DrawsOrNone = 3
    repeat_capped: DrawsOrNone = 2
    simulated_share: Share = 0.25
    long_share: Share = 0.5
    impact: Annotated[Number, Field(ge=0, le=1_000)] = 1.0
    half_spread_bps: Annotated[Number, Field(ge=0, le=10_000)] = 0.0
    learning_rate: Share = 1.5e-3
    weight_decay: Annotated[Number, Field(ge=0, le=10)] = 0.1
    warmup: CountOrNone = 100
    average_decay: Annotated[Number, Field(ge=0, le=0.99999)] = 0.995
    warm_batches: CountOrNone = 3_000
    forecast_steps: CountOrNone = 1_000
    tilt_steps: CountOrNone = 400
    checkpoint_every: Count = 100
    validate_every: Count = 200
    patience: Count = 8

    def __post_init__(self) -> None:
        if not self.repeat + self.repeat_capped:
            raise ValueError("repeat and repeat_capped are both 0: one of them must be at least 1")

    def rate(self, step: int, steps: int) -> float:
        """The learning rate after `step` of `steps` steps."""
        rise = min(1.0, (step + 1) / max(1, self.warmup))
        return self.learning_rate * rise * 0.5 * (1.0 + math.cos(math.pi * step / steps))

    @property
    def costs(self) -> Costs:
        return Costs(impact=self.impact, half_spread_bps=self.half_spread_bps)
