"""One backtest of an evaluation as plain values: the policy, its orders, risk aversion and costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.backtest.setup import ORDER_SHARE, Setup, Starts
from app.domain.costs import FREE, Costs
from app.domain.order import SCENARIOS, Benchmark, Scenario, SizeMode


class Part(StrEnum):
    """The part of the evaluation that a run serves. Runs of `STOP` never stop their orders, so that the gain of
    stopping is known at every step. `PARTS` are whole sessions, looked at part by part."""

    MAIN = "main"
    FRONTIER = "frontier"
    COSTS = "costs"
    STOP = "stop"
    PARTS = "parts"
    WALK = "walk"
    REPURCHASE = "repurchase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Settings of one backtest. Two runs with the same fields give the same orders and the same figures. `scenarios`
    are indices into `SCENARIOS`."""

    part: Part
    policy: str
    risk_aversion: float
    min_steps: tuple[int, ...]
    max_steps: int
    scenarios: tuple[int, ...] = tuple(range(len(SCENARIOS)))
    order_share: float = ORDER_SHARE
    costs: Costs = field(default=FREE)
    slice_cap: float = 1.0

    def setup(self, every: int, start: int | None, end: int | None, starts: Starts = Starts.BARS) -> Setup:
        return Setup(
            min_steps=self.min_steps,
            max_steps=self.max_steps,
            every=every,
            risk_aversion=self.risk_aversion,
            scenarios=tuple(SCENARIOS[index] for index in self.scenarios),
            max_slice_fraction=Decimal(str(self.slice_cap)),
            order_share=self.order_share,
            costs=self.costs,
            start=start,
            end=end,
            starts=starts,
        )

    def facts(self) -> dict[str, Any]:
        """All fields as plain values: part of the key under which the figures are kept."""
        return asdict(self)


def scenarios_of(size_mode: SizeMode, benchmark: Benchmark | None = None) -> tuple[int, ...]:
    """Indices of the scenarios with this size mode and, where one is given, this benchmark."""

    def fits(scenario: Scenario) -> bool:
        return scenario.size_mode is size_mode and benchmark in (None, scenario.benchmark)

    return tuple(scenario.index for scenario in SCENARIOS if fits(scenario))
