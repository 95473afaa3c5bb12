"""What somebody who watches an order is to be warned of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.domain.slice import Basis
from app.domain.state import OrderState
from app.engine.engine import Engine
from app.engine.feeds import Feed


@dataclass(frozen=True, slots=True)
class Warned:
    """`word` is what a table has room for, `told` says it in a sentence."""

    word: str
    told: str


class Watch:
    """What is known of feeds and instruments at one moment, for all orders that are looked at then."""

    def __init__(self, engine: Engine) -> None:
        self.feeds: Mapping[str, Feed] = {feed.symbol: feed for feed in engine.feeds.all()}
        self.failed = engine.book.failed
        self._lateness = engine.lateness
        self._book = engine.book

    def late(self, symbol: str) -> bool:
        """Whether the next bar is later than orders wait for it."""
        feed, terms = self.feeds.get(symbol), self._book.terms.get(symbol)
        if feed is None or terms is None:
            return False
        return feed.overdue_seconds > self._lateness.grace(terms).total_seconds()

    def warnings(self, state: OrderState) -> list[Warned]:
        return list(self._warnings(state))

    def _warnings(self, state: OrderState) -> Iterator[Warned]:
        symbol, piece = state.order.instrument, state.current
        feed = self.feeds.get(symbol)
        if state.behind:
            yield Warned("out of reach", f"{state.behind:f} cannot be done in time within the order's limits")
        if state.over_filled:
            yield Warned("over-filled", f"{state.over_filled:f} was reported beyond what was asked for")
        if piece is not None and piece.decided.basis is Basis.FALLBACK:
            reason = piece.decided.fallback_reason or "unknown"
            yield Warned("fallback", f"the model did not decide the newest slice: {reason.replace('_', ' ')}")
        if symbol in self.failed:
            yield Warned("stuck", f"{symbol} cannot be opened now and is tried again")
        if feed is not None and feed.silent:
            yield Warned("feed silent", f"the next bar of {symbol} is {feed.overdue_seconds:.0f} s overdue")
        elif feed is not None and self.late(symbol):
            yield Warned("late feed", f"the next bar of {symbol} is {feed.overdue_seconds:.0f} s late")
        if state.unpriced:
            yield Warned("unpriced", f"{state.unpriced:f} was assumed to be filled while nobody saw the market")
        elif state.sums.partial:
            yield Warned("partial", "windows are left out of the benchmark because the feed had a gap there")


def stop_probability(state: OrderState) -> float | None:
    """The model's probability that the order ends with its newest slice; 1 where that is decided, None where nothing is
    known."""
    piece = state.current
    if piece is None:
        return None
    if piece.stop_reason is not None:
        return 1.0
    known = float(piece.decided.stop_probability)
    return known if math.isfinite(known) else None
