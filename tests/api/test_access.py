"""Who may call: keys and their scopes, how often, and until when."""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.access import key_ring
from app.access.access import Reach
from app.access.api_keys import Scope
from app.main import CannotStart
from tests.api.conftest import serving
from tests.api.keyed import Keyed, bearing, code_of
from tests.api.wire import order_json, prepared
from tests.builders import START, an_api_key

OPEN = ("/healthz", "/readyz", "/openapi.json")


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
                asked = header | {"Accept": "application/json"}  # a stream of events has no end
                answer = await keyed.client.request(method, re.sub(r"\{\w+\}", "1", path), headers=asked)
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
