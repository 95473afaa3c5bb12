"""The sizes of a LEM. They travel in the checkpoint and in the bundle's card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from models.settings.ranges import Range, require_in_range

OUTLOOKS = (1, 4, 12)
"""Over how many next bars (at most the longest horizon) the mean price is foreseen: the first learned figures."""

Bars = Annotated[int, Range(4, 100_000)]
"""No window is shorter than the newest bars that features read one by one."""
Steps = Annotated[int, Range(1, 100)]
"""The table of the optimum for a random walk takes minutes from 50 on."""
Layers = Annotated[int, Range(0, 64)]
Width = Annotated[int, Range(1, 4_096)]
WidthOrNone = Annotated[int, Range(1, 4_096, or_zero=True)]
NormedWidth = Annotated[int, Range(2, 4_096)]
"""A norm over one figure makes it the same whatever it was."""
NormedWidthOrNone = Annotated[int, Range(2, 4_096, or_zero=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LemConfig:
    """`lookback` raw bars (L) feed the features and the volume profile; the recurrence reads the newest
    `recurrence` of them (T). `history_min` is the least history that serves.

    A size of zero leaves its part out: no variable selection (`variable_width`), an LSTM in the place of the TKAN
    (`kan_layers`), no recurrence, no attention (`heads`), nothing of the market but its volatility and its mean volume
    (`context_width`), straight lines and what the context has learned for the volume (`bend_width`), one network shared
    by all steps and scenarios (`step_blocks`).

    Raises ValueError with the first size that is out of its range or does not go with another.
    """

    lookback: Bars = 480
    recurrence: Bars = 48
    history_min: Bars = 96
    max_steps: Steps = 24
    variable_width: NormedWidthOrNone = 4
    hidden: NormedWidth = 32
    kan_layers: Layers = 1
    kan_width: Width = 8
    kan_knots: Annotated[int, Range(2, 1_000)] = 8
    recurrent_layers: Layers = 1
    heads: WidthOrNone = 2
    context_width: Annotated[int, Range(len(OUTLOOKS) + 1, 4_096, or_zero=True)] = 24
    bend_width: WidthOrNone = 128
    decision_hidden: Width = 32
    step_blocks: Annotated[int, Range(0, 1)] = 1

    def __post_init__(self) -> None:
        require_in_range(self)
        if not self.recurrence <= self.history_min <= self.lookback:
            raise ValueError("a config needs recurrence <= history_min <= lookback")
        if self.heads and self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is not a multiple of heads {self.heads}")
        if self.lookback < self.recurrence + self.max_steps:
            raise ValueError("the lookback must hold the recurrence and the longest horizon")
