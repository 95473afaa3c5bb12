"""The sizes of a LEM. They travel in the checkpoint and in the bundle's card."""

from __future__ import annotations

from dataclasses import dataclass

OUTLOOKS = (1, 4, 12)
"""Over how many next bars (at most the longest horizon) the mean price is foreseen: the first learned figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LemConfig:
    """`lookback` raw bars (L) feed the features and the volume profile; the recurrence reads the newest
    `recurrence` of them (T). `history_min` is the least history that serves.

    A size of zero leaves its part out: no variable selection (`variable_width`), an LSTM in the place of the TKAN
    (`kan_layers`), no recurrence, no attention (`heads`), nothing of the market but its volatility and its mean volume
    (`context_width`), straight lines and what the context has learned for the volume (`bend_width`), one network shared
    by all steps and scenarios (`step_blocks`).
    """

    lookback: int = 480
    recurrence: int = 48
    history_min: int = 96
    max_steps: int = 24
    variable_width: int = 4
    hidden: int = 32
    kan_layers: int = 1
    kan_width: int = 8
    kan_knots: int = 8
    recurrent_layers: int = 1
    heads: int = 2
    context_width: int = 24
    bend_width: int = 128
    decision_hidden: int = 32
    step_blocks: int = 1

    def __post_init__(self) -> None:
        if not self.recurrence <= self.history_min <= self.lookback:
            raise ValueError("a config needs recurrence <= history_min <= lookback")
        if 0 < self.context_width <= len(OUTLOOKS):
            raise ValueError(f"context_width must be 0 or more than the {len(OUTLOOKS)} outlooks")
        if self.heads and self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is not a multiple of heads {self.heads}")
        if self.lookback < self.recurrence + self.max_steps:
            raise ValueError("the lookback must hold the recurrence and the longest horizon")
