"""A closed market bar, and what follows from bars alone: aggregation, and the filling of gaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.domain.errors import InvalidInput
from app.domain.numbers import ZERO, require_aware, require_not_negative, require_positive

BAR_VALUE_MIN, BAR_VALUE_MAX = Decimal("1e-16"), Decimal("1e16")
"""What is traded in a bar, in quote currency: well within what a number may be, since up to 96 bars make a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One instrument over [open_time, close_time); known only at close_time.

    Prices are quote currency per unit, `volume` is base units, `notional` quote currency. `synthetic` marks a bar
    that the service made to fill a gap; no feed may send one. `partial` marks one that was made of several, a synthetic
    one among them.
    """

    open_time: datetime
    close_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    notional: Decimal | None = None
    trades: int | None = None
    synthetic: bool = False
    partial: bool = False

    def __post_init__(self) -> None:
        require_aware("open_time", self.open_time)
        require_aware("close_time", self.close_time)
        if self.close_time <= self.open_time:
            raise InvalidInput("bar_times_inverted", f"the bar closes at {self.close_time}, not after {self.open_time}")
        for name in ("open", "high", "low", "close"):
            require_positive(name, getattr(self, name))
        require_not_negative("volume", self.volume)
        if self.notional is not None:
            require_not_negative("notional", self.notional)
        if self.trades is not None and self.trades < 0:
            raise InvalidInput("negative", f"trades is {self.trades}; it must not be negative")
        if self.high < self.low:
            raise InvalidInput("high_below_low", f"high {self.high} is below low {self.low}")
        if not (self.low <= self.open <= self.high and self.low <= self.close <= self.high):
            raise InvalidInput("price_outside_range", f"open {self.open} or close {self.close} is outside low..high")

    @property
    def price(self) -> Decimal:
        """The bar's VWAP: notional / volume.

        (high + low + close) / 3 where the feed has no notional, no volume, or a notional that no trade between low
        and high could have made.
        """
        if self.notional is not None and self.volume > ZERO:
            vwap = self.notional / self.volume
            if self.low <= vwap <= self.high:
                return vwap
        return (self.high + self.low + self.close) / 3


def require_countable(bar: Bar) -> None:
    """Refuse a bar whose traded value, or the value of as many bars as one step may have, is no number that the
    service can carry. Raises InvalidInput("out_of_range")."""
    if not bar.volume:
        return
    if bar.volume * bar.high > BAR_VALUE_MAX or (bar.notional or ZERO) > BAR_VALUE_MAX or bar.volume > BAR_VALUE_MAX:
        raise InvalidInput("out_of_range", f"the bar's volume times its high must be at most {BAR_VALUE_MAX:f}")
    if bar.volume * bar.low < BAR_VALUE_MIN:
        raise InvalidInput("out_of_range", f"the bar's volume times its low must be at least {BAR_VALUE_MIN}")


def aggregate(bars: Sequence[Bar]) -> Bar:
    """One bar over the windows of consecutive `bars`; synthetic only where all of them are."""
    known_trades = [bar.trades for bar in bars if bar.trades is not None]
    return Bar(
        open_time=bars[0].open_time,
        close_time=bars[-1].close_time,
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=bars[-1].close,
        volume=sum((bar.volume for bar in bars), ZERO),
        notional=sum((bar.price * bar.volume for bar in bars), ZERO),
        trades=sum(known_trades) if known_trades else None,
        synthetic=all(bar.synthetic for bar in bars),
        partial=any(bar.synthetic for bar in bars),
    )


def fill_gap(last: Bar, open_time: datetime, close_time: datetime) -> Bar:
    """The marked bar that stands for a missing one: no volume, the last close."""
    return Bar(
        open_time=open_time,
        close_time=close_time,
        open=last.close,
        high=last.close,
        low=last.close,
        close=last.close,
        volume=ZERO,
        notional=ZERO,
        synthetic=True,
    )
