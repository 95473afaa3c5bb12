"""What the bench sends is valid, and its client reads what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise

import pytest

from app.api.bars import BarIn
from app.api.instruments import InstrumentIn
from app.api.orders.bodies import OrderIn
from app.bench.market import BARS_PER_CALL, STEPS_MAX, Walks, order_call
from app.bench.wire import Call, CallRefused, call_all
from app.domain.order import SCENARIOS


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives these answers in turn, over all its connections, and closes where none is left; its address,
    and the heads of what it was asked."""
    left, asked = list(answers), list[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left:
            try:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
            except asyncio.IncompleteReadError:
                break
            writer.write(left.pop(0))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", asked


def an_answer(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def test_calls_over_one_connection_are_answered_in_their_order() -> None:
    async with answering(*(an_answer(b"%d" % number) for number in range(3))) as (address, asked):
        answers = await asyncio.to_thread(call_all, address, [Call("GET", f"/{number}") for number in range(3)])

    assert [answer.body for answer in answers] == [b"0", b"1", b"2"]
    assert [head.split()[1] for head in asked] == [b"/0", b"/1", b"/2"]
    assert all(answer.seconds > 0 for answer in answers)


async def test_several_connections_share_the_calls() -> None:
    async with answering(*[an_answer(b"here")] * 20) as (address, asked):
        answers = await asyncio.to_thread(call_all, address, [Call("GET", f"/{number}") for number in range(20)], 4)

    assert [answer.body for answer in answers] == [b"here"] * 20
    assert {head.split()[1] for head in asked} == {b"/%d" % number for number in range(20)}


def test_no_calls_are_no_answers() -> None:
    assert call_all("http://127.0.0.1:1", []) == []


async def test_a_problem_is_raised_with_what_it_says() -> None:
    async with answering(an_answer(b'{"code":"order_ended"}', "409 Conflict")) as (address, _):
        with pytest.raises(CallRefused, match=r"POST /v1/orders: 409 .*order_ended"):
            await asyncio.to_thread(call_all, address, [Call("POST", "/v1/orders", b"{}")])


async def test_an_answer_that_breaks_off_is_an_error() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") as (address, _):
        with pytest.raises(CallRefused, match="GET /: no answer"):
            await asyncio.to_thread(call_all, address, [Call("GET", "/")])


def test_the_bars_are_what_the_service_takes_and_follow_each_other() -> None:
    walks = Walks(bar_seconds=900, bars=30)

    [registered] = walks.register(["A"])
    [call] = walks.post(["A", "B"], 0, 30)

    InstrumentIn.model_validate_json(registered.body)
    sent = [BarIn.model_validate(item) for item in json.loads(call.body)["bars"]]
    assert [bar.instrument for bar in sent] == ["A", "B"] * 30
    assert {later.open_time - bar.open_time for bar, later in pairwise(sent[::2])} == {timedelta(seconds=900)}
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in sent)
    assert all(bar.notional and bar.low * bar.volume < bar.notional < bar.high * bar.volume for bar in sent)


def test_many_bars_are_sent_in_several_requests() -> None:
    calls = Walks(bar_seconds=60, bars=BARS_PER_CALL + 1).post(["A"], 0, BARS_PER_CALL + 1)

    assert [len(json.loads(call.body)["bars"]) for call in calls] == [BARS_PER_CALL, 1]


def test_the_orders_are_of_all_scenarios_in_turn() -> None:
    calls = [order_call("A", number, name="bench", steps=STEPS_MAX) for number in range(len(SCENARIOS))]

    orders = [OrderIn.model_validate_json(call.body).to_domain() for call in calls]
    assert {(order.side, order.benchmark, order.size_mode) for order in orders} == {
        (each.side, each.benchmark, each.size_mode) for each in SCENARIOS
    }
    assert len({order.order_id for order in orders}) == len(SCENARIOS)
