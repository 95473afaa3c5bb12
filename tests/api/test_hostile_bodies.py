"""What a body costs is bounded by what it weighs, and no body stops the service for others."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from time import thread_time
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.api import request_bodies
from app.api.parser_errors import ERRORS_MAX
from app.api.request_bodies import BARS, OTHERS
from tests.api.conftest import serving
from tests.api.wire import HISTORY, bar_json, instrument_json, order_json, prepared
from tests.builders import a_bar

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON, NDJSON = {"content-type": "application/json"}, {"content-type": "application/x-ndjson"}
BLOCKED_SECONDS_MAX = 0.1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    folder: Path = tmp_path_factory.mktemp("service")
    async with serving(folder) as client:
        yield await prepared(client)


async def longest_step(work: Awaitable[Any]) -> tuple[Any, float]:
    """What the work gives, and the longest time that the event loop computed without a pause, in seconds of this
    thread: a busy machine does not count. It is looked at every millisecond, since a look at every turn of the loop
    would cost as much as the work."""
    gc.collect()
    gc.freeze()  # what other tests have left is no part of the work, and never looked through again
    task, longest, since = asyncio.ensure_future(work), 0.0, thread_time()
    while not task.done():
        await asyncio.sleep(0.001)
        longest, since = max(longest, thread_time() - since), thread_time()
    return task.result(), longest


def fields(count: int, first: int = 0) -> str:
    return ",".join(f'"{number:x}":0' for number in range(first, first + count))


def bars_of(*texts: str) -> bytes:
    return ('{"bars":[' + ",".join(texts) + "]}").encode()


BAR = json.dumps(bar_json(a_bar(HISTORY)))
LARGE: list[tuple[str, str, bytes, str]] = [
    ("bars with 62 unknown fields each", "bars", bars_of(*[f"{{{fields(62)}}}"] * 8_000), "too_many"),
    ("bars without fields", "bars", bars_of(*["{}"] * 10_000), "field_missing"),
    ("bars with long names", "bars", bars_of(*['{"' + "x" * 380 + '":0}'] * 10_000), "field_missing"),
    ("one bar with very many fields", "bars", bars_of(f"{{{fields(150_000)}}}"), "too_many"),
    ("very many fields beside the bars", "bars", f'{{"bars":[{BAR}],{fields(150_000)}}}'.encode(), "too_many"),
    ("as many values as may be", "bars", bars_of(*["0"] * 150_000), "too_many"),
    ("two million values", "bars", bars_of(*["0"] * 2_000_000), "too_many"),
    ("deep lists", "bars", b"[" * 150_000, "bad_json"),
    ("deep objects", "bars", b'{"bars":' * 100_000, "bad_json"),
    ("a long number", "bars", bars_of(BAR.replace("50", "9" * 4_000_000)), "not_a_decimal"),
    ("many long numbers", "bars", bars_of(*[f'{{"a":{"9" * 400}}}'] * 9_900), "field_missing"),
    ("a long text", "bars", bars_of(BAR.replace("BTC-USDT", "x" * 4_000_000)), "bad_text"),
    ("an order with very many fields", "orders", f"{{{fields(14_000)}}}".encode(), "too_many"),
    ("a deep order", "orders", b'{"limits":' * 12_000, "bad_json"),
]


@pytest.mark.parametrize(("path", "body", "code"), [case[1:] for case in LARGE], ids=[case[0] for case in LARGE])
async def test_no_body_stops_the_service_for_others(
    client: httpx.AsyncClient, path: str, body: bytes, code: str
) -> None:
    assert len(body) < (BARS if path == "bars" else OTHERS).bytes_max

    response, blocked = await longest_step(client.post(f"/v1/{path}", content=body, headers=JSON))

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert len(response.content) < 20_000
    assert len(response.json().get("errors", [])) <= ERRORS_MAX
    assert blocked < BLOCKED_SECONDS_MAX


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\n" * 4_000_000, "empty"),
        (b"1\n" * 2_000_000, "too_many"),
        (b'{"instrument":"' + b"x" * 4_000_000 + b'"}', "bad_text"),
        (f"{{{fields(100_000)}}}\n".encode(), "too_many"),
    ],
    ids=["blank lines", "short lines", "one long line", "one line with very many fields"],
)
async def test_no_lines_stop_the_service_for_others(client: httpx.AsyncClient, body: bytes, code: str) -> None:
    response, blocked = await longest_step(client.post("/v1/bars", content=body, headers=NDJSON))

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert blocked < BLOCKED_SECONDS_MAX


@pytest.mark.parametrize("bar", ["{}", f"{{{fields(15)}}}"], ids=["without fields", "with unknown fields"])
async def test_ten_thousand_wrong_bars_are_told_apart_without_stopping_the_service(
    client: httpx.AsyncClient, bar: str
) -> None:
    nobodys = BAR.replace("BTC-USDT", "NOBODY")
    asked = client.post("/v1/bars?partial=true", content=bars_of(*[bar] * 9_000, nobodys), headers=JSON)

    response, blocked = await longest_step(asked)

    assert (response.json()["accepted"], len(response.json()["rejected"])) == (0, 9_001)
    assert blocked < BLOCKED_SECONDS_MAX


async def test_ten_thousand_bars_are_read_in_parts(client: httpx.AsyncClient) -> None:
    """The last of them is wrong, so that nothing but the reading is measured."""
    body = bars_of(*[BAR] * 9_999, BAR.replace("BTC-USDT", ""))

    response, blocked = await longest_step(client.post("/v1/bars", content=body, headers=JSON))

    assert response.json()["errors"][0]["pointer"] == "#/bars/9999/instrument"
    assert blocked < BLOCKED_SECONDS_MAX


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/bars", "/v1/orders/any/fills"])
async def test_a_compressed_body_is_refused(client: httpx.AsyncClient, path: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)

    response = await client.post(path, content=bomb, headers=JSON | {"content-encoding": "gzip"})

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (json.dumps(order_json()).replace('"10"', '"10", "quantity": "100"').encode(), "repeated_field"),
        (
            json.dumps(order_json()).replace('"max_steps": 12', '"max_steps": 12, "max_steps": 13').encode(),
            "repeated_field",
        ),
        (json.dumps(order_json()).replace("12", "NaN").encode(), "bad_json"),
        (json.dumps(order_json()).replace("12", "1" * 5_000).encode(), "bad_json"),
        (json.dumps(order_json()).encode("utf-16"), "bad_json"),
        (b"\xef\xbb\xbf" + json.dumps(order_json()).encode(), "bad_json"),
        (b'{"client_order_id":"\xff"}', "bad_json"),
    ],
    ids=["a field twice", "an inner field twice", "NaN", "a long number", "UTF-16", "a byte order mark", "no UTF-8"],
)
async def test_what_readers_of_json_understand_differently_is_refused(
    client: httpx.AsyncClient, content: bytes, code: str
) -> None:
    response = await client.post("/v1/orders", content=content, headers=JSON)

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert (await client.get("/v1/orders")).json()["orders"] == []


@pytest.mark.parametrize("headers", [JSON, NDJSON], ids=["a document", "lines"])
async def test_a_bar_with_a_field_twice_is_refused(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    twice = BAR.replace('"close":', '"close": "1", "close":')
    body = bars_of(twice) if headers is JSON else twice.encode()

    response = await client.post("/v1/bars", content=body, headers=headers)

    assert (response.status_code, response.json()["code"]) == (422, "repeated_field")


async def test_a_line_that_is_no_json_is_named(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/bars", content=f"{BAR}\n{{\n".encode(), headers=NDJSON)

    assert response.json()["errors"][0] | {"detail": ""} == {"code": "bad_json", "detail": "", "pointer": "#/bars/1"}


async def test_what_a_problem_repeats_of_a_request_is_short(client: httpx.AsyncClient) -> None:
    for response in (
        await client.post("/v1/orders", json=order_json(**{"x" * 50_000: 1})),
        await client.put("/v1/instruments/X", content=json.dumps(instrument_json(bar_seconds=10**4_000)), headers=JSON),
        await client.get(f"/v1/instruments/{'x' * 50_000}"),
        await client.get("/v1/orders", params={"x" * 50_000: "1"}),
    ):
        assert 400 <= response.status_code < 500
        assert len(response.content) < 4_000


async def test_a_body_that_does_not_come_is_given_up(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_bodies, "BODY_SECONDS_MAX", 0.02)

    async def half() -> AsyncIterator[bytes]:
        yield b'{"bars":'
        await asyncio.Event().wait()

    for path in ("/v1/orders", "/v1/bars"):
        response = await client.post(path, content=half(), headers=JSON)

        assert (response.status_code, response.json()["code"]) == (408, "request_timeout")
        assert response.headers["connection"] == "close"


async def test_bodies_together_are_bounded(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_bodies, "HELD_BYTES_MAX", 1_000)

    response = await client.post("/v1/bars", content=b" " * 1_001, headers=JSON)
    after = await client.post("/v1/bars", content=b" " * 1_000, headers=JSON)

    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert "retry-after" in response.headers
    assert after.json()["code"] == "bad_json"


async def test_a_csv_file_is_told_to_be_no_json(client: httpx.AsyncClient) -> None:
    """Its commas are no fields."""
    lines = "2025-01-06T10:00:00Z,100,101,99,100,5\n" * 50

    response = await client.post("/v1/bars", content=lines.encode(), headers=JSON)

    assert (response.status_code, response.json()["code"]) == (422, "bad_json")
