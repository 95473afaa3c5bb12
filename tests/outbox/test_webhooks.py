"""Deliveries: each event is sent in order, signed, until it is taken or given up, whichever process does it."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode

import pytest

from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.order import order_id_of
from app.outbox.log import Place
from app.outbox.webhooks import delivery
from app.outbox.webhooks.registry import Webhooks
from app.outbox.webhooks.signing import signature
from app.outbox.webhooks.webhook import WebhookStatus
from tests.builders import bars
from tests.engine.desk import Desk
from tests.outbox.following import a_tail
from tests.outbox.post import HISTORY, Outcomes, Post, a_post
from tests.outbox.receiver import Got, a_receiver


def said(got: Got) -> tuple[str, str]:
    body = json.loads(got.body)
    return body["type"], body["data"]["order_id"]


async def test_events_are_delivered_in_order_and_signed(post: Post) -> None:
    async with a_receiver() as receiver:
        webhook, _ = await post.webhooks.create(receiver.url, (), None)
        orders = [(await post.desk.order(f"oms-{number}")).order_id for number in range(3)]
        got = await receiver.taken(9)

    assert [said(each) for each in got] == [
        (name, order_id) for order_id in orders for name in ("order.accepted", "order.working", "slice.committed")
    ]
    places = [place for each in got if (place := Place.parsed(each.id)) is not None]
    assert len(places) == len(got)
    assert places == sorted(places)
    for each in got:
        signed = f"{each.id}.{each.headers['webhook-timestamp']}.".encode() + each.body
        key = b64decode(webhook.secret.removeprefix("whsec_"))
        expected = b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert each.headers["webhook-signature"] == f"v1,{expected}"
        assert json.loads(each.body)["id"] == each.id
    assert receiver.connections == 1


def test_the_signature_is_that_of_the_convention() -> None:
    """The example of the Standard Webhooks specification."""
    made = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_an_event_that_is_not_taken_comes_again_under_its_id_before_the_next_one(post: Post) -> None:
    async with a_receiver(None, 500, 302, 204) as receiver:
        webhook, _ = await post.webhooks.create(receiver.url, (), None)
        await post.desk.order()
        got = await receiver.taken(6)
        found = await post.until(webhook.webhook_id, delivered=3)

    assert [each.id for each in got] == [got[0].id] * 4 + [got[4].id, got[5].id]
    assert len({each.id for each in got}) == 3
    assert found.status is WebhookStatus.ACTIVE
    assert post.outcomes.tried == ["failed"] * 3 + ["delivered"] * 3


async def test_an_event_that_is_refused_too_often_is_a_dead_letter_and_the_next_one_is_tried(post: Post) -> None:
    async with a_receiver(*[400] * delivery.REFUSALS_MAX) as receiver:
        webhook, _ = await post.webhooks.create(receiver.url, (), None)
        order = await post.desk.order()
        got = await receiver.taken(delivery.REFUSALS_MAX + 2)
        await post.until(webhook.webhook_id, delivered=2, dead=1)
        [letter] = await post.webhooks.dead_letters(webhook.webhook_id, None, 10)

    assert (letter.id, letter.event, letter.attempts) == (got[0].id, "order.accepted", delivery.REFUSALS_MAX)
    assert letter.error == "the answer was 400"
    assert json.loads(letter.text)["order_id"] == order.order_id
    assert [said(each)[0] for each in got[delivery.REFUSALS_MAX :]] == ["order.working", "slice.committed"]


async def test_an_address_that_is_gone_is_sent_nothing_more(post: Post) -> None:
    async with a_receiver(410) as receiver:
        webhook, _ = await post.webhooks.create(receiver.url, (), None)
        await post.desk.order()
        found = await post.until(webhook.webhook_id, disabled=True)

    assert (found.status, found.error, len(receiver.got)) == (WebhookStatus.DISABLED, "the answer was 410", 1)


async def test_events_wait_for_an_address_that_is_away_and_none_is_given_up(post: Post) -> None:
    async with a_receiver() as receiver:
        url = receiver.url
    webhook, _ = await post.webhooks.create(url, (), None)
    await post.desk.order()
    found = await post.until(webhook.webhook_id, status=WebhookStatus.FAILING)

    assert found.error is not None
    assert "ConnectionRefusedError" in found.error
    assert found.delivered == found.dead == 0


async def test_only_wanted_events_are_sent_and_those_of_the_account(post: Post) -> None:
    async with a_receiver() as receiver:
        await post.webhooks.create(receiver.url, ("order.*",), "desk-1")
        await post.desk.order("theirs", account="desk-2", order_id=order_id_of("theirs", "desk-2"))
        own = await post.desk.order("ours", account="desk-1", order_id=order_id_of("ours", "desk-1"))
        await post.desk.engine.orders.cancel(own.order_id)
        got = await receiver.taken(3)

    assert [said(each) for each in got] == [
        (name, own.order_id) for name in ("order.accepted", "order.working", "order.cancelled")
    ]


async def test_who_takes_over_goes_on_where_the_other_one_stopped(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    async with a_tail(desk) as tail, a_receiver() as receiver:
        async with a_post(desk, tail) as post:
            await post.webhooks.create(receiver.url, (), None)
            await desk.order("one")
            await receiver.taken(3)
        await desk.order("two")
        async with a_post(desk, tail):
            got = await receiver.taken(6)

    assert [said(each)[0] for each in got] == ["order.accepted", "order.working", "slice.committed"] * 2
    assert len({each.id for each in got}) == 6


async def test_of_two_who_could_deliver_one_does(desk: Desk) -> None:
    await desk.feed(bars(HISTORY))
    async with a_tail(desk) as tail, a_receiver() as receiver, a_post(desk, tail) as post, a_post(desk, tail) as other:
        webhook, _ = await post.webhooks.create(receiver.url, (), None)
        await desk.order()
        await post.until(webhook.webhook_id, delivered=3)

    assert sorted([post.outcomes.tried, other.outcomes.tried]) == [[], ["delivered"] * 3]
    assert len(receiver.got) == 3


async def test_who_has_lost_the_lease_records_nothing(desk: Desk) -> None:
    store, log = desk.store.webhooks, desk.store.events
    webhook, progress = await Webhooks(store, log, Outcomes(), lambda: None).create("http://127.0.0.1:9/", (), None)
    assert await store.hold("one", 10_000) is not None

    assert await store.hold("two", 10_000) is None
    assert not await store.advance("two", webhook.webhook_id, progress)
    await store.let_go("two")
    assert await store.advance("one", webhook.webhook_id, progress)
    await store.let_go("one")
    assert await store.hold("two", 10_000) is not None


async def test_a_webhook_that_is_deleted_is_sent_nothing_more(post: Post) -> None:
    async with a_receiver(*[500] * 1_000) as receiver:
        webhook, _ = await post.webhooks.create(receiver.url, (), None)
        await post.desk.order()
        await receiver.taken(1)
        await post.webhooks.delete(webhook.webhook_id, None)

        with pytest.raises(NotFound):
            await post.progress(webhook.webhook_id)
    assert await post.webhooks.every(None) == []


async def test_an_address_has_one_webhook_for_each_account(desk: Desk) -> None:
    webhooks = Webhooks(desk.store.webhooks, desk.store.events, Outcomes(), lambda: None)
    await webhooks.create("http://oms.example/", (), "desk-1")
    await webhooks.create("http://oms.example/", (), "desk-2")

    with pytest.raises(Conflict, match="delete it first"):
        await webhooks.create("http://oms.example/", (), "desk-1")
    assert [each.account for each, _ in await webhooks.every("desk-2")] == ["desk-2"]


@pytest.mark.parametrize(
    "url", ["oms.example", "ftp://oms.example", "http://", "http://user:word@oms.example", "http://a b", "http://a:x/"]
)
async def test_a_url_that_nothing_can_be_sent_to_is_refused(desk: Desk, url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await Webhooks(desk.store.webhooks, desk.store.events, Outcomes(), lambda: None).create(url, (), None)

    assert refused.value.code == "bad_url"
