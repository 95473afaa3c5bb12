"""What deliveries need of the store and of the metrics, as protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from app.outbox.webhooks.webhook import DeadLetter, Progress, Webhook


class WebhookStore(Protocol):
    """Every method raises Unavailable("store_unavailable") while the store cannot be reached."""

    async def put(self, webhook: Webhook, progress: Progress) -> bool:
        """False where it is there already. Raises Unavailable("too_many_webhooks") where there are as many as may
        be."""
        ...

    async def delete(self, webhook_id: str) -> bool:
        """With all that is known of its deliveries. False where there is none."""
        ...

    async def every(self) -> Mapping[str, tuple[Webhook, Progress]]:
        """All that are understood, by id."""
        ...

    async def dead_letters(self, webhook_id: str, limit: int) -> Sequence[DeadLetter]:
        """The newest first."""
        ...

    async def oldest_dead_letters(self, webhook_id: str, limit: int) -> Mapping[str, DeadLetter]:
        """The oldest first, each by its entry, which names it in the store."""
        ...

    async def remove_dead_letter(self, webhook_id: str, entry: str) -> None:
        """It is delivered after all; nothing happens where it is gone."""
        ...

    async def hold(self, owner: str, lease_ms: int) -> str | None:
        """Become the one who delivers, or stay so, for that long: the name of the newest change of webhooks; None where
        somebody else is, or there is nothing to deliver."""
        ...

    async def let_go(self, owner: str) -> None:
        """Somebody else may deliver at once."""
        ...

    async def advance(self, owner: str, webhook_id: str, progress: Progress, dead: DeadLetter | None = None) -> bool:
        """Record it, with what was given up. False, and nothing done, where somebody else delivers, or the webhook is
        gone."""
        ...


class WebhookMetrics(Protocol):
    def webhook_tried(self, outcome: str) -> None:
        """`outcome` is `delivered`, `failed`, `dead`, or `missed`: events were dropped before they could be sent."""
        ...

    def webhooks(self, counts: Mapping[str, int]) -> None:
        """How many of those that this process delivers to are in each status."""
        ...
