"""Notices of other processes, over PUBLISH and SUBSCRIBE: a channel for each process, and one for all of them.

A process listens to the channels of all live processes but its own. What the server dropped, or sent while nobody
listened, is not told again: `NoticesMissed` stands for it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from redis.exceptions import RedisError

from app.domain.bar import Bar
from app.domain.errors import LemError
from app.engine.ownership.lease import Lease
from app.engine.ownership.notices import (
    BarsAppended,
    BarsDecided,
    DecisionsAwaited,
    InstrumentChanged,
    LeaseAssigned,
    Notice,
    NoticesMissed,
    OrdersChanged,
    ProcessesChanged,
)
from app.engine.tasks import ASK_AGAIN_SECONDS
from app.store import codec, keys
from app.store.gathering import GatheringRedis
from app.store.held_orders import HeldOrders, Link

LOG = logging.getLogger(__name__)
LISTEN_SECONDS = 0.2
"""How long one wait for a notice lasts, before channels that are to be listened to are looked at."""
BARS_TOLD_MAX = 4
"""Bars of an instrument that one notice carries: a live feed appends one at a time."""
SILENT_SECONDS_MAX = 3.0
"""Every process gives notice of itself more often than that: where it does not come through, nothing does."""


def bars_text(symbol: str, bars: Sequence[Bar], after: datetime | None) -> str:
    """A few bars are in it, so that nobody has to read them."""
    told = [codec.bar_text(bar) for bar in bars] if len(bars) <= BARS_TOLD_MAX else []
    return json.dumps(["bars", symbol, keys.bar_id(bars[-1].open_time), keys.bar_id(after) if after else "", told])


def text_of(notice: BarsDecided | DecisionsAwaited | InstrumentChanged) -> str:
    """Other notices are given by the scripts that record what they tell."""
    match notice:
        case BarsDecided(newest):
            return json.dumps(["decided", [[symbol, keys.bar_id(at)] for symbol, at in newest.items()]])
        case DecisionsAwaited(symbols):
            return json.dumps(["awaited", symbols])
        case InstrumentChanged(symbol):
            return json.dumps(["instrument", symbol])


class Notices:
    """`held` learns which orders others have changed."""

    def __init__(self, client: GatheringRedis, process: str, held: HeldOrders) -> None:
        self._client = client
        self._process = process
        self._held = held
        self._wanted: frozenset[str] = frozenset()
        self._heard: dict[str, float] = {}
        self._begun: set[str] = set()

    def listen_to(self, processes: Iterable[str]) -> None:
        """The processes that are live now."""
        self._wanted = frozenset(processes) - {self._process}

    async def notices(self) -> AsyncIterator[Notice]:
        """For ever; while the server is away, none."""
        while True:
            self._heard = {}
            try:
                async with self._client.pubsub() as channels:
                    await channels.subscribe(keys.NOTICES)
                    async for notice in self._listen(channels):
                        yield notice
            except (RedisError, OSError):
                self._held.listening = False
                await asyncio.sleep(ASK_AGAIN_SECONDS)

    async def _listen(self, channels: Any) -> AsyncIterator[Notice]:
        """Until the connection breaks, or somebody has not been heard for too long."""
        subscribed: frozenset[str] = frozenset()
        while True:
            if self._wanted != subscribed:
                await _subscribe(channels, self._wanted, subscribed)
                subscribed = self._wanted
                self._heard = {each: self._heard.get(each, monotonic()) for each in subscribed}
            message = await channels.get_message(timeout=LISTEN_SECONDS)
            if message is None:
                self._require_heard()
            elif message["type"] == "subscribe":  # also where redis-py has connected anew
                self._held.listening = True
                yield NoticesMissed(expected=message["channel"] not in self._begun)
                self._begun.add(message["channel"])
            elif message["type"] == "message" and (notice := self._read(message["data"])) is not None:
                yield notice

    def _require_heard(self) -> None:
        silent = [process for process, at in self._heard.items() if monotonic() - at > SILENT_SECONDS_MAX]
        if silent:
            raise ConnectionError(f"no notice of {', '.join(silent)}")

    def _read(self, text: str) -> Notice | None:
        """None for what tells nothing new, and for what a newer release may say."""
        try:
            kind, *told = json.loads(text)
            return self._notice(kind, told)
        except (ValueError, TypeError, KeyError, IndexError):
            LOG.warning("a notice of another process is not understood")
            return None

    def _notice(self, kind: str, told: list[Any]) -> Notice | None:
        match kind, told:
            case "orders", [symbol, before, name, order_ids]:
                self._held.recorded(symbol, Link(before, name, (), tuple(order_ids)))
                return OrdersChanged(symbol, tuple(order_ids))
            case "bars", [symbol, bar_id, after, bars]:
                return BarsAppended(symbol, _time_of(bar_id), _time_of(after) if after else None, _bars_from(bars))
            case "bars", [symbol, bar_id]:  # of an earlier release
                return BarsAppended(symbol, _time_of(bar_id))
            case "decided", [newest]:
                return BarsDecided({symbol: _time_of(bar_id) for symbol, bar_id in newest})
            case "awaited", [symbols]:
                return DecisionsAwaited(tuple(symbols))
            case "owner", [symbol, owner, fence]:
                return LeaseAssigned(symbol, Lease(owner, int(fence)))
            case "instrument", [symbol]:
                return InstrumentChanged(symbol)
            case (("here" | "gone"), [process]):
                known = process in self._heard or process == self._process
                if process in self._heard:
                    self._heard[process] = monotonic()
                return None if known and kind == "here" else ProcessesChanged()
        return None


async def _subscribe(channels: Any, wanted: frozenset[str], subscribed: frozenset[str]) -> None:
    if new := wanted - subscribed:
        await channels.subscribe(*map(keys.notices, sorted(new)))
    if gone := subscribed - wanted:
        await channels.unsubscribe(*map(keys.notices, sorted(gone)))


def _bars_from(texts: Sequence[str]) -> tuple[Bar, ...]:
    """None of them where one is not understood: whoever reads it in the store tells."""
    try:
        return tuple(map(codec.bar_from, texts))
    except (ValueError, TypeError, ArithmeticError, LemError):
        return ()


def _time_of(bar_id: str) -> datetime:
    return keys.EPOCH + int(bar_id.partition("-")[0]) * timedelta(milliseconds=1)
