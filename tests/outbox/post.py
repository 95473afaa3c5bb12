"""A desk whose events are delivered to webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from app.outbox.tail import Tail
from app.outbox.webhooks.deliverer import Deliverer
from app.outbox.webhooks.registry import Webhooks
from app.outbox.webhooks.webhook import Progress
from tests.engine.desk import Desk
from tests.outbox.following import SOON_SECONDS

HISTORY = 20


@dataclass
class Outcomes:
    """Metrics that a test can read."""

    tried: list[str] = field(default_factory=list)

    def webhook_tried(self, outcome: str) -> None:
        self.tried.append(outcome)

    def webhooks(self, counts: object) -> None: ...


@dataclass(frozen=True, slots=True)
class Post:
    """A desk whose events are delivered."""

    desk: Desk
    tail: Tail
    webhooks: Webhooks
    outcomes: Outcomes

    async def progress(self, webhook_id: str) -> Progress:
        return (await self.webhooks.one(webhook_id, None))[1]

    async def until(self, webhook_id: str, **wanted: object) -> Progress:
        """How far the webhook is, once that is so."""
        async with asyncio.timeout(SOON_SECONDS):
            while True:
                found = await self.progress(webhook_id)
                if all(getattr(found, name) == value for name, value in wanted.items()):
                    return found
                await asyncio.sleep(0.01)


@asynccontextmanager
async def a_post(desk: Desk, tail: Tail) -> AsyncIterator[Post]:
    outcomes = Outcomes()
    deliverer = Deliverer(desk.store.webhooks, tail, outcomes)
    deliverer.start()
    try:
        webhooks = Webhooks(desk.store.webhooks, desk.store.events, outcomes, deliverer.wake)
        yield Post(desk, tail, webhooks, outcomes)
    finally:
        await deliverer.stop()
