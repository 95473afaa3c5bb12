"""Who may call: keys and their scopes, how often, and until when."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message
from structlog.contextvars import clear_contextvars, get_contextvars

from app.access import key_ring
from app.access.access import Access, Reach
from app.access.api_keys import Scope
from app.access.key_ring import KeyRing
from app.api.access.gate import Gate
from app.main import CannotStart
from app.store.api_keys import RedisApiKeys
from app.store.connection import connect
from tests.api.conftest import serving
from tests.api.keyed import Keyed, bearing, code_of
from tests.api.wire import order_json, prepared
from tests.builders import START, an_api_key

OPEN = ("/healthz", "/readyz", "/openapi.json")


@pytest.fixture
async def keyless(tmp_path: Path) -> AsyncIterator[Keyed]:
    async with serving(tmp_path) as client:
        yield Keyed(client, tmp_path)


@pytest.fixture
async def keyed(keyless: Keyed) -> Keyed:
    """One that knows of a key."""
    assert (await keyless.client.get("/v1/models", headers=await keyless.key())).status_code == 200
    return keyless


async def test_probes_and_the_interface_s_description_need_no_key(keyed: Keyed) -> None:
    await keyed.key()

    answers = [await keyed.client.get(path) for path in OPEN]

    assert [answer.status_code for answer in answers] == [200] * len(OPEN)


async def test_a_call_without_a_known_key_is_refused_once_there_are_keys(keyed: Keyed) -> None:
    good = await keyed.key()
    known = await keyed.client.get("/v1/orders", headers=good)
    _, other = an_api_key()
    wrong = [{}, {"Authorization": "Basic b21zOg=="}, bearing(other), bearing("x"), bearing(other * 9)]

    answers = [await keyed.client.get("/v1/orders", headers=each) for each in wrong]

    assert known.status_code == 200
    assert [code_of(answer) for answer in answers] == [(401, "key_missing")] * 2 + [(401, "key_unknown")] * 3
    assert all(answer.headers["www-authenticate"] == 'Bearer realm="lem"' for answer in answers)


async def test_a_key_opens_the_calls_of_its_scopes_and_no_other(keyed: Keyed) -> None:
    """Each call with a key of each scope, as the OpenAPI document says. What else is wrong with the calls is told only
    behind the gate."""
    keys = {scope: await keyed.key(scope) for scope in Scope}
    document = (await keyed.client.get("/openapi.json")).json()

    for path, operations in document["paths"].items():
        for method, told in operations.items():
            needed = {scope for each in told.get("security", []) for scope in each["api_key"]}
            for scope, header in keys.items():
                answer = await keyed.client.request(method, re.sub(r"\{\w+\}", "1", path), headers=header)
                refused = answer.status_code == 403
                assert refused == (bool(needed) and scope not in needed), f"{method} {path} with {scope}"
                if refused:
                    assert code_of(answer) == (403, "scope_missing")
                    assert all(each in answer.json()["detail"] for each in needed)

    assert document["components"]["securitySchemes"]["api_key"]["scheme"] == "bearer"


async def test_what_is_not_there_is_not_open_either(keyed: Keyed) -> None:
    await keyed.key()

    answers = [await keyed.client.get(path) for path in ("/v1/nothing", "/nothing", "/", "/v1", "//healthz")]

    assert {code_of(answer) for answer in answers} == {(401, "key_missing")}


async def test_the_metrics_need_the_scope_operations_unless_they_are_opened(keyed: Keyed, tmp_path: Path) -> None:
    operations, orders = await keyed.key(Scope.OPERATIONS), await keyed.key(Scope.ORDERS)
    closed = [(await keyed.client.get("/metrics", headers=each)).status_code for each in ({}, orders, operations)]

    async with serving(tmp_path / "other", open_metrics=True) as client:
        key = await Keyed(client, tmp_path / "other").key()
        known = (await client.get("/v1/models", headers=key)).status_code
        opened = (await client.get("/metrics")).status_code

    assert (closed, known, opened) == ([401, 403, 200], 200, 200)


async def test_refusals_are_counted_by_their_code(keyed: Keyed) -> None:
    operations = await keyed.key(Scope.OPERATIONS)
    await keyed.client.get("/metrics", headers=operations)

    await keyed.client.get("/v1/orders")
    await keyed.client.get("/v1/orders", headers=operations)
    page = (await keyed.client.get("/metrics", headers=operations)).text

    assert 'lem_access_refused_total{code="key_missing"} 1.0' in page
    assert 'lem_access_refused_total{code="scope_missing"} 1.0' in page


async def test_a_key_that_is_made_while_the_service_runs_is_good_at_once(keyless: Keyed) -> None:
    before = await keyless.client.get("/v1/orders")

    with_it = await keyless.client.get("/v1/orders", headers=await keyless.key())
    without = await keyless.client.get("/v1/orders")

    assert (before.status_code, with_it.status_code, without.status_code) == (200, 200, 401)


async def test_a_revoked_key_stops_working_and_the_service_stays_closed(
    keyed: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, text = an_api_key()
    await keyed.record(key)
    at_first = await keyed.client.get("/v1/orders", headers=bearing(text))

    await keyed.record(replace(key, revoked_at=START))
    monkeypatch.setattr(key_ring, "LOOK_SECONDS", 0.01)
    async with asyncio.timeout(20):
        refused = at_first
        while refused.status_code == httpx.codes.OK:
            refused = await keyed.client.get("/v1/orders", headers=bearing(text))

    assert at_first.status_code == 200
    assert code_of(refused) == (401, "key_unknown")
    assert code_of(await keyed.client.get("/v1/orders")) == (401, "key_missing")


async def test_a_key_may_call_as_often_as_it_may_and_takes_nothing_from_others(keyed: Keyed) -> None:
    slow, fast = await keyed.key(requests_per_second=2), await keyed.key()
    await keyed.client.get("/v1/models", headers=fast)

    answers = [await keyed.client.get("/v1/models", headers=slow) for _ in range(20)]
    of_the_other = await keyed.client.get("/v1/models", headers=fast)

    refused = [answer for answer in answers if answer.status_code == 429]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert refused
    assert {(*code_of(answer), answer.headers["retry-after"]) for answer in refused} == {(429, "rate_limited", "1")}
    assert of_the_other.status_code == 200


async def test_no_key_is_in_the_log_or_in_an_answer(keyed: Keyed, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key, text = an_api_key(scopes=frozenset({Scope.ORDERS, Scope.MARKET_DATA}))
    await keyed.record(key)
    _, unknown = an_api_key()
    everything = await keyed.key()
    keyed.client.headers.update(everything)
    await prepared(keyed.client)

    answers = [
        await keyed.client.post("/v1/orders", json=order_json(), headers=bearing(text)),
        await keyed.client.get("/metrics", headers=bearing(text)),
        await keyed.client.get("/v1/orders", headers=bearing(unknown)),
    ]

    said = caplog.text + "".join(f"{answer.text}{answer.headers}" for answer in answers)
    assert [answer.status_code for answer in answers] == [201, 403, 401]
    for each in (text, unknown, everything["Authorization"].removeprefix("Bearer ")):
        assert each[17:] not in said


async def test_a_service_that_others_can_reach_does_not_start_without_keys(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="lem keys create"):
        async with serving(tmp_path, reach=Reach.NETWORK):
            pass

    async with serving(tmp_path, reach=Reach.NETWORK, allow_no_keys=True) as client:
        assert (await client.get("/v1/orders")).status_code == 200
        key = await Keyed(client, tmp_path).key()
        assert (await client.get("/v1/orders", headers=key)).status_code == 200

    async with serving(tmp_path, reach=Reach.NETWORK) as client:
        assert (await client.get("/v1/orders", headers=key)).status_code == 200
        assert (await client.get("/v1/orders")).status_code == 401


class Counted:
    """Refusals by their codes."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    def access_refused(self, code: str) -> None:
        self.codes.append(code)


class Application:
    """What ASGI puts into the scope of a request."""

    def __init__(self, access: Access) -> None:
        self.state = self
        self.services = self
        self.access = access


async def passed(access: Access, path: str, kind: str = "http", **more: Any) -> tuple[list[Message], list[str]]:
    """What the gate answers itself, and the codes that it counts; `inside` where the request passes."""
    sent: list[Message] = []
    counted = Counted()

    async def inside(*_: object) -> None:
        sent.append({"type": "inside", **get_contextvars()})

    async def receive() -> Message:
        raise AssertionError("the gate reads no body")

    async def send(message: Message) -> None:
        sent.append(message)

    clear_contextvars()
    scope = {"type": kind, "method": "GET", "path": path, "headers": [], "app": Application(access)} | more
    await Gate(inside, counted)(scope, receive, send)
    return sent, counted.codes


@pytest.mark.parametrize("reach", Reach)
async def test_while_nobody_can_say_which_keys_there_are_nothing_is_let_in(reach: Reach) -> None:
    client = connect("unix:///nowhere/store.sock")
    access = Access(ring=KeyRing(RedisApiKeys(client)), reach=reach, allow_no_keys=True)

    sent, codes = await passed(access, "/v1/orders")
    alive, _ = await passed(access, "/healthz")

    assert (sent[0]["status"], codes) == (503, ["store_unavailable"])
    assert dict(sent[0]["headers"])[b"retry-after"] == b"1"
    assert alive == [{"type": "inside"}]
    await client.aclose()


async def test_a_known_key_is_not_believed_for_ever_while_the_store_is_away_but_for_the_metrics(
    keyed: Keyed, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await keyed.key()
    before = await keyed.client.get("/v1/models", headers=key)

    monkeypatch.setattr(key_ring, "AGE_SECONDS_MAX", -1.0)
    after = [await keyed.client.get(path, headers=key) for path in ("/v1/models", "/metrics")]

    assert before.status_code == 200
    assert [code_of(after[0]), after[1].status_code] == [(503, "store_unavailable"), 200]


async def test_others_than_this_machine_are_refused_where_the_keys_are_still_to_be_made(keyless: Keyed) -> None:
    """As where the store was away when the service started."""
    services: Any = keyless.client._transport.app.state.services  # type: ignore[attr-defined]
    open_to_all = replace(services.access, reach=Reach.NETWORK)

    sent, codes = await passed(open_to_all, "/v1/orders")

    assert (sent[0]["status"], codes) == (403, ["keys_needed"])


async def test_what_is_logged_of_a_call_has_the_prefix_of_its_key(keyed: Keyed) -> None:
    header = (await keyed.key())["Authorization"]
    await keyed.client.get("/v1/models", headers={"Authorization": header})
    access: Access = keyed.client._transport.app.state.services.access  # type: ignore[attr-defined]

    with_it, _ = await passed(access, "/v1/orders", headers=[(b"authorization", header.encode())])

    assert with_it == [{"type": "inside", "key": header.removeprefix("Bearer ")[:16]}]


async def test_a_websocket_needs_a_key_too_and_no_foreign_page_opens_one(keyed: Keyed) -> None:
    header = (await keyed.key(Scope.MARKET_DATA))["Authorization"].encode()
    access: Access = keyed.client._transport.app.state.services.access  # type: ignore[attr-defined]
    with_key, from_a_page = [(b"authorization", header)], [(b"origin", b"https://evil.example")]
    path = "/v1/bars/stream"
    words: dict[str, Any] = {"extensions": {"websocket.http.response": {}}}

    opened, _ = await passed(access, path, "websocket", headers=with_key)
    closed, _ = await passed(access, path, "websocket")
    told, _ = await passed(access, path, "websocket", **words)
    foreign, _ = await passed(access, path, "websocket", headers=[*with_key, *from_a_page], **words)

    assert opened == [{"type": "inside", "key": header.decode().split()[1][:16]}]
    assert closed == [{"type": "websocket.close", "code": 1008, "reason": "key_missing"}]
    assert (told[0]["type"], told[0]["status"]) == ("websocket.http.response.start", 401)
    assert foreign[0]["status"] == 403


def test_httpx_is_a_plain_client() -> None:
    """Nothing of what a browser says of itself is sent by the clients of these tests."""
    assert not {"origin", "sec-fetch-site"} & set(httpx.Client().headers)
