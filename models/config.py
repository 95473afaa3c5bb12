"""The sizes of a LEM. They travel in the checkpoint and in the bundle's card."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LemConfig:
    """`lookback` raw bars (L) feed the features and the volume profile; the recurrence reads the newest
    `recurrence` of them (T). `history_min` is the least history that serves."""

    lookback: int = 480
    recurrence: int = 48
    history_min: int = 96
    max_steps: int = 24
    variable_width: int = 16
    hidden: int = 32
    kan_layers: int = 2
    kan_width: int = 8
    kan_knots: int = 8
    recurrent_layers: int = 1
    heads: int = 4
    context_width: int = 24
    decision_hidden: int = 32

    def __post_init__(self) -> None:
        if not self.recurrence <= self.history_min <= self.lookback:
            raise ValueError("a config needs recurrence <= history_min <= lookback")
        if self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is not a multiple of heads {self.heads}")
        if self.lookback < self.recurrence + self.max_steps:
            raise ValueError("the lookback must hold the recurrence and the longest horizon")
