"""What can be traded, and in which units."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal

from app.domain.durations import DAY_SECONDS
from app.domain.errors import InvalidInput
from app.domain.numbers import ZERO, require_not_negative, require_positive

SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
"""No braces, which would end the hash tag in the store's keys; no part that a path would read as `.` or `..`."""
SYMBOL_LENGTH_MAX = 64
BAR_SECONDS_MAX = DAY_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """`bar_seconds` is the length of the feed's bars; quantities are multiples of `lot_size`, notionals of
    `notional_step`; no slice is worth less than `min_notional` (quote currency) where that can be helped.
    `calendar` is `24/7` or an exchange's code such as `XNYS`. `grace_seconds` is how long orders wait for a late bar;
    None leaves that to the service. No order may be worth more than `max_order_notional` (quote currency); None leaves
    it to what is plausible against the market's volume (acceptance.py). `revision` counts how often what is recorded
    has changed, 0 for what is not recorded; equal terms are equal whatever it is."""

    symbol: str
    bar_seconds: int
    lot_size: Decimal
    tick_size: Decimal
    min_notional: Decimal = ZERO
    notional_step: Decimal = Decimal("0.01")
    calendar: str = "24/7"
    grace_seconds: float | None = None
    max_order_notional: Decimal | None = None
    revision: int = field(default=0, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.symbol) > SYMBOL_LENGTH_MAX or not SYMBOL.fullmatch(self.symbol):
            raise InvalidInput(
                "bad_symbol",
                f"{self.symbol!r} is not a symbol: letters, digits and . _ - / only, at most {SYMBOL_LENGTH_MAX}",
            )
        if not 1 <= self.bar_seconds <= BAR_SECONDS_MAX:
            raise InvalidInput(
                "bad_bar_seconds",
                f"bar_seconds is {self.bar_seconds}; it must be 1 to {BAR_SECONDS_MAX}",
                "#/bar_seconds",
            )
        if self.grace_seconds is not None and not 0 <= self.grace_seconds < self.bar_seconds:
            raise InvalidInput(
                "bad_grace_seconds",
                f"grace_seconds is {self.grace_seconds}; it must be at least 0 and less than the bars' "
                f"{self.bar_seconds}",
                "#/grace_seconds",
            )
        require_positive("lot_size", self.lot_size)
        require_positive("tick_size", self.tick_size)
        require_positive("notional_step", self.notional_step)
        require_not_negative("min_notional", self.min_notional)
        if self.max_order_notional is not None:
            require_positive("max_order_notional", self.max_order_notional)
