"""Deliveries to one webhook: its events in order, one after the other, each until it is taken or given up.

An address that is away holds up its own deliveries alone: the events wait in the store, and come in order when it is
back. What was delivered and not recorded, through a crash in between, is delivered again under the same id.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import random

from app.outbox.log import Place, RecordedEvent
from app.outbox.tail import Follower, Tail
from app.outbox.webhooks.ports import WebhookMetrics, WebhookStore
from app.outbox.webhooks.sender import Receipt, Sender, Undelivered
from app.outbox.webhooks.signing import headers
from app.outbox.webhooks.webhook import DeadLetter, Progress, Webhook

LOG = logging.getLogger(__name__)
FIRST_PAUSE_SECONDS, PAUSE_SECONDS_MAX = 1.0, 300.0
REFUSALS_MAX = 10
"""An event that the address itself refuses so often is given up: others wait behind it."""
AWAY_SECONDS_MAX = 24 * 3600.0
"""An event is given up where its address has not answered for so long."""
PATIENCE_SECONDS = 5.0
"""Between two records of how far a webhook is that wants none of the events that come."""
ERROR_LENGTH_MAX = 200
GONE = 410
ASKS_TO_WAIT = frozenset({408, 425, 429})


class NotOurs(Exception):
    """Another process delivers now, or the webhook is gone."""


class Delivery:
    """`owner` is this process, as the store knows the one that delivers."""

    def __init__(
        self,
        webhook: Webhook,
        progress: Progress,
        *,
        owner: str,
        store: WebhookStore,
        tail: Tail,
        metrics: WebhookMetrics,
        chance: Callable[[], float] = random,
    ) -> None:
        self.progress = progress
        self._webhook = webhook
        self._owner = owner
        self._store = store
        self._tail = tail
        self._metrics = metrics
        self._chance = chance
        self._sender = Sender(webhook.url)
        self._recorded_at = time.monotonic()

    async def run(self) -> None:
        """Until it is cancelled, or the webhook is disabled. Raises NotOurs, TailClosed, and Unavailable where the
        store is away."""
        try:
            await self._tell_missed()
            async with self._tail.following(self.progress.place) as follower:
                while not self.progress.disabled:
                    await self._next(follower)
        finally:
            self._sender.close()

    async def _next(self, follower: Follower) -> None:
        batch = await follower.next(PATIENCE_SECONDS)
        if batch is not None:
            account = self._webhook.account
            own = batch.events if account is None else await self._tail.accounts.events_of(account, batch)
            wanted = [each for each in own if self._webhook.wants(each.event.what.name)]
            await self._tail.log.learn(wanted)
            await self._deliver_all(wanted)
        if not self.progress.disabled and follower.place > self.progress.place:
            await self._passed(follower.place)

    async def _deliver_all(self, events: Sequence[RecordedEvent]) -> None:
        for each in events:
            while not (self.progress.disabled or await self._is_done(each)):
                pass  # it has waited for its next attempt

    async def _passed(self, place: Place) -> None:
        """Nothing is to be delivered up to there."""
        self.progress = replace(self.progress, place=place)
        if time.monotonic() - self._recorded_at > PATIENCE_SECONDS:
            await self._record(self.progress)

    async def _is_done(self, each: RecordedEvent) -> bool:
        """Whether the event is delivered or given up after one more attempt, which waits until its time has come."""
        known = self.progress
        if known.next_at is not None:
            await asyncio.sleep(min(max(0.0, known.next_at - time.time()), PAUSE_SECONDS_MAX))
        body = body_of(each.place, each.event.what.name, each.text)
        receipt, error = await posted(self._sender, self._webhook.secret, each.place, body)
        if took(receipt):
            self._metrics.webhook_tried("delivered")
            place = max(known.place, each.place)
            await self._record(Progress(place=place, delivered=known.delivered + 1, dead=known.dead))
            if known.attempts:
                await self._tell_missed()
            return True
        return await self._is_given_up(each, receipt, error)

    async def _is_given_up(self, each: RecordedEvent, receipt: Receipt | None, error: str) -> bool:
        """Record that an attempt has failed."""
        known, now = self.progress, time.time()
        attempts, since = known.attempts + 1, known.failing_since or now
        if receipt is not None and receipt.status == GONE:
            self._metrics.webhook_tried("failed")
            await self._record(replace(known, disabled=True, error=error, attempts=attempts, next_at=None))
            return False
        if _is_over(attempts, now - since, receipt):
            self._metrics.webhook_tried("dead")
            await self._give_up(each, attempts, error, now)
            return True
        self._metrics.webhook_tried("failed")
        next_at = now + self._pause_seconds(attempts, receipt)
        await self._record(replace(known, attempts=attempts, failing_since=since, next_at=next_at, error=error))
        return False

    async def _give_up(self, each: RecordedEvent, attempts: int, error: str, now: float) -> None:
        letter = DeadLetter(
            id=str(each.place),
            event=each.event.what.name,
            text=each.text,
            attempts=attempts,
            error=error,
            failed_at=now,
        )
        known = self.progress
        place = max(known.place, each.place)
        await self._record(Progress(place=place, delivered=known.delivered, dead=known.dead + 1), letter)

    async def _tell_missed(self) -> None:
        """An address that was away for too long: events behind the newest delivery are no longer kept."""
        if not await self._tail.log.kept_since(self.progress.place):
            self._metrics.webhook_tried("missed")
            LOG.error("the webhook %s was away so long that events were dropped unsent", self._webhook.webhook_id)

    def _pause_seconds(self, attempts: int, receipt: Receipt | None) -> float:
        """Doubled each time, less up to a half by chance; never shorter than the address asks for."""
        doubled: float = min(FIRST_PAUSE_SECONDS * 2 ** min(attempts - 1, 16), PAUSE_SECONDS_MAX)
        asked = receipt.retry_after if receipt is not None and receipt.retry_after is not None else 0.0
        return max(doubled * (1.0 - self._chance() / 2), min(asked, PAUSE_SECONDS_MAX))

    async def _record(self, progress: Progress, dead: DeadLetter | None = None) -> None:
        if not await self._store.advance(self._owner, self._webhook.webhook_id, progress, dead):
            raise NotOurs
        self.progress, self._recorded_at = progress, time.monotonic()


async def posted(sender: Sender, secret: str, place: Place, body: bytes) -> tuple[Receipt | None, str]:
    """What came of one attempt: the answer, None where there was none; and what to say of it where it is a failure."""
    try:
        receipt = await sender.post(body, headers(secret, str(place), int(time.time()), body))
    except Undelivered as error:
        return None, str(error)[:ERROR_LENGTH_MAX]
    return receipt, f"the answer was {receipt.status}"


def body_of(place: Place, event: str, text: str) -> bytes:
    """What is sent. The same event has the same id wherever it is told."""
    at = place.at.isoformat().replace("+00:00", "Z")
    return f'{{"id":"{place}","type":"{event}","timestamp":"{at}","data":{text}}}'.encode()


def took(receipt: Receipt | None) -> bool:
    return receipt is not None and receipt.status // 100 == 2  # noqa: PLR2004 -- every such status is a success


def is_refusal(receipt: Receipt | None) -> bool:
    """The address is there and will not have this event."""
    return receipt is not None and receipt.status // 100 == 4 and receipt.status not in ASKS_TO_WAIT  # noqa: PLR2004


def _is_over(attempts: int, seconds: float, receipt: Receipt | None) -> bool:
    return seconds > AWAY_SECONDS_MAX or (is_refusal(receipt) and attempts >= REFUSALS_MAX)
