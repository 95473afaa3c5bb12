"""Dead letters: what an address has refused is sent again when somebody asks for it."""

from __future__ import annotations

import json

import pytest

from app.domain.errors import NotFound
from app.outbox.webhooks import delivery, resending
from app.outbox.webhooks.resending import Resent
from tests.outbox.post import Post
from tests.outbox.receiver import Got, Receiver, a_receiver


@pytest.fixture(autouse=True)
def _given_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One refusal is enough."""
    monkeypatch.setattr(delivery, "REFUSALS_MAX", 1)


async def refused(post: Post, receiver: Receiver) -> str:
    """A webhook that has three dead letters: all events of a new order."""
    receiver.answers += [400] * 3
    webhook, _ = await post.webhooks.create(receiver.url, (), None)
    await post.desk.order()
    await post.until(webhook.webhook_id, dead=3)
    post.outcomes.tried.clear()
    return webhook.webhook_id


async def left(post: Post, webhook_id: str) -> list[str]:
    """The events of the dead letters that there are, oldest first."""
    return [each.event for each in reversed(await post.webhooks.dead_letters(webhook_id, None, 10))]


async def test_dead_letters_that_are_taken_come_as_they_were_and_are_gone(post: Post) -> None:
    async with a_receiver() as receiver:
        webhook_id = await refused(post, receiver)
        resent = await post.webhooks.resend(webhook_id, None, 10)
        again = await post.webhooks.resend(webhook_id, None, 10)

    def told(got: Got) -> tuple[str, object]:
        return got.id, json.loads(got.body)

    assert (resent, again) == (Resent(delivered=3), Resent())
    assert [told(each) for each in receiver.got[3:]] == [told(each) for each in receiver.got[:3]]
    assert await left(post, webhook_id) == []
    assert post.outcomes.tried == ["delivered"] * 3


async def test_a_letter_that_is_refused_again_stays_and_the_next_one_is_tried(post: Post) -> None:
    async with a_receiver() as receiver:
        webhook_id = await refused(post, receiver)
        receiver.answers += [422]
        resent = await post.webhooks.resend(webhook_id, None, 10)

    assert resent == Resent(delivered=2, failed=1, error="the answer was 422")
    assert await left(post, webhook_id) == ["order.accepted"]


@pytest.mark.parametrize("answer", [500, 429, None])
async def test_an_address_that_is_away_is_not_asked_for_the_rest(post: Post, answer: int | None) -> None:
    async with a_receiver() as receiver:
        webhook_id = await refused(post, receiver)
        receiver.answers += [answer] * 3
        resent = await post.webhooks.resend(webhook_id, None, 10)

    assert (resent.delivered, resent.failed) == (0, 1)
    assert await left(post, webhook_id) == ["order.accepted", "order.working", "slice.committed"]


async def test_no_more_than_wanted_are_sent_and_the_oldest_first(post: Post) -> None:
    async with a_receiver() as receiver:
        webhook_id = await refused(post, receiver)
        resent = await post.webhooks.resend(webhook_id, None, 1)

    assert resent == Resent(delivered=1)
    assert await left(post, webhook_id) == ["order.working", "slice.committed"]


async def test_what_is_not_tried_in_time_stays(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resending, "RESENDING_SECONDS_MAX", -1.0)
    async with a_receiver() as receiver:
        webhook_id = await refused(post, receiver)
        resent = await post.webhooks.resend(webhook_id, None, 10)

    assert resent == Resent()
    assert len(await left(post, webhook_id)) == 3


async def test_another_account_cannot_have_them_sent(post: Post) -> None:
    async with a_receiver() as receiver:
        webhook_id = await refused(post, receiver)
        with pytest.raises(NotFound):
            await post.webhooks.resend(webhook_id, "desk-1", 10)

    assert len(receiver.got) == 3
