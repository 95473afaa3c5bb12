"""How late a feed's bars come, and how long orders wait for them because of it."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import timedelta

from app.domain.instrument import Instrument
from app.engine.ports import Metrics

LOG = logging.getLogger(__name__)

GRACE_SECONDS_MIN, GRACE_SECONDS_MAX = 2.0, 30.0
GRACE_OF_BAR = 0.1
GRACE_OF_BAR_MAX = 0.75
"""Orders that wait longer than that part of a bar have too little of the window left to trade in."""
LONGER_THAN_SEEN = 1.25
BARS_REMEMBERED = 20
BARS_TO_RECOVER = 5
LIVE_BARS = 5
"""A bar that comes more than so many bars after its close is history, and says nothing of the feed."""
NEWS_SECONDS = 0.5
"""A smaller change of a feed's lateness is not told to other processes: each telling is a write."""


@dataclass(slots=True)
class _Lateness:
    """How late one feed is, in seconds: `seen` of the newest bars that came to this process, `told` as all processes
    know it. `in_time` counts the bars in a row that came within the grace."""

    seen: deque[float] = field(default_factory=lambda: deque(maxlen=BARS_REMEMBERED))
    told: float = 0.0
    late: bool = False
    in_time: int = 0


class FeedLateness:
    """The lateness of each instrument's newest bars. `grace_seconds` is the service's setting, None for the default."""

    def __init__(self, metrics: Metrics, grace_seconds: float | None) -> None:
        self._metrics = metrics
        self._setting = grace_seconds
        self._feeds: defaultdict[str, _Lateness] = defaultdict(_Lateness)

    def grace(self, instrument: Instrument) -> timedelta:
        """How long after its close a bar is waited for.

        The instrument's own setting decides, else the service's. Without either it is a tenth of the bar, at least 2 s,
        and where the feed's newest bars came later than that, a quarter longer than the latest of them; at most 30 s.
        What is not set for the instrument itself is never more than three quarters of the bar. Bars that came later
        than the longest grace do not count: waiting for such bars takes time to trade in, and meets none of them.
        """
        if instrument.grace_seconds is not None:
            return timedelta(seconds=instrument.grace_seconds)
        known = max(self._latest(instrument), self._feeds[instrument.symbol].told)
        learned = LONGER_THAN_SEEN * known if self._setting is None else 0.0
        return timedelta(seconds=max(self._usual(instrument), min(learned, _longest(instrument))))

    def came(self, instrument: Instrument, late_seconds: float) -> bool:
        """A live bar came so long after its close; whether that is late. Says so in the log where the feed turns late
        or has recovered."""
        if late_seconds > LIVE_BARS * instrument.bar_seconds:
            return False
        feed, symbol = self._feeds[instrument.symbol], instrument.symbol
        late_seconds = max(0.0, late_seconds)
        feed.seen.append(late_seconds)
        self._metrics.bar_came(symbol, late_seconds)
        if late_seconds > self._usual(instrument):
            self._metrics.bar_late(symbol)
            self._turn_late(instrument, f"the newest came {late_seconds:.1f} s after its close")
            return True
        feed.in_time += 1
        if feed.late and feed.in_time >= BARS_TO_RECOVER:
            feed.late = False
            LOG.warning("the feed of %s has recovered: its last %d bars came in time", symbol, feed.in_time)
        return False

    def news(self, instrument: Instrument) -> float | None:
        """How late the feed is by what this process has seen, where that is not what all processes know: others on the
        same store, and this one after a restart, wait for the same bars. It counts as told from now on."""
        feed = self._feeds[instrument.symbol]
        latest = self._latest(instrument)
        known = latest if LONGER_THAN_SEEN * latest > self._usual(instrument) else 0.0
        if abs(known - feed.told) < NEWS_SECONDS:
            return None
        feed.told = known
        return known

    def learn(self, instrument: Instrument, late_seconds: float) -> None:
        """Take over what another process has told of the feed."""
        self._feeds[instrument.symbol].told = late_seconds

    def forget(self, symbol: str) -> None:
        """The instrument was deleted: another feed may come under its name."""
        self._feeds.pop(symbol, None)

    def missed(self, instrument: Instrument) -> None:
        """A bar has not come within the grace."""
        self._turn_late(instrument, f"no bar within {self.grace(instrument).total_seconds():.1f} s of its close")

    def _turn_late(self, instrument: Instrument, how: str) -> None:
        feed = self._feeds[instrument.symbol]
        feed.in_time = 0
        if not feed.late:
            feed.late = True
            LOG.warning("the feed of %s is late: %s", instrument.symbol, how)

    def _latest(self, instrument: Instrument) -> float:
        """How late the latest of the newest bars came, of those that came within the longest grace."""
        longest = _longest(instrument)
        return max((late for late in self._feeds[instrument.symbol].seen if late <= longest), default=0.0)

    def _usual(self, instrument: Instrument) -> float:
        """The grace before anything is known of the feed."""
        if instrument.grace_seconds is not None:
            return instrument.grace_seconds
        tenth = max(GRACE_SECONDS_MIN, min(GRACE_OF_BAR * instrument.bar_seconds, GRACE_SECONDS_MAX))
        usual = tenth if self._setting is None else self._setting
        return min(usual, GRACE_OF_BAR_MAX * instrument.bar_seconds)


def _longest(instrument: Instrument) -> float:
    """The longest grace that is learned from a feed."""
    return min(GRACE_SECONDS_MAX, GRACE_OF_BAR_MAX * instrument.bar_seconds)
