"""What a browser may not do for a page of somebody else, and what plain clients need nothing for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.access.access import Reach
from tests.api.conftest import serving
from tests.api.keyed import Keyed, code_of
from tests.api.wire import instrument_json

PATH = "/v1/instruments/BTC-USDT"


@pytest.fixture
async def on_loopback(tmp_path: Path) -> AsyncIterator[Keyed]:
    """A service on the loopback without keys."""
    async with serving(tmp_path, reach=Reach.LOOPBACK) as client:
        client.headers["host"] = "localhost:8000"
        yield Keyed(client, tmp_path)


async def written(client: httpx.AsyncClient, **headers: str) -> tuple[int, str | None]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return code_of(await client.put(PATH, json=instrument_json(), headers=named))


FOREIGN = [
    {"sec_fetch_site": "cross-site", "origin": "https://evil.example"},
    {"sec_fetch_site": "same-site", "origin": "http://localhost:3000"},
    {"sec_fetch_site": "cross-site"},
    {"origin": "https://evil.example"},
    {"origin": "http://localhost:3000"},
    {"origin": "null"},
    {"origin": ""},
]
OWN: list[dict[str, str]] = [
    {},
    {"sec_fetch_site": "same-origin", "origin": "http://localhost:8000"},
    {"sec_fetch_site": "same-origin", "origin": "https://desk.example"},
    {"sec_fetch_site": "none"},
    {"origin": "http://localhost:8000"},
    {"origin": "HTTP://LocalHost:8000"},
]


async def test_a_write_that_a_foreign_page_sends_is_refused(on_loopback: Keyed) -> None:
    answers = [await written(on_loopback.client, **headers) for headers in FOREIGN]

    assert answers == [(403, "cross_site")] * len(FOREIGN)
    assert (await on_loopback.client.get("/v1/instruments")).json() == {"instruments": []}


async def test_a_write_of_a_plain_client_or_of_an_own_page_is_taken(on_loopback: Keyed) -> None:
    answers = [await written(on_loopback.client, **headers) for headers in OWN]

    assert [status for status, _ in answers] == [201] + [200] * (len(OWN) - 1)


async def test_a_foreign_page_writes_nothing_with_a_key_either(on_loopback: Keyed) -> None:
    key = await on_loopback.key()

    assert await written(on_loopback.client, **key, sec_fetch_site="cross-site") == (403, "cross_site")


async def test_without_keys_a_page_that_gave_its_name_our_address_reads_nothing(on_loopback: Keyed) -> None:
    for host in (
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8000",
        "1.2.3.4.5",
        "EVIL.example.",
    ):
        answers = [await on_loopback.client.get(path, headers={"host": host}) for path in ("/v1/orders", "/metrics")]
        alive = await on_loopback.client.get("/healthz", headers={"host": host})

        assert [code_of(answer) for answer in answers] == [(421, "unknown_host")] * 2, host
        assert alive.status_code == 200


async def test_a_host_that_no_foreign_site_can_have_is_served(on_loopback: Keyed) -> None:
    names = ("localhost", "LOCALHOST.:8000", "127.0.0.1:8000", "10.0.0.7", "[::1]:8000", "a.localhost", "lem:8000", "")

    answers = [await on_loopback.client.get("/v1/orders", headers={"host": host}) for host in names]

    assert [answer.status_code for answer in answers] == [200] * len(names)


async def test_with_keys_the_name_of_the_host_does_not_matter(on_loopback: Keyed) -> None:
    key = await on_loopback.key()

    answer = await on_loopback.client.get("/v1/orders", headers={"host": "desk.example", **key})

    assert answer.status_code == 200
