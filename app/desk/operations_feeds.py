"""The instruments and their feeds, as the page of operations has them: the worst first."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from app.desk.warnings import Watch
from app.domain.errors import Unavailable
from app.domain.instrument import Instrument
from app.engine.engine import Engine
from app.engine.feed_quality import Quality
from app.engine.feeds import Feed

ROWS = 50
TEXT_MAX = 64
NUMBER_DIGITS_MAX = 6
TROUBLES = ("stuck", "without an owner", "silent", "late")
"""The worst first; all other feeds follow by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRow:
    """An instrument and its feed, as this process knows them. `state` says in a word how the feed is, `owner` which
    process decides, and `orders` how many live orders of the caller's account stand on it; None where the store cannot
    say. `feed` is None where another process decides, or no bar came."""

    instrument: Instrument
    feed: Feed | None
    state: str
    owner: str | None
    orders: int | None
    quality: Quality | None = None

    @property
    def troubled(self) -> bool:
        return self.state in TROUBLES


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedsWanted:
    """Which feeds, and which page of them."""

    text: str = ""
    troubled: bool = False
    number: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> FeedsWanted:
        """What makes no sense is left out, as in the blotter."""
        number = asked.get("page", "1")
        known = number.isdecimal() and len(number) <= NUMBER_DIGITS_MAX
        return cls(
            text=asked.get("q", "").strip()[:TEXT_MAX],
            troubled=asked.get("troubled") == "1",
            number=max(1, int(number)) if known else 1,
        )

    def query(self, number: int | None = None) -> str:
        """As a link says it."""
        number = number or self.number
        named = {"q": self.text, "troubled": "1" if self.troubled else "", "page": str(number) if number > 1 else ""}
        return urlencode({name: value for name, value in named.items() if value})

    def fits(self, row: FeedRow) -> bool:
        return self.text.casefold() in row.instrument.symbol.casefold() and (row.troubled or not self.troubled)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedsPage:
    """Those that fit, and of all feeds how many are in which state."""

    wanted: FeedsWanted
    rows: Sequence[FeedRow]
    states: Mapping[str, int]
    pages: int
    number: int


async def feeds_now(engine: Engine, wanted: FeedsWanted, account: str | None) -> FeedsPage:
    """Where the store is away, as it was when the store was last heard."""
    orders: Counter[str] | None = None
    with suppress(Unavailable):
        orders = Counter(state.order.instrument for state in await engine.book.orders(account))
    rows = list(_rows(engine, orders))
    fitting = sorted(filter(wanted.fits, rows), key=_rank)
    pages = max(1, -(-len(fitting) // ROWS))
    number = min(wanted.number, pages)
    shown = fitting[(number - 1) * ROWS : number * ROWS]
    counted = await asyncio.gather(*(_quality(engine, row.instrument.symbol) for row in shown))
    return FeedsPage(
        wanted=wanted,
        rows=[replace(row, quality=quality) for row, quality in zip(shown, counted, strict=True)],
        states=Counter(row.state for row in rows),
        pages=pages,
        number=number,
    )


def _rank(row: FeedRow) -> tuple[int, str]:
    return TROUBLES.index(row.state) if row.troubled else len(TROUBLES), row.instrument.symbol


def _rows(engine: Engine, orders: Counter[str] | None) -> Iterator[FeedRow]:
    watch, sharing = Watch(engine), engine.sharing
    owners: Mapping[str, str] = sharing.owners if sharing else {}
    for symbol, terms in engine.book.terms.items():
        feed, owner = watch.feeds.get(symbol), owners.get(symbol)
        yield FeedRow(
            instrument=terms,
            feed=feed,
            state=_state(symbol, feed, watch, _elsewhere(engine, owner)),
            owner=owner,
            orders=None if orders is None else orders[symbol],
        )


def _elsewhere(engine: Engine, owner: str | None) -> str | None:
    """What is known of the feed where this process does not decide; None where it does."""
    sharing = engine.sharing
    if sharing is None or owner == sharing.process:
        return None
    if owner is None:
        return "never opened"
    return "elsewhere" if owner in sharing.live else "without an owner"


def _state(symbol: str, feed: Feed | None, watch: Watch, elsewhere: str | None) -> str:
    if symbol in watch.failed:
        return "stuck"
    if elsewhere is not None:
        return elsewhere
    if feed is None:
        return "no bars"
    return "silent" if feed.silent else "late" if watch.late(symbol) else "in time"


async def _quality(engine: Engine, symbol: str) -> Quality | None:
    with suppress(Unavailable):
        return await engine.quality.of(symbol)
    return None
