"""`card.json`: the description of a bundle. All of it is checked before the bundle decides anything."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

CARD_FILE = "card.json"


class CardPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TensorCard(CardPart):
    """One input or output of a graph. A size of `shape` that is a letter is free."""

    name: str
    dtype: Literal["float32", "int64"]
    shape: list[int | str]
    unit: str


class GraphCard(CardPart):
    sha256: str
    inputs: list[TensorCard]
    outputs: list[TensorCard]


class GoldenCase(CardPart):
    """Inputs of one graph and the outputs that torch gave for them, as nested lists by the tensors' names."""

    graph: Literal["context", "decision"]
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class RiskAversions(CardPart):
    """Named trade-offs between a better mean and a smaller spread of outcomes."""

    neutral: float = Field(ge=0, allow_inf_nan=False)
    default: float = Field(ge=0, allow_inf_nan=False)
    tracking: float = Field(ge=0, allow_inf_nan=False)


class MarketSplit(CardPart):
    """Days, midnight UTC: a market's bars before `train_end` trained, those from there to `validation_end` chose."""

    train_end: str
    validation_end: str


class Training(CardPart):
    """How the bundle was trained: on which `data` and span, with which seed, sizes and settings. `end` is the latest
    `train_end` of the `markets`, which earlier cards do not name."""

    data: list[str]
    start: str
    end: str
    seed: int
    steps: int
    config: dict[str, int]
    settings: dict[str, float | int | str | list[str]]
    markets: dict[str, MarketSplit] = {}


Tail = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class CalibrationTable(CardPart):
    """What orders of the bundle earned on the bars of `market` in [start, end), UTC days, by horizon: each list has one
    entry per horizon. Orders of a table are alike in all else; `slice_cap_multiple` is their slice cap as a multiple of
    an even slice, null without one. Gains are in units of the volatility per bar known at the start, times the square
    root of max_steps; positive is better than the benchmark. A row of `quantiles` has one for each of the `levels`;
    they and `std` are what was measured with `tails`, the factors of the distances below and above the median."""

    market: str = Field(min_length=1)
    bar_seconds: int = Field(gt=0)
    benchmark: Literal["vwap", "twap"]
    risk_aversion: float = Field(ge=0, allow_inf_nan=False)
    slice_cap_multiple: float | None = Field(ge=1, allow_inf_nan=False)
    start: str
    end: str
    max_steps: list[int] = Field(min_length=1)
    min_steps: list[int]
    orders: list[int]
    tails: list[Annotated[list[Tail], Field(min_length=2, max_length=2)]]
    mean: list[float]
    std: list[float]
    quantiles: list[list[float]]


class CalibrationCard(CardPart):
    """What quotes rest on; without tables, on simulations alone. `levels` are the probabilities of the quantiles."""

    levels: list[float] = []
    tables: list[CalibrationTable] = []


class Card(CardPart):
    """The card of one bundle.

    `columns` are those of the raw window, `state_columns` those of an order's state. `scenarios` are the words of each
    scenario in the order of its index. `metrics` is the validation table at the end of the training.
    """

    schema_version: Literal[1] = 1
    name: str
    created_at: str
    lookback: int = Field(gt=0)
    history_min: int = Field(gt=0)
    max_steps: int = Field(gt=0)
    bar_seconds: list[int]
    columns: list[str]
    state_columns: list[str]
    scenarios: list[list[str]]
    risk_aversions: RiskAversions
    context: GraphCard
    decision: GraphCard
    training: Training
    metrics: list[dict[str, float | int | str]]
    golden: list[GoldenCase]
    calibration: CalibrationCard = CalibrationCard()
