"""Webhooks in the store; see `outbox.webhooks.ports.WebhookStore`. All of it lies in one cluster slot."""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from app.domain.errors import Unavailable
from app.outbox.log import Place
from app.outbox.webhooks.webhook import DeadLetter, Progress, Webhook
from app.store import keys
from app.store.connection import Call, run, script
from app.store.forms import dumps, loads
from app.store.gathering import GatheringRedis
from app.store.outages import Outages
from app.store.unreadable import NOT_UNDERSTOOD

LOG = logging.getLogger(__name__)
PUT, DELETE = script("put_webhook"), script("delete_webhook")
HOLD, RELEASE, ADVANCE = script("hold_webhooks"), script("release_webhooks"), script("advance_webhook")
CHANGED = "changed"
"""The field that is another one after each change; every other field is a webhook's id."""


class RedisWebhooks:
    def __init__(self, client: GatheringRedis, outages: Outages) -> None:
        self._client = client
        self._outages = outages
        self._told: set[str] = set()

    async def put(self, webhook: Webhook, progress: Progress) -> bool:
        name = webhook.webhook_id
        args = (name, webhook_text(webhook), progress_text(progress), secrets.token_hex(8), keys.WEBHOOKS_MAX)
        answer = await self._ran(Call(PUT, (keys.WEBHOOKS, keys.WEBHOOK_PROGRESS), args))
        if answer == "full":
            raise Unavailable("too_many_webhooks", f"there are {keys.WEBHOOKS_MAX} webhooks; delete one first")
        return bool(answer == "created")

    async def delete(self, webhook_id: str) -> bool:
        script_keys = (keys.WEBHOOKS, keys.WEBHOOK_PROGRESS, keys.dead_letters(webhook_id))
        return bool(await self._ran(Call(DELETE, script_keys, (webhook_id, secrets.token_hex(8)))))

    async def every(self) -> Mapping[str, tuple[Webhook, Progress]]:
        with self._outages.reaching():
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.hgetall(keys.WEBHOOKS)
                pipe.hgetall(keys.WEBHOOK_PROGRESS)
                webhooks, progress = await pipe.execute()
        read = {name: self._read(name, line, progress.get(name)) for name, line in webhooks.items() if name != CHANGED}
        return {name: found for name, found in read.items() if found is not None}

    async def dead_letters(self, webhook_id: str, limit: int) -> Sequence[DeadLetter]:
        with self._outages.reaching():
            entries: Any = await self._client.xrevrange(keys.dead_letters(webhook_id), count=limit)
        return list(_letters(entries).values())

    async def oldest_dead_letters(self, webhook_id: str, limit: int) -> Mapping[str, DeadLetter]:
        with self._outages.reaching():
            entries: Any = await self._client.xrange(keys.dead_letters(webhook_id), count=limit)
        return _letters(entries)

    async def remove_dead_letter(self, webhook_id: str, entry: str) -> None:
        with self._outages.reaching(writes=True):
            await self._client.xdel(keys.dead_letters(webhook_id), entry)

    async def hold(self, owner: str, lease_ms: int) -> str | None:
        """Nothing is written while there is no webhook, beside which the hash names its newest change."""
        with self._outages.reaching():
            known = await cast("Any", self._client.hlen(keys.WEBHOOKS))
        if known <= 1:
            return None
        call = Call(HOLD, (keys.WEBHOOK_LEASE, keys.WEBHOOKS), (owner, lease_ms))
        return cast("str | None", await self._ran(call))

    async def let_go(self, owner: str) -> None:
        await self._ran(Call(RELEASE, (keys.WEBHOOK_LEASE,), (owner,)))

    async def advance(self, owner: str, webhook_id: str, progress: Progress, dead: DeadLetter | None = None) -> bool:
        script_keys = (keys.WEBHOOK_LEASE, keys.WEBHOOKS, keys.WEBHOOK_PROGRESS, keys.dead_letters(webhook_id))
        letter = "" if dead is None else dead_letter_text(dead)
        args = (owner, webhook_id, progress_text(progress), letter, keys.DEAD_LETTERS_KEPT)
        return bool(await self._ran(Call(ADVANCE, script_keys, args)))

    async def _ran(self, call: Call) -> Any:
        with self._outages.reaching(writes=True):
            [answer] = await run(self._client, [call])
        return answer

    def _read(self, name: str, line: str, progress: str | None) -> tuple[Webhook, Progress] | None:
        """None for a webhook that this release does not understand: the others go on."""
        try:
            return webhook_from(name, line), progress_from(progress or "")
        except NOT_UNDERSTOOD:
            if name not in self._told:
                self._told.add(name)
                LOG.error("the webhook %s in the store is not understood; nothing is delivered to it", name)  # noqa: TRY400 -- it may quote the secret
            return None


def webhook_text(webhook: Webhook) -> str:
    return dumps(
        {
            "url": webhook.url,
            "secret": webhook.secret,
            "events": list(webhook.events),
            "account": webhook.account,
            "created_at": webhook.created_at.isoformat(),
        }
    )


def webhook_from(webhook_id: str, line: str) -> Webhook:
    value = loads(line)
    return Webhook(
        webhook_id=webhook_id,
        url=value["url"],
        secret=value["secret"],
        events=tuple(value["events"]),
        account=value["account"],
        created_at=datetime.fromisoformat(value["created_at"]),
    )


def progress_text(progress: Progress) -> str:
    return dumps(
        {
            "place": str(progress.place),
            "delivered": progress.delivered,
            "dead": progress.dead,
            "attempts": progress.attempts,
            "failing_since": progress.failing_since,
            "next_at": progress.next_at,
            "error": progress.error,
            "disabled": progress.disabled,
        }
    )


def progress_from(line: str) -> Progress:
    value = loads(line)
    place = Place.parsed(value.pop("place"))
    if place is None:
        raise ValueError("the place of a webhook is none")
    return Progress(place=place, **value)


def dead_letter_text(letter: DeadLetter) -> str:
    return dumps(
        {
            "id": letter.id,
            "event": letter.event,
            "text": letter.text,
            "attempts": letter.attempts,
            "error": letter.error,
            "failed_at": letter.failed_at,
        }
    )


def dead_letter_from(line: str) -> DeadLetter:
    return DeadLetter(**loads(line))


def _letters(entries: Sequence[tuple[str, Mapping[str, str]]]) -> dict[str, DeadLetter]:
    """Those that are understood, by their entries."""
    found = {}
    for entry, fields in entries:
        with contextlib.suppress(*NOT_UNDERSTOOD):
            found[entry] = dead_letter_from(fields["json"])
    return found
