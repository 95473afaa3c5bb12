"""API keys in the store."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from redis import Redis

from app.access.api_keys import Scope
from app.store import keys
from app.store.api_keys import key_from, key_text
from app.store.redis_store import RedisStore
from tests.builders import START, an_api_key

FULL = {
    "scopes": frozenset({Scope.ORDERS, Scope.READ}),
    "account": "desk 1",
    "requests_per_second": 50,
    "expires_at": START + timedelta(days=30),
    "revoked_at": START + timedelta(days=1),
}


async def test_a_key_comes_back_equal_and_each_change_is_told(store: RedisStore) -> None:
    plain, full = an_api_key()[0], an_api_key(**FULL)[0]

    nothing = await store.api_keys.changed()
    await store.api_keys.put(plain)
    first = await store.api_keys.changed()
    await store.api_keys.put(full)
    second = await store.api_keys.changed()

    assert nothing == ""
    assert len({nothing, first, second}) == 3
    assert sorted(await store.api_keys.all(), key=lambda key: key.prefix) == sorted(
        [plain, full], key=lambda key: key.prefix
    )


def test_what_a_later_release_adds_is_passed_over() -> None:
    key, _ = an_api_key(**FULL)

    assert key_from(key.prefix, key_text(key)[:-1] + ',"more":1}') == key


async def test_a_key_that_is_not_understood_opens_nothing_and_is_told_once(
    store: RedisStore, server: str, caplog: pytest.LogCaptureFixture
) -> None:
    good, odd = an_api_key()[0], an_api_key()[0]
    await store.api_keys.put(good)
    with Redis.from_url(server) as client:
        client.hset(keys.API_KEYS, odd.prefix, key_text(odd).replace("orders", "all of it"))
    caplog.set_level(logging.ERROR)

    twice = [await store.api_keys.all(), await store.api_keys.all()]

    assert twice == [[good], [good]]
    assert [record.getMessage() for record in caplog.records] == [
        f"the API key {odd.prefix} in the store is not understood and opens nothing"
    ]
    assert odd.digest not in caplog.text
