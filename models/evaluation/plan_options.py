"""The plan that the options of `lem evaluate` ask for: a file or bars, with single settings changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.backtest.options import whole_numbers
from app.backtest.setup import Starts
from app.domain.errors import InvalidInput
from models.evaluation.evaluation_plan import EvaluationPlan, make_plan, read_plan

RANGE = ".."


@dataclass(frozen=True, slots=True, kw_only=True)
class BarOptions:
    """Options that go with --bars: settings of the one market that these bars are."""

    start: datetime | None = None
    end: datetime | None = None
    step_seconds: int | None = None
    starts: Starts | None = None

    def settings(self) -> dict[str, Any]:
        return {
            "start": self.start and self.start.date(),
            "end": self.end and self.end.date(),
            "step_seconds": self.step_seconds,
            "starts": self.starts,
        }


def chosen_plan(path: Path | None, bars: list[Path], options: BarOptions) -> EvaluationPlan:
    """The plan in the file at `path`, or one market of `bars`. Raises InvalidInput for options that exclude others."""
    if path and bars:
        raise InvalidInput("two_sources", "give either --config or --bars, not both")
    if bars:
        first = bars[0].resolve()
        name = first.stem if len(bars) == 1 else first.parent.name
        given = {key: value for key, value in options.settings().items() if value is not None}
        return make_plan({"markets": {name: {"paths": bars, **given}}}, "--bars")
    for name, value in options.settings().items():
        if value is not None:
            option = name.replace("_", "-")
            raise InvalidInput("needs_bars", f"--{option} goes with --bars; in a plan, set {name} of each market")
    return read_plan(path) if path else EvaluationPlan()


def changed_plan(
    plan: EvaluationPlan, *, max_steps: int | None, min_steps: str | None, every: int | None, walk: bool
) -> EvaluationPlan:
    """The plan with the settings that the options give. Raises InvalidInput for an option without effect."""
    if every and not plan.markets:
        raise InvalidInput("needs_bars", "--every goes with the bars of a market, of --bars or of a plan")
    if plan.has_horizons and (max_steps or min_steps):
        option = "--max-steps" if max_steps else "--min-steps"
        raise InvalidInput("has_horizons", f"{option}: the plan names the lengths of its orders; change them there")
    content = plan.model_dump()
    if max_steps:
        content["max_steps"] = max_steps
    if min_steps:
        content["min_steps"] = _steps(min_steps)
    for market in content["markets"].values() if every else ():
        for each in (market, *market["horizons"]):
            each["every"] = every
    if walk and plan.walk is None:
        content["walk"] = {}
    if min_steps and content["walk"] is not None:
        content["walk"]["min_steps"] = content["min_steps"]
    return make_plan(content, "options")


def _steps(text: str) -> tuple[int, ...]:
    first, dots, last = text.partition(RANGE)
    if not dots:
        return whole_numbers("min-steps", text)
    low, high = (*whole_numbers("min-steps", first), *whole_numbers("min-steps", last))
    return tuple(range(low, high + 1))
