"""The audit log: every write by whom, when and with which outcome, as a JSON line; reads are no part of it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.api.audit import Audited, audited
from app.api.services import Services
from app.logs.audit_file import AuditFile
from app.main import CannotStart, create_app
from app.settings import ClockKind, Settings
from tests.api.conftest import serving
from tests.api.test_operations import scraped
from tests.api.wire import HISTORY, bars_json, instrument_json, order_json, prepared, sent
from tests.builders import at, bars

Json = dict[str, Any]


def text_of(file: Path) -> str:
    return file.read_text()


def lines_of(file: Path) -> list[Json]:
    return [json.loads(line) for line in text_of(file).splitlines()]


def moved_away(file: Path) -> Path:
    return file.rename(file.with_suffix(".1"))


@contextmanager
def in_the_way_of(file: Path) -> Iterator[None]:
    """A folder stands where the file is to be."""
    file.unlink()
    file.mkdir()
    yield
    file.rmdir()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
async def client(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv("LEM_AUDIT_FILE", str(file))
    async with serving(tmp_path / "data") as client:
        yield client


async def test_every_write_is_a_line_with_who_when_what_and_its_outcome(client: httpx.AsyncClient, file: Path) -> None:
    before = datetime.now(UTC)
    await prepared(client)
    order = await sent(client, client_order_id="oms-7")
    await client.post(f"/v1/orders/{order['order_id']}/cancel", headers={"X-Request-ID": "the-cancel"})

    put, posted, ordered, cancelled = lines_of(file)

    assert (put["method"], put["path"], put["status"]) == ("PUT", "/v1/instruments/BTC-USDT", 201)
    assert (posted["path"], posted["status"]) == ("/v1/bars", 200)
    assert before <= datetime.fromisoformat(ordered.pop("at")) <= datetime.now(UTC)
    assert len(ordered.pop("request_id")) == 32
    assert ordered == {
        "by": "loopback",
        "client": "127.0.0.1",
        "method": "POST",
        "path": "/v1/orders",
        "order_id": order["order_id"],
        "client_order_id": "oms-7",
        "status": 201,
    }
    assert (cancelled["order_id"], cancelled["client_order_id"]) == (order["order_id"], "oms-7")
    assert cancelled["request_id"] == "the-cancel"


async def test_a_fill_and_a_closed_slice_name_their_order(client: httpx.AsyncClient, file: Path) -> None:
    await prepared(client)
    order = await sent(client, fills="reported")
    fill = {"execution_id": "exec-7", "slice_id": f"{order['order_id']}-1", "quantity": "0.01", "price": "100"}
    fill |= {"executed_at": at(HISTORY).isoformat()}
    assert (await client.post(f"/v1/orders/{order['order_id']}/fills", json=fill)).status_code == 201
    await client.post(f"/v1/orders/{order['order_id']}/slices/1/close")

    filled, closed = lines_of(file)[-2:]

    assert (filled["execution_id"], filled["client_order_id"], filled["status"]) == ("exec-7", "oms-1", 201)
    assert (closed["path"], closed["order_id"]) == (f"/v1/orders/{order['order_id']}/slices/1/close", order["order_id"])


async def test_what_is_refused_is_recorded_with_its_code(client: httpx.AsyncClient, file: Path) -> None:
    await client.post("/v1/orders", json=order_json())
    await client.post("/v1/orders", json={})
    await client.post("/v1/elsewhere")

    refused, wrong, unknown = lines_of(file)

    assert (refused["status"], refused["code"], refused["client_order_id"]) == (404, "unknown_instrument", "oms-1")
    assert (wrong["status"], wrong["code"]) == (422, "field_missing")
    assert (unknown["status"], unknown["code"]) == (404, "unknown_path")


async def test_reads_and_quotes_are_no_part_of_it(client: httpx.AsyncClient, file: Path) -> None:
    for path in ("/v1/orders", "/v1/orders/unknown/slices/next", "/metrics", "/readyz"):
        await client.get(path)
    await client.head("/healthz")
    await client.post("/v1/quotes", json={})

    assert lines_of(file) == []


async def test_no_line_quotes_a_body_a_query_or_a_header(client: httpx.AsyncClient, file: Path) -> None:
    secret = "s3cret-of-the-desk"
    await client.post(
        f"/v1/orders?token={secret}",
        json=order_json(instrument=secret, unknown=secret),
        headers={"Authorization": f"Bearer {secret}"},
    )

    assert lines_of(file)[0]["status"] == 422
    assert secret not in text_of(file)


async def test_a_file_that_is_moved_away_is_followed_by_a_new_one(client: httpx.AsyncClient, file: Path) -> None:
    await client.put("/v1/instruments/ONE", json=instrument_json())
    moved = moved_away(file)
    await client.put("/v1/instruments/TWO", json=instrument_json())
    await client.put("/v1/instruments/THREE", json=instrument_json())

    assert [line["path"][-3:] for line in lines_of(moved)] == ["ONE"]
    assert [line["path"][-3:] for line in lines_of(file)] == ["TWO", "REE"]


async def test_a_file_that_cannot_be_written_is_counted_and_stops_no_order(
    client: httpx.AsyncClient, file: Path
) -> None:
    await prepared(client)

    with in_the_way_of(file):
        await sent(client)
        while_harmed = (await scraped(client))["lem_audit_failed_total",]
    await client.post("/v1/bars", json=bars_json(bars(3)))

    assert while_harmed == 1
    assert [line["path"] for line in lines_of(file)] == ["/v1/bars"]


async def test_a_restart_appends_to_what_is_there(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEM_AUDIT_FILE", str(file))
    for symbol in ("ONE", "TWO"):
        async with serving(tmp_path / "data") as client:
            await client.put(f"/v1/instruments/{symbol}", json=instrument_json())

    assert [line["path"][-3:] for line in lines_of(file)] == ["ONE", "TWO"]


async def test_without_a_file_the_line_is_one_of_the_log_at_info(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "app.api.audit")
    async with serving(tmp_path) as client:
        await client.put("/v1/instruments/ONE", json=instrument_json())
        caplog.set_level(logging.WARNING, "app.api.audit")
        await client.put("/v1/instruments/TWO", json=instrument_json())

    told = [record for record in caplog.records if record.name == "app.api.audit"]
    assert [(record.message, record.__dict__["path"]) for record in told] == [("write", "/v1/instruments/ONE")]


async def test_a_service_whose_file_cannot_be_opened_does_not_start(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "audit.jsonl"
    application = create_app(Settings(data_dir=tmp_path, clock=ClockKind.BARS, audit_file=missing))

    with pytest.raises(CannotStart, match=r"LEM_AUDIT_FILE: .* cannot be written: No such file"):
        async with application.router.lifespan_context(application):
            pass


def test_half_a_line_that_a_full_disk_has_taken_spoils_no_other_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[int] = []
    trail = AuditFile(file, lambda: failures.append(1))
    write = os.write

    with trail.opened():
        trail.write({"number": 1})
        with monkeypatch.context() as patch:
            patch.setattr("os.write", lambda descriptor, line: write(descriptor, line[:4]))
            trail.write({"number": 2})
        trail.write({"number": 3})

    assert file.read_text().splitlines() == ['{"number":1}', '{"nu', '{"number":3}']
    assert failures == [1]
    assert file.stat().st_mode & 0o777 == 0o600  # it names orders and accounts


def test_processes_share_the_file_also_when_it_is_moved_away(file: Path) -> None:
    one, other = (AuditFile(file, lambda: None) for _ in range(2))

    with one.opened(), other.opened():
        for number in range(4):
            if number == 2:
                moved = moved_away(file)
            one.write({"one": number})
            other.write({"other": number})

    assert lines_of(moved) == [{"one": 0}, {"other": 0}, {"one": 1}, {"other": 1}]
    assert lines_of(file) == [{"one": 2}, {"other": 2}, {"one": 3}, {"other": 3}]


class Kept:
    """A trail in memory."""

    enabled = True

    def __init__(self) -> None:
        self.records: list[Json] = []

    def write(self, record: Any) -> None:
        self.records.append(record)


@asynccontextmanager
async def recorded(kept: Kept, route: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a bare route behind the middleware."""

    class State:
        services = Services(None, None, None, None, kept, None, None, None, None)  # type: ignore[arg-type]

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await Audited(route)(scope | {"app": type("App", (), {"state": State})}, receive, send)

    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://lem") as client:
        yield client


async def test_a_call_that_fails_inside_of_the_service_is_recorded_once() -> None:
    async def fails(*_: Any) -> None:
        audited(order_id="o-1")
        raise RuntimeError

    kept = Kept()
    async with recorded(kept, fails) as client:
        await client.post("/v1/orders")

    [line] = kept.records
    assert (line["status"], line["code"], line["order_id"]) == (500, "internal_error", "o-1")


async def test_the_key_and_the_account_of_the_caller_are_told() -> None:
    class Caller:
        prefix, account = "lem_ab12", "fund-1"

    async def permitted(scope: Any, _: Any, send: Any) -> None:
        scope["lem.caller"] = Caller
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    kept = Kept()
    async with recorded(kept, permitted) as client:
        await client.post("/v1/orders")

    [line] = kept.records
    assert (line["by"], line["account"]) == ("lem_ab12", "fund-1")


def test_outside_of_a_call_there_is_nothing_to_tell() -> None:
    audited(order_id="o-1")


async def test_a_websocket_is_a_line_when_it_is_opened_or_refused() -> None:
    kept = Kept()

    class State:
        services = Services(None, None, None, None, kept, None, None, None, None)  # type: ignore[arg-type]

    async def answered(*messages: Json) -> None:
        async def route(_: Any, __: Any, send: Any) -> None:
            for message in messages:
                await send(message)

        async def taken(_: Any) -> None:
            """The server's end of it."""

        scope = {"type": "websocket", "path": "/v1/bars/stream", "app": type("App", (), {"state": State})}
        await Audited(route)(scope, taken, taken)  # type: ignore[arg-type]

    await answered({"type": "websocket.accept"}, {"type": "websocket.close", "code": 1000})
    await answered({"type": "websocket.close", "code": 1008})

    told = [(line["method"], line["path"], line["status"]) for line in kept.records]
    assert told == [("WEBSOCKET", "/v1/bars/stream", 101), ("WEBSOCKET", "/v1/bars/stream", 403)]
