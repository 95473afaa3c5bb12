"""Which scenarios are looked at together."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.order import SCENARIOS, Benchmark, Side, SizeMode
from models.evaluation.backtest_run import Run

BOTH = "both"


@dataclass(frozen=True, slots=True)
class Group:
    """Scenarios of one benchmark; `side` and `size_mode` may be `both`."""

    side: str
    benchmark: str
    size_mode: str

    def places(self, run: Run) -> list[int]:
        """Where its scenarios stand among those of the run."""
        return [place for place, index in enumerate(run.scenarios) if self._holds(index)]

    def _holds(self, index: int) -> bool:
        scenario = SCENARIOS[index]
        return (
            scenario.benchmark.value == self.benchmark
            and self.side in (BOTH, scenario.side.value)
            and self.size_mode in (BOTH, scenario.size_mode.value)
        )

    def words(self) -> dict[str, str]:
        return {"side": self.side, "benchmark": self.benchmark, "size_mode": self.size_mode}


POOLED = tuple(Group(BOTH, benchmark.value, BOTH) for benchmark in Benchmark)
SINGLE = tuple(
    Group(side.value, benchmark.value, size_mode.value)
    for side in Side
    for benchmark in Benchmark
    for size_mode in SizeMode
)
ALL_GROUPS = POOLED + SINGLE
