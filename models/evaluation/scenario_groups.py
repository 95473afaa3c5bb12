"""Scenarios whose orders are looked at together."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.order import SCENARIOS, Benchmark, Side, SizeMode
from models.evaluation.backtest_run import Run

BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioGroup:
    """Scenarios of one benchmark; `side` and `size_mode` may be `both`."""

    side: str
    benchmark: str
    size_mode: str

    def indices(self, run: Run) -> list[int]:
        """Positions of the group's scenarios among those of the run."""
        return [index for index, scenario in enumerate(run.scenarios) if self._holds(scenario)]

    def _holds(self, number: int) -> bool:
        scenario = SCENARIOS[number]
        return (
            scenario.benchmark.value == self.benchmark
            and self.side in (BOTH, scenario.side.value)
            and self.size_mode in (BOTH, scenario.size_mode.value)
        )

    def words(self) -> dict[str, str]:
        return {"side": self.side, "benchmark": self.benchmark, "size_mode": self.size_mode}


POOLED = tuple(ScenarioGroup(side=BOTH, benchmark=benchmark.value, size_mode=BOTH) for benchmark in Benchmark)
SINGLE = tuple(
    ScenarioGroup(side=side.value, benchmark=benchmark.value, size_mode=size_mode.value)
    for side in Side
    for benchmark in Benchmark
    for size_mode in SizeMode
)
ALL_GROUPS = POOLED + SINGLE
