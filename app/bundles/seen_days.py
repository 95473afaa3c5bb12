"""Which bars a bundle has seen: those that trained it and those that chose it flatter it. Its card knows them.

A card names the split of each market; cards of earlier releases tell it by their calibration, which was measured on the
days that chose. Shapes: S starts of orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.bundles.card import Card, MarketSplit
from app.decision.policy import Policy
from app.domain.errors import InvalidInput

Integers = NDArray[np.int64]
Words = NDArray[np.str_]

NO_BARS = ["random walk"]
"""The data of a card whose model trained on simulated bars alone."""


class Sample(StrEnum):
    """What a model knows of the bars of an order: they trained it, they chose it, other instruments did so on these
    days, or nothing."""

    TRAINING = "training"
    VALIDATION = "validation"
    SAME_DAYS = "same_days"
    OUT = "out"


SAMPLE_TITLES = {
    Sample.TRAINING: "in sample: bars that trained the model",
    Sample.VALIDATION: "in sample: bars that chose the model",
    Sample.SAME_DAYS: "other instruments, on days that trained or chose the model",
    Sample.OUT: "out of sample",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """In seconds since the epoch: bars before `train_end` trained, those from there to `validation_end` chose."""

    train_end: int
    validation_end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDays:
    """`splits` are those of the instruments that trained, of several markets the latest; `start` is the first day that
    trained, in seconds since the epoch. Without instruments nothing is in sample."""

    start: int
    splits: dict[str, Split]

    @property
    def end(self) -> int | None:
        """From here on every instrument is out of sample, in seconds since the epoch. None where nothing is seen."""
        return max((each.validation_end for each in self.splits.values()), default=None)

    def samples(self, instrument: str, start_times: Integers) -> Words:
        """[S]: the `Sample` of each order by the start of its first window, in seconds since the epoch."""
        found = np.full(len(start_times), Sample.OUT.value, dtype="<U10")
        end = self.end
        if end is None:
            return found
        split, later = self.splits.get(instrument), start_times >= self.start
        if split is None:
            found[later & (start_times < end)] = Sample.SAME_DAYS.value
        else:
            found[later & (start_times < split.validation_end)] = Sample.VALIDATION.value
            found[later & (start_times < split.train_end)] = Sample.TRAINING.value
        return found


def seen_days(policy: Policy) -> SeenDays | None:
    """What the policy's bundle has seen; None for a policy without a bundle. Raises InvalidInput where the card has
    something else in the place of a day."""
    card: Card | None = getattr(policy, "card", None)
    return None if card is None else seen_days_of(card, policy.name)


def seen_days_of(card: Card, name: str) -> SeenDays:
    """What the bundle of that card and name has seen. Raises InvalidInput as `seen_days` does."""
    if card.training.data == NO_BARS:
        return SeenDays(start=0, splits={})
    try:
        return _seen(card)
    except ValueError as error:
        raise InvalidInput("bad_card", f"the card of {name}: {error}") from error


def _seen(card: Card) -> SeenDays:
    training = card.training
    by_market = {
        table.market: MarketSplit(train_end=table.start, validation_end=table.end) for table in card.calibration.tables
    } | training.markets
    whole = MarketSplit(train_end=training.end, validation_end=training.end)
    splits: dict[str, Split] = {}
    for name in training.data:
        market, _, instrument = name.rpartition("/")
        split = by_market.get(market, whole)
        other = splits.get(instrument, Split(train_end=0, validation_end=0))
        splits[instrument] = Split(
            train_end=max(other.train_end, _midnight(split.train_end)),
            validation_end=max(other.validation_end, _midnight(split.validation_end)),
        )
    return SeenDays(start=_midnight(training.start), splits=splits)


def _midnight(day: str) -> int:
    """UTC, in seconds since the epoch."""
    return int(datetime.combine(date.fromisoformat(day), time(), UTC).timestamp())
