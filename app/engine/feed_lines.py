"""Requests with bars of one instrument are taken one after the other. How many may stand in that line is bounded: a
feed that does not await its answers is told so, and not queued for without end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from app.domain.errors import TooFast

REQUESTS_MAX = 8
"""With bars of one instrument, the one at work among them. Some feeds send each bar from several places."""


class FeedLines:
    """The line of each instrument."""

    def __init__(self) -> None:
        self._requests: Counter[str] = Counter()

    @contextmanager
    def joined(self, symbols: Iterable[str]) -> Iterator[None]:
        """In the line of each instrument. Raises TooFast("feed_too_fast") where one is full."""
        own = set(symbols)
        full = [symbol for symbol in own if self._requests[symbol] >= REQUESTS_MAX]
        if full:
            detail = f"{REQUESTS_MAX} requests with bars of {min(full)} wait already; await the answers to those"
            raise TooFast("feed_too_fast", detail)
        self._requests.update(own)
        try:
            yield
        finally:
            self._requests.subtract(own)
            for symbol in own:
                if not self._requests[symbol]:
                    del self._requests[symbol]
