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
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from models.config import LemConfig
from models.files import bar_files, read_toml, validated
from models.settings import TrainSettings
from models.tapes import Market, Span, read_tapes

WALKS = "random walk"
"""What the simulated markets are called wherever figures of markets stand side by side."""
STEP_SECONDS_MAX = 604_800


class MarketPlan(BaseModel):
    """One market's bars and their split by time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    train_end: date
    validation_end: date
    step_seconds: int | None = Field(default=None, gt=0, le=STEP_SECONDS_MAX, strict=True)
    weight: float = Field(default=1.0, gt=0.0, le=1e6, strict=True)

    @model_validator(mode="after")
    def _in_order(self) -> MarketPlan:
        if self.validation_end <= self.train_end:
            raise ValueError("validation_end must be after train_end: what trains must not choose")
        return self

    @property
    def validation_span(self) -> tuple[date, date]:
        """The days whose bars choose."""
        return self.train_end, self.validation_end

    def training(self, name: str, config: LemConfig) -> Market:
        return self._market(name, config, Span(start=None, end=_midnight(self.train_end)))

    def validation(self, name: str, config: LemConfig) -> Market:
        return self._market(name, config, Span(start=_midnight(self.train_end), end=_midnight(self.validation_end)))

    def _market(self, name: str, config: LemConfig, span: Span) -> Market:
        tapes, images = read_tapes(bar_files([self.path]), config, span, self.step_seconds)
        return Market(name=name, tapes=tuple(tapes), mirrored=tuple(images), weight=self.weight)


class Plan(BaseModel):
    """The whole file. No markets: random walks alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    markets: dict[str, MarketPlan] = {}
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
    def _no_walks(cls, markets: dict[str, MarketPlan]) -> dict[str, MarketPlan]:
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


def read_plan(path: Path) -> Plan:
    """Raises InvalidInput with the place of the first mistake. Relative paths are from the file's folder."""
    plan = make_plan(read_toml(path), str(path))
    markets = {
        name: market.model_copy(update={"path": path.parent / market.path}) for name, market in plan.markets.items()
    }
    return plan.model_copy(update={"markets": markets})


def make_plan(content: dict[str, Any], source: str) -> Plan:
    """A plan from plain values; `source` is named where they are wrong."""
    return validated(Plan, content, source)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
