"""The sizes of a LEM. They travel in the checkpoint and in the bundle's card."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

from models.settings.values import Whole, zero_or_at_least

OUTLOOKS = (1, 4, 12)
"""Over how many next bars (at most the longest horizon) the mean price is foreseen: the first learned figures."""

WIDTH_MAX = 4_096
Bars = Annotated[Whole, Field(ge=4, le=100_000)]
"""At least the newest bars that the features read one by one."""
Steps = Annotated[Whole, Field(ge=1, le=1_000)]
Layers = Annotated[Whole, Field(ge=0, le=64)]
Width = Annotated[Whole, Field(ge=1, le=WIDTH_MAX)]
WidthOrNone = Annotated[Whole, Field(ge=0, le=WIDTH_MAX)]
NormedWidth = Annotated[Whole, Field(ge=2, le=WIDTH_MAX)]
"""A norm over a single figure would make every figure the same."""
NormedWidthOrNone = Annotated[WidthOrNone, AfterValidator(zero_or_at_least(2))]
ContextWidthOrNone = Annotated[WidthOrNone, AfterValidator(zero_or_at_least(len(OUTLOOKS) + 1))]


@dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))
class LemConfig:
    """`lookback` raw bars (L) feed the features and the volume profile; the recurrence reads the newest
    `recurrence` of them (T). `history_min` is the least history that serves. Decision blocks stand at `knots` along the
    horizon, whatever its length.

    A size of zero leaves its part out: no variable selection (`variable_width`), an LSTM instead of the TKAN
    (`kan_layers`), no recurrence, no attention (`heads`), nothing of the market but its volatility and its mean volume
    (`context_width`), straight lines and what the context has learned for the volume (`bend_width`), one network shared
    by all steps and scenarios (`knots`).

    Raises pydantic's ValidationError, a ValueError, where a size is out of its range or does not fit the others.
    """

    lookback: Bars = 576
    recurrence: Bars = 48
    history_min: Bars = 96
    max_steps: Steps = 256
    variable_width: NormedWidthOrNone = 4
    hidden: NormedWidth = 32
    kan_layers: Layers = 1
    kan_width: Width = 8
    kan_knots: Annotated[Whole, Field(ge=2, le=1_000)] = 8
    recurrent_layers: Layers = 1
    heads: WidthOrNone = 2
    context_width: ContextWidthOrNone = 12
    bend_width: WidthOrNone = 128
    decision_hidden: Width = 20
    knots: Annotated[Whole, Field(ge=0, le=64), AfterValidator(zero_or_at_least(2))] = 9

    def __post_init__(self) -> None:
        if not self.recurrence <= self.history_min <= self.lookback:
            raise ValueError("a config needs recurrence <= history_min <= lookback")
        if self.heads and self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is not a multiple of heads {self.heads}")
