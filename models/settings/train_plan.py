"""What to train on and how: a TOML file, checked before anything is read.

[markets.crypto_15m]                # any number of markets; the name is yours, but no random walk's
path = "data/crypto_15m"            # a bar file or a folder of them (Parquet), from this file's folder
train_end = 2024-07-01              # bars that open before it, UTC, train
validation_end = 2025-01-01         # bars from train_end to it choose; later ones do neither
step_seconds = 5400                 # optional: aggregate the bars
weight = 2.0                        # optional: how often, against the other markets

[training]                          # optional, see TrainSettings
steps = 4000

[model]                             # optional, see LemConfig
hidden = 32
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from models.settings.files import read_toml, validated
from models.settings.sizes import LemConfig
from models.settings.train_settings import TrainSettings

WALKS = "random walk"
"""What the simulated markets are called wherever figures of markets stand side by side."""
STEP_SECONDS_MAX = 604_800


class TrainMarket(BaseModel):
    """One market's bars and their split by time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    train_end: date
    validation_end: date
    step_seconds: int | None = Field(default=None, gt=0, le=STEP_SECONDS_MAX, strict=True)
    weight: float = Field(default=1.0, gt=0.0, le=1e6, strict=True)

    @model_validator(mode="after")
    def _in_order(self) -> TrainMarket:
        if self.validation_end <= self.train_end:
            raise ValueError("validation_end must be after train_end: what trains must not choose")
        return self

    @property
    def validation_span(self) -> tuple[date, date]:
        """The days whose bars choose."""
        return self.train_end, self.validation_end


class TrainPlan(BaseModel):
    """The whole file. No markets: random walks alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    markets: dict[str, TrainMarket] = {}
    training: dict[str, Any] = {}
    model: dict[str, Any] = {}

    @property
    def config(self) -> LemConfig:
        return LemConfig(**self.model)

    @property
    def settings(self) -> TrainSettings:
        return TrainSettings(**self.training)

    @field_validator("markets")
    @classmethod
    def _no_walks(cls, markets: dict[str, TrainMarket]) -> dict[str, TrainMarket]:
        """Figures are kept by the market's name: those of one would take the place of the other's."""
        taken = [name for name in markets if WALKS in name.casefold()]
        if taken:
            raise ValueError(f"{taken[0]!r} is what the simulated markets are called: name yours otherwise")
        return markets

    @field_validator("training", "model")
    @classmethod
    def _possible(cls, given: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        kind = TrainSettings if info.field_name == "training" else LemConfig
        unknown = set(given) - {field.name for field in fields(kind)}
        if unknown:
            raise ValueError(f"unknown {kind.__name__}: {', '.join(sorted(unknown))}")
        kind(**given)
        return given


def read_plan(path: Path) -> TrainPlan:
    """Raises InvalidInput with the place of the first mistake. Relative paths are from the file's folder."""
    plan = make_plan(read_toml(path), str(path))
    markets = {
        name: market.model_copy(update={"path": path.parent / market.path}) for name, market in plan.markets.items()
    }
    return plan.model_copy(update={"markets": markets})


def make_plan(content: dict[str, Any], source: str) -> TrainPlan:
    """A plan from plain values; `source` is named where they are wrong."""
    return validated(TrainPlan, content, source)
