"""What can be traded, its bars, and how the service does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """`bar_seconds` is the length of the feed's bars. Quantities are multiples of `lot_size` (base units), prices of
    `tick_size`, notionals of `notional_step` (quote currency); no slice is worth less than `min_notional` where that
    can be helped. `calendar` is `24/7` or an exchange's code such as `XNYS`. Orders wait `grace_seconds` for a late
    bar. An order is worth at most `max_order_notional`. The service decides what is None."""

    symbol: str
    bar_seconds: int
    lot_size: Decimal
    tick_size: Decimal
    min_notional: Decimal = Decimal(0)
    notional_step: Decimal = Decimal("0.01")
    calendar: str = "24/7"
    grace_seconds: float | None = None
    max_order_notional: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How many bars of an instrument were new, known with the same values (`duplicates`) or with others (`revised`);
    how many of the new ones were `older` than the newest, and how many marked ones stand for missing bars. `late` ones
    came after the grace, those `out_of_order` after a newer one, and `implausible_moves` trade more than a quarter away
    from the close before. `refused` counts by code."""

    accepted: int
    duplicates: int
    revised: int
    older: int
    gaps_filled: int
    late: int
    out_of_order: int
    implausible_moves: int
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentDetail(Instrument):
    """An instrument, and what came of its bars."""

    quality: Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A closed bar. Prices and `notional` are quote currency, `volume` base units; `notional` and `trades` are None
    where the feed does not know them."""

    instrument: str
    open_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    notional: Decimal | None = None
    trades: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBar:
    """A bar as it is recorded. A `synthetic` one stands for a missing one."""

    open_time: datetime
    close_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    notional: Decimal | None
    trades: int | None
    synthetic: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedBar:
    """A bar that was left out: its place in the request, counted from 0, and why."""

    index: int
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """How many bars are new (`accepted`), known already (`duplicates`), recorded with other values (`revised`), and how
    many marked ones stand for missing bars (`gaps_filled`). Not `decided`: the slices that follow from the bars are
    still to come."""

    accepted: int
    duplicates: int
    gaps_filled: int
    revised: int
    rejected: tuple[RejectedBar, ...] = ()
    decided: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """`reasons` are codes of what keeps the service from serving. The instruments of silent feeds and those that cannot
    be opened do not."""

    ready: bool
    reasons: tuple[str, ...]
    feeds_silent: tuple[str, ...] = ()
    instruments_failed: tuple[str, ...] = ()
