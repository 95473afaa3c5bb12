"""The plan of a training: a TOML file that says what to train on and how. It is checked before any bar is read.

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

from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from models.settings.files import read_toml, validated
from models.settings.sizes import LemConfig
from models.settings.train_settings import TrainSettings
from models.settings.values import Number, Whole

WALKS = "random walk"
"""The name of the simulated markets wherever figures of markets stand side by side."""
STEP_SECONDS_MAX = 604_800


class TrainMarket(BaseModel):
    """One market's bars and their split by time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    train_end: date
    validation_end: date
    step_seconds: Whole | None = Field(default=None, gt=0, le=STEP_SECONDS_MAX)
    weight: Number = Field(default=1.0, gt=0.0, le=1e6)

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
    """The whole file. Without markets, random walks alone train."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    markets: dict[str, TrainMarket] = {}
    settings: TrainSettings = Field(default=TrainSettings(), alias="training")
    config: LemConfig = Field(default=LemConfig(), alias="model")

    @field_validator("markets")
    @classmethod
    def _no_walks(cls, markets: dict[str, TrainMarket]) -> dict[str, TrainMarket]:
        """Figures are kept by the market's name: two markets of one name would overwrite each other's."""
        taken = [name for name in markets if WALKS in name.casefold()]
        if taken:
            raise ValueError(f"{taken[0]!r} is what the simulated markets are called: choose another name")
        return markets


def read_plan(path: Path) -> TrainPlan:
    """Raises InvalidInput with the field of the first mistake. Relative paths start at the file's folder."""
    plan = make_plan(read_toml(path), str(path))
    markets = {
        name: market.model_copy(update={"path": path.parent / market.path}) for name, market in plan.markets.items()
    }
    return plan.model_copy(update={"markets": markets})


def make_plan(content: dict[str, Any], source: str) -> TrainPlan:
    """A plan from plain values; a refusal names `source`."""
    return validated(TrainPlan, content, source)
