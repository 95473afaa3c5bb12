"""The gate by itself: what it lets in, and what it says to what it does not."""

from __future__ import annotations

from dataclasses import replace
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
from app.store.api_keys import RedisApiKeys
from app.store.connection import connect
from tests.api.keyed import Keyed, code_of


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
