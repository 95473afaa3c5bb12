"""The lengths of orders that a plan measures: what stands below `horizons` in a market and in the walk."""

from __future__ import annotations

from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.backtest.setup import TOTAL_LOTS, Starts

NEUTRAL, DEFAULT = "neutral", "default"


class PlanPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Length(PlanPart):
    max_steps: int = Field(ge=2)


class PlannedHorizon(Length):
    """Orders of up to `max_steps`, one for each of `min_steps`."""

    min_steps: tuple[int, ...]

    @field_validator("min_steps")
    @classmethod
    def _in_order(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        return from_one(steps)

    @model_validator(mode="after")
    def _within(self) -> Self:
        if max(self.min_steps) > self.max_steps:
            raise ValueError(f"min_steps {max(self.min_steps)} is above max_steps {self.max_steps}")
        return self


class MarketHorizon(PlannedHorizon):
    """One length of orders on one market.

    `starts` and `every` are the market's where they are not given. The frontier is drawn at `frontier_min_steps`, by
    default at all `min_steps`, and has the risk aversions that the bundle has names for and `risk_aversions`. Costs and
    the calibration of the stop are measured where `cost_min_steps` and `calibration_min_steps` ask for it.
    """

    starts: Starts | None = None
    every: int | None = Field(default=None, gt=0)
    size_modes: tuple[str, ...] = ("quantity", "notional")
    risk_aversions: tuple[float, ...] = ()
    frontier_min_steps: tuple[int, ...] | None = None
    cost_min_steps: tuple[int, ...] = ()
    calibration_min_steps: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _among_min_steps(self) -> Self:
        for name in ("frontier_min_steps", "cost_min_steps", "calibration_min_steps"):
            others = sorted(set(getattr(self, name) or ()) - set(self.min_steps))
            if others:
                raise ValueError(f"{name}: {others[0]} is not among min_steps")
        return self

    @property
    def shown(self) -> tuple[int, ...]:
        """The min_steps of the frontier, and max_steps where whole horizons are measured."""
        steps = self.min_steps if self.frontier_min_steps is None else self.frontier_min_steps
        return tuple(sorted({*steps, *(step for step in self.min_steps if step == self.max_steps)}))


class WalkHorizon(PlannedHorizon):
    """One length of orders on random walks; `instruments` and `bars` are the walk's where they are not given.

    Each of `even_slices` is a slice cap, as a multiple of the slice of an even pace over max_steps. Orders without such
    a cap are run at `risk_aversions`, those with one at `capped_risk_aversions`: numbers, or names of the bundle.
    """

    instruments: int | None = Field(default=None, gt=0)
    bars: int | None = Field(default=None, gt=1000)
    even_slices: tuple[float, ...] = ()
    risk_aversions: tuple[float | str, ...] = (NEUTRAL, DEFAULT)
    capped_risk_aversions: tuple[float | str, ...] = (NEUTRAL,)

    @field_validator("even_slices")
    @classmethod
    def _can_finish(cls, multiples: tuple[float, ...]) -> tuple[float, ...]:
        if min(multiples, default=1.0) < 1.0:
            raise ValueError("must be at least 1: smaller slices cannot finish an order")
        return multiples


Lengths = TypeVar("Lengths", bound=Length)


def once_each(horizons: tuple[Lengths, ...]) -> tuple[Lengths, ...]:
    """Raises ValueError where two horizons have the same max_steps, by which tables tell them apart."""
    lengths = [horizon.max_steps for horizon in horizons]
    if len(set(lengths)) < len(lengths):
        raise ValueError("two have the same max_steps; name the market twice instead")
    return horizons


def slice_cap_of(even_slices: float, max_steps: int) -> float:
    """A cap of so many even slices, rounded up to a whole lot: rounded down, an order would need one slice more."""
    return -int(-even_slices * TOTAL_LOTS // max_steps) / TOTAL_LOTS


def from_one(steps: tuple[int, ...]) -> tuple[int, ...]:
    """Raises ValueError for a list without entries, and for entries below 1."""
    if not steps or min(steps) < 1:
        raise ValueError("must be a list of whole numbers from 1")
    return tuple(sorted(set(steps)))
