"""What to measure, from a TOML file or the options of the command line. It is checked before any bar is read.

max_steps = 12                         # all of these are optional
note = "A third of the starts."        # stands on the page of results
min_steps = [1, 6, 12]
risk_aversions = [0, 0.3, 6]           # the frontier; the bundle's named ones are always in it

[markets.crypto_15m]                   # any number of markets; the name is yours
path = "data/crypto_15m"               # a bar file or a folder of them (Parquet), from this file's folder
start = 2025-01-03                     # first starts of orders, UTC; history may be older
end = 2025-11-01                       # starts lie before it
step_seconds = 5400                    # optional: aggregate the bars
every = 13                             # optional: bars from one start to the next. By default this is max_steps or the
                                       # next number without a common factor with the bars of a day: any other would
                                       # start orders at few times of the day
published = "crypto_15min"             # optional: block of the published figures to stand beside
starts = "bars"                        # or "open": orders start at the open of sessions, every `every` of them

[[markets.crypto_15m.horizons]]        # optional: lengths of orders, in the place of the plan's one max_steps
max_steps = 96
min_steps = [32, 64, 96]
every = 193                            # optional, as are starts, size_modes, risk_aversions, frontier_min_steps,
                                       # cost_min_steps and calibration_min_steps (plan_parts.py)

[walk]                                 # optional: random walks, where the best mean is known
instruments = 8

[[walk.horizons]]                      # optional, as above
max_steps = 63
min_steps = [22, 42]
even_slices = [2]                      # orders with a cap of two even slices too

[repurchase]                           # optional: share repurchases on walks of daily bars
slice_caps = [0.06, 0.03]

[repurchase.market]                    # optional: and on real daily bars
path = "data/daily"
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from models.evaluation.market_plan import EvaluationMarket
from models.evaluation.plan_parts import MarketHorizon, PlanPart, WalkHorizon, from_one, once_each
from models.evaluation.repurchase.repurchase_plan import RepurchasePlan
from models.settings.files import read_toml, validated

SLICE_CAPS = (1.0, 0.2)


class WalkPlan(PlanPart):
    """Independent random walks with `sigma_bps` of volatility per bar, drawn from `seed`. With `volume_per_move` they
    look more like a market, though nothing on them can be forecast either (app/bars/walks.py). By default `slice_caps`
    are those of `SLICE_CAPS` with which max_steps slices can finish an order; `horizons` take the place of `min_steps`
    and `slice_caps`."""

    instruments: int = Field(default=8, gt=0)
    bars: int = Field(default=36_000, gt=1000)
    sigma_bps: float = Field(default=20.0, gt=0.0)
    volume_per_move: float = Field(default=0.0, ge=0.0)
    seed: int = Field(default=7, ge=0)
    min_steps: tuple[int, ...] = (1, 4, 6, 7, 8, 9, 10, 11, 12)
    slice_caps: tuple[float, ...] = ()
    horizons: tuple[WalkHorizon, ...] = ()

    @field_validator("horizons")
    @classmethod
    def _once_each(cls, horizons: tuple[WalkHorizon, ...]) -> tuple[WalkHorizon, ...]:
        return once_each(horizons)


class CostPlan(PlanPart):
    """`order_sizes` are shares of the volume that the order's horizon is expected to trade."""

    order_sizes: tuple[float, ...] = (0.001, 0.01, 0.05)
    impact: float = Field(default=1.0, ge=0.0)
    half_spread_bps: float = Field(default=0.5, ge=0.0)
    min_steps: tuple[int, ...] = (1, 6, 9, 12)


class EvaluationPlan(PlanPart):
    """The whole file. Every risk aversion is run at `frontier_min_steps`; the probability of stopping is compared with
    the gain of stopping at `calibration_min_steps`. Entries above max_steps, and those not in `min_steps`, are left
    out; max_steps itself is always among them. `note` stands on the page of results."""

    note: str = ""
    markets: dict[str, EvaluationMarket] = Field(default={})
    walk: WalkPlan | None = None
    repurchase: RepurchasePlan | None = None
    max_steps: int = Field(default=12, ge=2)
    min_steps: tuple[int, ...] = tuple(range(1, 25))
    risk_aversions: tuple[float, ...] = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 6.0, 10.0)
    frontier_min_steps: tuple[int, ...] = (1, 6, 9, 11)
    calibration_min_steps: tuple[int, ...] = (1, 6)
    costs: CostPlan = CostPlan()
    resamples: int = Field(default=2000, ge=100)
    seed: int = Field(default=0, ge=0)

    @field_validator("min_steps", "frontier_min_steps", "calibration_min_steps")
    @classmethod
    def _positive(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        return from_one(steps)

    @field_validator("risk_aversions")
    @classmethod
    def _from_zero(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if min(values, default=0.0) < 0.0:
            raise ValueError("must not be negative")
        return values

    @model_validator(mode="after")
    def _can_finish(self) -> Self:
        for cap in self.slice_caps:
            if not self._finishes(cap):
                raise ValueError(f"walk.slice_caps: {self.max_steps} slices of at most {cap:g} cannot finish an order")
        return self

    def _finishes(self, cap: float) -> bool:
        return Decimal(str(cap)) * self.max_steps >= 1

    @property
    def slice_caps(self) -> tuple[float, ...]:
        """The slice caps of orders on the walk."""
        if self.walk and self.walk.slice_caps:
            return self.walk.slice_caps
        return tuple(cap for cap in SLICE_CAPS if self._finishes(cap))

    @property
    def all_min_steps(self) -> tuple[int, ...]:
        return self.within(self.min_steps)

    def within(self, steps: tuple[int, ...]) -> tuple[int, ...]:
        """Those of `steps` that are below max_steps, and max_steps."""
        return tuple(sorted({step for step in steps if step < self.max_steps} | {self.max_steps}))

    def among(self, steps: tuple[int, ...]) -> tuple[int, ...]:
        """Those of `steps` that are among `min_steps` too, and max_steps."""
        return tuple(step for step in self.within(steps) if step in self.all_min_steps)

    def horizons_of(self, market: EvaluationMarket) -> tuple[MarketHorizon, ...]:
        """The market's own lengths of orders, or the plan's one."""
        if not market.horizons:
            return (
                MarketHorizon(
                    max_steps=self.max_steps,
                    min_steps=self.all_min_steps,
                    risk_aversions=self.risk_aversions,
                    frontier_min_steps=self.among(self.frontier_min_steps),
                    cost_min_steps=self.among(self.costs.min_steps),
                    calibration_min_steps=self.among(self.calibration_min_steps)[:-1],
                    starts=market.starts,
                    every=market.every,
                ),
            )
        return tuple(
            each.model_copy(update={"starts": each.starts or market.starts, "every": each.every or market.every})
            for each in market.horizons
        )

    @property
    def has_horizons(self) -> bool:
        """Whether a market or the walk names lengths of its own."""
        return any(market.horizons for market in self.markets.values()) or bool(self.walk and self.walk.horizons)


def read_plan(path: Path) -> EvaluationPlan:
    """Raises InvalidInput with the place of the first mistake. Relative paths are from the file's folder."""
    plan = make_plan(read_toml(path), str(path))
    found: dict[str, Any] = {
        "markets": {name: _from_folder(path.parent, market) for name, market in plan.markets.items()}
    }
    if plan.repurchase and plan.repurchase.market:
        market = _from_folder(path.parent, plan.repurchase.market)
        found["repurchase"] = plan.repurchase.model_copy(update={"market": market})
    return plan.model_copy(update=found)


def _from_folder(folder: Path, market: EvaluationMarket) -> EvaluationMarket:
    return market.model_copy(update={"paths": tuple(folder / each for each in market.paths)})


def make_plan(content: dict[str, Any], source: str) -> EvaluationPlan:
    """A plan from plain values; `source` is named where they are wrong."""
    return validated(EvaluationPlan, content, source)
