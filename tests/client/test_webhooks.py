"""Webhooks through the client: made with a secret, looked at, and deleted."""

from __future__ import annotations

import httpx
import pytest

from lem_client import AsyncClient, Conflict, NewWebhook, NotFound, Resent, Unreachable, WebhookStatus
from tests.client.way import AT_ONCE, Way

pytestmark = pytest.mark.asyncio(loop_scope="module")

WANTED = NewWebhook(url="http://127.0.0.1:9/oms", events=("order.*",), account="desk-1")


async def test_a_webhook_is_made_looked_at_and_deleted(lem: AsyncClient) -> None:
    made = await lem.create_webhook(WANTED)

    found = await lem.get_webhook(made.webhook_id)
    assert made.secret.startswith("whsec_")
    assert (found.url, found.events, found.account) == (WANTED.url, WANTED.events, WANTED.account)
    assert found.status is WebhookStatus.ACTIVE
    assert found in await lem.list_webhooks()
    assert await lem.list_dead_letters(made.webhook_id) == ()
    assert await lem.resend_dead_letters(made.webhook_id) == Resent(delivered=0, failed=0, last_error=None)
    await lem.delete_webhook(made.webhook_id)
    with pytest.raises(NotFound):
        await lem.get_webhook(made.webhook_id)


async def test_a_webhook_whose_secret_may_be_lost_is_not_asked_for_twice(service: httpx.AsyncClient) -> None:
    way = Way(service, lost=1)
    async with AsyncClient("http://lem", transport=way, retries=AT_ONCE) as lem:
        with pytest.raises(Unreachable, match="lost"):
            await lem.create_webhook(WANTED)
        with pytest.raises(Conflict) as told:
            await lem.create_webhook(WANTED)
        [known] = [each for each in await lem.list_webhooks() if each.url == WANTED.url]
        await lem.delete_webhook(known.webhook_id)

    assert told.value.code == "webhook_exists"
    assert way.sent.count("POST /v1/webhooks") == 2
