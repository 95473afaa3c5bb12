"""The password of the store is in no message, however the url is wrong or the store answers."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import pytest
from redis import Redis

from app.domain.errors import Unavailable
from app.main import CannotStart, services
from app.metrics import ServiceMetrics
from app.settings import Settings
from app.store.redis_store import RedisStore
from tests.servers import a_server

SECRET = "s3cr3t"


@pytest.fixture(scope="module")
def locked_server() -> Iterator[str]:
    """One that asks for another password than ours."""
    with a_server("valkey") as url:
        yield url
        with Redis.from_url(url, password="another") as client:
            client.config_set("requirepass", "")


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{SECRET}/x@127.0.0.1:6379/0",
        f"redis://user:{SECRET}#@127.0.0.1:6379/0",
        f"http://:{SECRET}@127.0.0.1/0",
        f"{SECRET}",
        f"redis://:{SECRET}@127.0.0.1:63790000/0",
        f"redis://:{SECRET}@127.0.0.1:6379/0?no_such_option=1",
        f"redis://:{SECRET}@127.0.0.1:6379/0?socket_timeout={SECRET}",
        f"redis://[:{SECRET}@127.0.0.1/0",
    ],
)
def test_a_url_that_is_none_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="must be like redis") as refused:
        RedisStore.at(url, lookback=8)

    assert SECRET not in "".join(traceback.format_exception(refused.value))


async def test_the_service_names_the_setting_that_is_wrong() -> None:
    with pytest.raises(CannotStart, match="LEM_REDIS_URL: must be like redis") as refused:
        async with services(Settings(redis_url=f"http://:{SECRET}@host"), ServiceMetrics()):  # type: ignore[arg-type]
            pass

    assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_the_settings_show_no_password() -> None:
    settings = Settings(redis_url=f"redis://:{SECRET}@127.0.0.1:1/0")  # type: ignore[arg-type]

    assert SECRET not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize("place", ["redis://:{secret}@127.0.0.1:1/0", "{server}?password={secret}"])
async def test_a_store_that_cannot_be_reached_or_refuses_the_password_shows_none(
    locked_server: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Redis.from_url(locked_server) as client:
        if "server" in place:
            client.config_set("requirepass", "another")
    store = RedisStore.at(place.format(server=locked_server, secret=SECRET), lookback=8)
    caplog.set_level(logging.DEBUG)

    with pytest.raises(Unavailable) as refused:
        await store.weaknesses()
    await store.close()

    shown = "".join(traceback.format_exception(refused.value))
    assert SECRET not in shown + caplog.text + repr(store._client) + repr(store._client.connection_pool)
    assert refused.value.code == "store_unavailable"
