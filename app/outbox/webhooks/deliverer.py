"""Who delivers: one process at a time, by a lease. Another one goes on where a dead one stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import Counter
from time import monotonic

from app.domain.errors import Unavailable
from app.engine.tasks import ASK_AGAIN_SECONDS, end
from app.outbox.tail import Tail, TailClosed
from app.outbox.webhooks.delivery import Delivery, NotOurs
from app.outbox.webhooks.ports import WebhookMetrics, WebhookStore
from app.outbox.webhooks.webhook import Progress, Webhook, WebhookStatus

LOG = logging.getLogger(__name__)
LEASE_SECONDS = 3.0
BEAT_SECONDS = 1.0


class Deliverer:
    """Asks once a second whether it is the one; `owner` names it among all that do. `wake` makes it look at once."""

    def __init__(self, store: WebhookStore, tail: Tail, metrics: WebhookMetrics) -> None:
        self._store = store
        self._tail = tail
        self._metrics = metrics
        self._owner = secrets.token_hex(8)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._deliveries: dict[str, Delivery] = {}
        self._known: str | None = None
        self._held_at = float("-inf")
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_delivering(), name="webhooks")

    def wake(self) -> None:
        """Webhooks have changed."""
        self._woken.set()

    async def stop(self) -> None:
        await end(self._task)
        held = bool(self._tasks)
        await self._deliver_to_none()
        if held:
            with contextlib.suppress(Unavailable):  # the lease ends by itself
                await self._store.let_go(self._owner)

    async def _keep_delivering(self) -> None:
        while True:
            try:
                await self._beat()
            except Unavailable:  # told where it began
                if monotonic() - self._held_at > LEASE_SECONDS:
                    await self._deliver_to_none()
            except Exception:
                LOG.exception("webhooks cannot be looked at; trying again")
            self._metrics.webhooks(self._counts())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._woken.wait()
            self._woken.clear()

    async def _beat(self) -> None:
        asked_at = monotonic()
        changed = await self._store.hold(self._owner, round(LEASE_SECONDS * 1000))
        if changed is None:
            await self._deliver_to_none()
            return
        self._held_at = asked_at
        if changed == self._known and not any(task.done() for task in self._tasks.values()):
            return
        every = await self._store.every()
        for webhook_id in [each for each in self._tasks if each not in every or self._tasks[each].done()]:
            await self._end(webhook_id)
        for webhook_id, (webhook, progress) in every.items():
            if webhook_id not in self._tasks and not progress.disabled:
                self._begin(webhook, progress)
        self._known = changed

    def _begin(self, webhook: Webhook, progress: Progress) -> None:
        delivery = Delivery(
            webhook, progress, owner=self._owner, store=self._store, tail=self._tail, metrics=self._metrics
        )
        self._deliveries[webhook.webhook_id] = delivery
        self._tasks[webhook.webhook_id] = asyncio.create_task(_run(delivery), name=f"webhook {webhook.webhook_id}")

    async def _end(self, webhook_id: str) -> None:
        self._deliveries.pop(webhook_id, None)
        await end(self._tasks.pop(webhook_id, None))

    async def _deliver_to_none(self) -> None:
        self._known = None
        for webhook_id in list(self._tasks):
            await self._end(webhook_id)

    def _counts(self) -> Counter[str]:
        counts = Counter({str(status): 0 for status in WebhookStatus})
        counts.update(str(each.progress.status) for each in self._deliveries.values())
        return counts


async def _run(delivery: Delivery) -> None:
    """What ends it here is looked at with the next beat."""
    try:
        await delivery.run()
    except (NotOurs, TailClosed):
        pass
    except Unavailable:  # told where it began
        await asyncio.sleep(ASK_AGAIN_SECONDS)
    except Exception:
        LOG.exception("deliveries to a webhook have failed; trying again")
        await asyncio.sleep(BEAT_SECONDS)
