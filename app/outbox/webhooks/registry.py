"""What clients do with webhooks: make them, look at them, delete them, have dead letters sent again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from app.domain.errors import Conflict, NotFound
from app.outbox.log import EventLog, Place
from app.outbox.webhooks.ports import WebhookMetrics, WebhookStore
from app.outbox.webhooks.resending import Resent, resend
from app.outbox.webhooks.webhook import (
    EVERY_EVENT,
    DeadLetter,
    Progress,
    Webhook,
    new_secret,
    require_url,
    webhook_id_of,
)


class Webhooks:
    """Who asks for an `account` knows of no other account's webhooks; None sees all of them. `on_change` is called when
    webhooks have changed."""

    def __init__(
        self, store: WebhookStore, log: EventLog, metrics: WebhookMetrics, on_change: Callable[[], None]
    ) -> None:
        self._store = store
        self._log = log
        self._metrics = metrics
        self._on_change = on_change

    async def create(self, url: str, events: Sequence[str], account: str | None) -> tuple[Webhook, Progress]:
        """It is told what is recorded from now on. Raises InvalidInput("bad_url"), Conflict("webhook_exists") and
        Unavailable("too_many_webhooks")."""
        require_url(url)
        progress = Progress(place=Place.before(await self._log.now()))
        webhook = Webhook(
            webhook_id=webhook_id_of(url, account),
            url=url,
            secret=new_secret(),
            events=tuple(events) or (EVERY_EVENT,),
            account=account,
            created_at=datetime.now(UTC),
        )
        if not await self._store.put(webhook, progress):
            raise Conflict("webhook_exists", f"{webhook.webhook_id} has that url already; delete it first", "#/url")
        self._on_change()
        return webhook, progress

    async def every(self, account: str | None) -> list[tuple[Webhook, Progress]]:
        """By the time of their making."""
        found = [each for each in (await self._store.every()).values() if account in (None, each[0].account)]
        return sorted(found, key=lambda each: (each[0].created_at, each[0].webhook_id))

    async def one(self, webhook_id: str, account: str | None) -> tuple[Webhook, Progress]:
        """Raises NotFound("unknown_webhook")."""
        found = (await self._store.every()).get(webhook_id)
        if found is None or account not in (None, found[0].account):
            raise NotFound("unknown_webhook", f"no webhook has the id {webhook_id!r}")
        return found

    async def delete(self, webhook_id: str, account: str | None) -> None:
        """Raises NotFound("unknown_webhook")."""
        await self.one(webhook_id, account)
        await self._store.delete(webhook_id)
        self._on_change()

    async def dead_letters(self, webhook_id: str, account: str | None, limit: int) -> Sequence[DeadLetter]:
        """The newest first. Raises NotFound("unknown_webhook")."""
        await self.one(webhook_id, account)
        return await self._store.dead_letters(webhook_id, limit)

    async def resend(self, webhook_id: str, account: str | None, limit: int) -> Resent:
        """Try the oldest dead letters once more, by this process and beside the deliveries. Raises
        NotFound("unknown_webhook")."""
        webhook, _ = await self.one(webhook_id, account)
        letters = await self._store.oldest_dead_letters(webhook_id, limit)
        return await resend(webhook, letters, self._store, self._metrics)
