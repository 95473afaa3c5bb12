"""The repurchase contracts that a plan measures."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Self

from pydantic import Field, field_validator, model_validator

from models.evaluation.market_plan import EvaluationMarket
from models.evaluation.plan_parts import Length, PlanPart, once_each

DAYS_A_YEAR = 252


class Contract(Length):
    """A repurchase over `max_steps` days that may end from `min_steps` on, of a share with the volatility `sigma_year`
    a year."""

    min_steps: int = Field(ge=1)
    sigma_year: float = Field(gt=0.0)

    @property
    def sigma(self) -> float:
        """The volatility per day: a year has 252 of them."""
        return self.sigma_year / math.sqrt(DAYS_A_YEAR)


class RepurchasePlan(PlanPart):
    """Repurchase contracts, on random walks of daily bars and on the real daily bars of `market`, where it is given.
    Each contract is run without a cap and with `slice_caps`, the most of the order that one day may trade."""

    contracts: tuple[Contract, ...] = (
        Contract(max_steps=63, min_steps=22, sigma_year=0.21),
        Contract(max_steps=125, min_steps=75, sigma_year=0.25),
    )
    slice_caps: tuple[float, ...] = (0.06, 0.03)
    instruments: int = Field(default=4, gt=0)
    bars: int = Field(default=80_000, gt=1000)
    seed: int = Field(default=7, ge=0)
    market: EvaluationMarket | None = None

    @field_validator("contracts")
    @classmethod
    def _once_each(cls, contracts: tuple[Contract, ...]) -> tuple[Contract, ...]:
        return once_each(contracts)

    @model_validator(mode="after")
    def _can_finish(self) -> Self:
        for cap in self.slice_caps:
            for contract in self.contracts:
                if Decimal(str(cap)) * contract.max_steps < 1:
                    raise ValueError(
                        f"slice_caps: {contract.max_steps} slices of at most {cap:g} cannot finish an order"
                    )
        return self
