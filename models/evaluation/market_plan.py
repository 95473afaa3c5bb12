"""The bars of one market and where its orders start, as a plan names them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from app.backtest.setup import Starts
from models.evaluation.plan_parts import MarketHorizon, PlanPart, once_each


class EvaluationMarket(PlanPart):
    """`paths` are bar files, one per instrument; `start` and `end` cut the orders' starts, midnight UTC. Without
    `horizons` the orders have the plan's max_steps."""

    paths: tuple[Path, ...]
    start: date | None = None
    end: date | None = None
    step_seconds: int | None = Field(default=None, gt=0)
    every: int | None = Field(default=None, gt=0)
    published: str | None = None
    starts: Starts = Starts.BARS
    horizons: tuple[MarketHorizon, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _one_path(cls, given: Any) -> Any:
        """A file may name one `path` in the place of `paths`."""
        if isinstance(given, dict) and "path" in given:
            return {"paths": [given["path"]]} | {name: value for name, value in given.items() if name != "path"}
        return given

    @field_validator("horizons")
    @classmethod
    def _once_each(cls, horizons: tuple[MarketHorizon, ...]) -> tuple[MarketHorizon, ...]:
        return once_each(horizons)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start and self.end and self.end <= self.start:
            raise ValueError("end must be after start")
        return self

    @property
    def start_seconds(self) -> int | None:
        return None if self.start is None else midnight(self.start)

    @property
    def end_seconds(self) -> int | None:
        return None if self.end is None else midnight(self.end)


def midnight(day: date) -> int:
    """UTC, in seconds since the epoch."""
    return int(datetime.combine(day, time(), UTC).timestamp())
