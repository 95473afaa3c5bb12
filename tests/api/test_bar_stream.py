"""A feed streams bars: each message is acknowledged, and what is wrong with one of them ends nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from app.api.bar_stream.protocol import StreamConnection
from app.api.bar_stream.stream import BarStream
from app.api.lanes import Lane, LaneSize
from tests.api.streaming import SOON_SECONDS, Served, feeding, listening, messages
from tests.api.wire import HISTORY, SYMBOL, bar_json, bars_json, next_slice, prepared, sent
from tests.builders import a_bar, at, bars


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with listening(tmp_path) as served:
        yield served


async def test_a_message_is_acknowledged_once_its_bar_is_stored_and_decided(served: Served) -> None:
    await prepared(served.client)
    order = await sent(served.client, horizon={"min_steps": 6, "max_steps": 12})

    async with feeding(served.address) as feed:
        answer = await feed.asked(messages([HISTORY])[0])
        piece = (await next_slice(served.client, order["order_id"]))["slice"]

    assert answer == {
        "type": "taken",
        "message": 1,
        "sequence": HISTORY,
        "result": {"accepted": 1, "duplicates": 0, "gaps_filled": 0, "revised": 0},
    }
    assert (piece["step"], piece["decided_on"]) == (2, f"{at(HISTORY):%Y-%m-%dT%H:%M:%SZ}")


async def test_a_feed_is_told_the_newest_stored_bar_and_may_repeat_bars(served: Served) -> None:
    await prepared(served.client, history=3)
    await served.client.put("/v1/instruments/EMPTY", json={"bar_seconds": 60, "lot_size": "1", "tick_size": "1"})

    async with feeding(served.address, f"instrument={SYMBOL}&instrument=EMPTY&instrument=NOBODY") as feed:
        newest, empty, nobody = feed.opened["newest"]
        answer = await feed.asked({"sequence": 0, "bars": bars_json(bars(5))["bars"]})

    assert newest == {"instrument": SYMBOL, "open_time": f"{at(2):%Y-%m-%dT%H:%M:%SZ}"}
    assert empty == {"instrument": "EMPTY"}
    assert (nobody["instrument"], nobody["problem"]["code"]) == ("NOBODY", "unknown_instrument")
    assert answer["result"] == {"accepted": 2, "duplicates": 3, "gaps_filled": 0, "revised": 0}


WRONG = [
    ("{", "bad_json", "#", None),
    ("[]", "wrong_type", "#", None),
    ({"sequence": "1", **bar_json(a_bar(3))}, "wrong_type", "#/sequence", None),
    ({"sequence": 1, **bar_json(a_bar(3), volume=5)}, "decimal_not_a_string", "#/bars/0/volume", 1),
    ({"sequence": 2, **bar_json(a_bar(3), high="1")}, "high_below_low", "#/bars/0", 2),
    ({"sequence": 3, "bars": []}, "empty", "#/bars", 3),
    ({"sequence": 4, "bars": [bar_json(a_bar(3)), bar_json(a_bar(4), "NOBODY")]}, "unknown_instrument", "#/bars/1", 4),
    ('{"sequence": 5, "bars": [], "bars": []}', "empty", "#/bars", 5),
    ({"sequence": 6, "partial": True, **bar_json(a_bar(3))}, "unknown_field", "#/bars/0/partial", 6),
]


async def test_a_wrong_message_is_answered_as_a_request_would_be_and_the_stream_goes_on(served: Served) -> None:
    await prepared(served.client, history=3)

    async with feeding(served.address) as feed:
        answers = [await feed.asked(message) for message, *_ in WRONG]
        after = await feed.asked(messages([3])[0])
    seen = (await served.client.get("/metrics")).text

    assert [each["message"] for each in answers] == list(range(1, len(WRONG) + 1))
    for answer, (_, code, pointer, sequence) in zip(answers, WRONG, strict=True):
        problem = answer["problem"]
        assert (answer["type"], answer.get("sequence"), problem["code"]) == ("refused", sequence, code)
        assert (problem["instance"], problem["errors"][0]["pointer"]) == ("/v1/bars/stream", pointer)
    assert (after["type"], after["result"]["accepted"]) == ("taken", 1)
    assert 'lem_bar_stream_messages_total{code="taken"} 1.0' in seen
    assert 'lem_bar_stream_messages_total{code="empty"} 2.0' in seen
    assert 'lem_bars_ingested_total{instrument="BTC-USDT"} 4.0' in seen


async def test_a_message_that_meets_a_full_lane_or_a_failure_is_told_when_to_come_again_and_ends_nothing(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def failing(*_: Any, **__: Any) -> Any:
        raise RuntimeError("password=hunter2")

    await prepared(served.client, history=3)
    engine, metrics = served.application.state.services.engine, served.application.state.metrics
    full = Lane(LaneSize(name="bars", at_once=0, beside_bars=0, waiting_max=0), metrics)
    own_origin = {"Origin": served.address}

    async with feeding(served.address, additional_headers=own_origin) as feed:
        with monkeypatch.context() as patch:
            patch.setattr(BarStream, "_lane_of", lambda *_: full)
            overloaded = await feed.asked(messages([3])[0])
        with monkeypatch.context() as patch:
            patch.setattr(engine.bars, "post", failing)
            failed = await feed.asked(messages([3])[0])
        taken = await feed.asked(messages([3])[0])
    seen = (await served.client.get("/metrics")).text

    assert (overloaded["problem"]["code"], overloaded["retry_after_seconds"]) == ("overloaded", 1)
    assert (failed["problem"]["code"], "retry_after_seconds" in failed) == ("internal_error", False)
    assert "hunter2" not in json.dumps(failed)
    assert "message 2 of a stream of bars failed" in caplog.text
    assert taken["result"]["accepted"] == 1
    assert 'lem_requests_refused_total{lane="bars"} 1.0' in seen


async def test_a_partial_stream_takes_what_is_right_of_each_message(served: Served) -> None:
    await prepared(served.client, history=3)
    wrong = bar_json(a_bar(4), high="1")

    async with feeding(served.address, "partial=true") as feed:
        answer = await feed.asked({"bars": [wrong, bar_json(bars(4)[3]), {"instrument": SYMBOL}]})
        single = await feed.asked(wrong)

    assert feed.opened["newest"] == []
    assert answer["result"]["accepted"] == 1
    assert [(each["index"], each["code"]) for each in answer["result"]["rejected"]] == [
        (0, "high_below_low"),
        (2, "field_missing"),
    ]
    assert single["result"] == {
        "accepted": 0,
        "duplicates": 0,
        "gaps_filled": 0,
        "revised": 0,
        "rejected": single["result"]["rejected"],
    }


async def test_bars_of_one_instrument_are_taken_in_the_order_in_which_they_were_sent(served: Served) -> None:
    """All at once, more than the window holds: what is beyond it waits in the connection."""
    await prepared(served.client, history=2)
    await prepared(served.client, history=2, symbol="OTHER")
    pairs = zip(messages(range(2, 32)), messages(range(2, 32), "OTHER"), strict=True)
    sent_now = [each for pair in pairs for each in pair]

    async with feeding(served.address) as feed:
        await feed.send(*sent_now)
        answers = [await feed.answer() for _ in sent_now]

    assert len(sent_now) > feed.opened["window"]
    assert all(each["result"]["accepted"] == 1 for each in answers)
    for parity in (0, 1):
        own = [each["message"] for each in answers if each["message"] % 2 == parity]
        assert own == sorted(own)
    newest = (await served.client.get("/v1/bars", params={"instrument": SYMBOL, "limit": 1})).json()["bars"]
    assert newest[0]["open_time"] == f"{at(31):%Y-%m-%dT%H:%M:%SZ}"


async def test_a_service_that_ends_answers_what_it_has_begun_and_says_that_the_feed_shall_connect_again(
    served: Served,
) -> None:
    await prepared(served.client, history=3)

    async with feeding(served.address) as feed:
        await feed.asked(messages([3])[0])
        await feed.send(*messages([4, 5]))
        served.end()
        code = await feed.close_code()
    stored = (await served.client.get("/v1/bars", params={"instrument": SYMBOL})).json()["bars"]

    assert code == 1012
    assert len(stored) in (4, 5, 6), "what was not read by then is not acknowledged"
    assert not served.state.tasks


async def test_a_stream_without_messages_is_closed_as_idle(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.bar_stream.stream.IDLE_SECONDS_MAX", 0.05)

    async with feeding(served.address) as feed:
        assert feed.opened["idle_seconds"] == 0.05
        assert await feed.close_code() == 4408


async def test_a_message_of_too_many_bytes_closes_the_stream(served: Served) -> None:
    async with feeding(served.address) as feed:
        await feed.send(b" " * (feed.opened["message_bytes_max"] + 1))

        assert await feed.close_code() == 1009


async def test_streams_have_places_and_those_beyond_them_are_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.bar_stream.routes.STREAMS_MAX", 1)

    async with feeding(served.address):
        with pytest.raises(InvalidStatus) as refused:
            async with feeding(served.address):
                pass
        seen = (await served.client.get("/metrics")).text
        open_now = len(served.places._taken)
    problem = json.loads(refused.value.response.body or b"")

    assert refused.value.response.status_code == 503
    assert refused.value.response.headers["content-type"] == "application/problem+json"
    assert "x-request-id" in refused.value.response.headers
    assert (problem["code"], problem["status"]) == ("too_many_bar_streams", 503)
    assert "lem_bar_streams_open 1.0" in seen
    assert 'lem_bar_streams_refused_total{code="too_many_bar_streams"} 1.0' in seen
    assert open_now == 2, "the stream and the client's own connection"


async def test_a_handshake_that_is_wrong_is_refused_with_a_problem(served: Served) -> None:
    plain = await served.client.get("/v1/bars/stream")
    old = await served.client.get("/v1/bars/stream", headers={"connection": "Upgrade", "upgrade": "websocket"})
    elsewhere = await served.client.get("/healthz", headers={"connection": "Upgrade", "upgrade": "websocket"})
    refusals = []
    for query, headers in (("feed=a", {}), ("partial=perhaps", {}), ("", {"Origin": "https://evil.example"})):
        with pytest.raises(InvalidStatus) as refused:
            async with feeding(served.address, query, additional_headers=headers):
                pass
        answer = refused.value.response
        refusals.append((answer.status_code, json.loads(answer.body or b"")["code"]))

    assert (plain.status_code, plain.json()["code"]) == (426, "upgrade_required")
    assert plain.headers["sec-websocket-version"] == "13"
    assert old.status_code == 426
    assert elsewhere.json() == {"status": "ok"}
    assert refusals == [(422, "unknown_field"), (422, "wrong_type"), (403, "cross_site")]


async def test_no_more_messages_are_at_work_than_the_window_holds_and_the_client_is_not_taken_for_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it answers to a ping lies behind the messages that are not read yet."""
    monkeypatch.setattr("app.api.bar_stream.window.MESSAGES_MAX", 2)
    go_on, late, begun = asyncio.Event(), asyncio.Event(), 0
    patient = StreamConnection.keepalive_timeout

    async def held(*bars: Any, **manner: Any) -> Any:
        nonlocal begun
        begun += 1
        await go_on.wait()
        return await post(*bars, **manner)

    def counted(connection: StreamConnection) -> None:
        patient(connection)
        late.set()

    monkeypatch.setattr(StreamConnection, "keepalive_timeout", counted)
    async with listening(tmp_path, ws_ping_interval=0.01, ws_ping_timeout=0.01) as served:
        for number in range(4):
            await prepared(served.client, history=1, symbol=f"I-{number}")
        post = served.application.state.services.engine.bars.post
        monkeypatch.setattr(served.application.state.services.engine.bars, "post", held)
        async with feeding(served.address, "") as feed:
            await feed.send(*(messages([1], f"I-{number}")[0] for number in range(4)))
            async with asyncio.timeout(SOON_SECONDS):
                await late.wait()
            at_work = begun
            go_on.set()
            answers = [await feed.answer() for _ in range(4)]

    assert at_work == 2
    assert [each["result"]["accepted"] for each in answers] == [1] * 4


async def test_a_client_that_answers_no_ping_is_closed(tmp_path: Path) -> None:
    async with listening(tmp_path, ws_ping_interval=0.01, ws_ping_timeout=0.01) as served:
        host, port = served.address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        lines = ("GET /v1/bars/stream HTTP/1.1", "host: lem", "connection: upgrade", "upgrade: websocket")
        key = "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=="
        writer.write("\r\n".join((*lines, key, "sec-websocket-version: 13", "", "")).encode())

        async with asyncio.timeout(SOON_SECONDS):
            received = await reader.read()
        writer.close()

    assert received.startswith(b"HTTP/1.1 101")
    assert received.endswith((1011).to_bytes(2, "big") + b"keepalive ping timeout")


async def test_a_client_that_reads_no_answers_is_given_up(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.bar_stream.protocol.READER_SECONDS_MAX", 0.01)

    async with feeding(served.address, max_queue=1) as feed:
        [connection] = served.streams
        connection.transport.set_write_buffer_limits(high=1)
        connection.pause_writing()
        assert await feed.close_code() == 1006
    seen = (await served.client.get("/metrics")).text

    assert 'lem_connections_refused_total{reason="unread"} 1.0' in seen
