"""Stretches of consecutive bars to train and to measure on. All orders that pass over a stretch share its contexts,
which are computed once.

Shapes: L lookback, C columns, G stretches, K contexts per stretch, A bars ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from app.bars.series import raw_windows
from app.decision.market import COLUMNS
from app.domain.errors import InvalidInput
from models.settings.sizes import LemConfig
from models.tapes.tapes import Tape

VOLUME = COLUMNS.index("volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretches:
    """`windows` [G K, L, C]; `close` [G, K + A], of which entry k is the close of the bar that context k stands on;
    `price` and `volume` [G, K + A - 1], of which entry k is of the bar after it. Orders start on the first contexts."""

    windows: Tensor
    price: Tensor
    close: Tensor
    volume: Tensor
    contexts: int
    starts: int

    def without_windows(self) -> Stretches:
        return replace(self, windows=self.windows[:0])

    def to(self, device: torch.device) -> Stretches:
        return replace(
            self,
            windows=self.windows.to(device),
            price=self.price.to(device),
            close=self.close.to(device),
            volume=self.volume.to(device),
        )


def draw_stretches(
    tapes: Sequence[Tape],
    config: LemConfig,
    count: int,
    starts: int,
    rng: np.random.Generator,
    *,
    horizon: int = 1,
    ahead: int = 1,
) -> Stretches:
    """`count` stretches with `starts` order starts each, for orders of `horizon` steps, with `ahead` bars after every
    context; every bar of every tape is equally likely to begin one. Raises InvalidInput where no tape is long enough.
    """
    contexts = starts + horizon - 1
    reach = contexts + ahead
    room = np.array([max(0, tape.hi - tape.lo - reach) for tape in tapes], dtype=np.float64)
    if not room.any():
        raise InvalidInput("too_few_bars", f"no tape has the {reach + 1} bars that a stretch needs")
    chosen = rng.choice(len(tapes), size=count, p=room / room.sum())
    begins = [(tapes[index], int(rng.integers(tapes[index].lo, tapes[index].hi - reach))) for index in chosen]
    return stretches_at(begins, config, contexts=contexts, starts=starts, ahead=ahead)


def stretches_at(
    begins: Sequence[tuple[Tape, int]], config: LemConfig, *, contexts: int, starts: int, ahead: int = 1
) -> Stretches:
    """The stretches that begin at the given bars; orders start on the first `starts` contexts of each."""
    reach = np.arange(contexts + ahead)
    return Stretches(
        windows=torch.from_numpy(np.concatenate([_windows(tape, first, config, contexts) for tape, first in begins])),
        price=torch.from_numpy(np.stack([tape.price[first + 1 + reach[:-1]] for tape, first in begins])),
        close=torch.from_numpy(np.stack([tape.close[first + reach] for tape, first in begins])),
        volume=torch.from_numpy(np.stack([tape.raw[first + 1 + reach[:-1], VOLUME] for tape, first in begins])),
        contexts=contexts,
        starts=starts,
    )


def _windows(tape: Tape, first: int, config: LemConfig, contexts: int) -> np.ndarray:
    """[K, L, C] of the bars from `first` on."""
    begin = max(0, first - config.lookback + 1)
    return raw_windows(tape.raw[begin : first + contexts], config.lookback, first - begin + np.arange(contexts))
