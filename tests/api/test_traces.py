"""OpenTelemetry traces: a request and the parts of its work, sent to a collector where the environment names one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from app import tracing
from app.tracing import Traces, asked_for
from tests.api.conftest import serving
from tests.api.wire import HISTORY, bars_json, prepared, sent
from tests.builders import a_bar
from tests.docs.blocks import ROOT

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `otel` is not installed")

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@dataclass(frozen=True, slots=True)
class Told:
    """A span as the collector was told of it."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]


class Collector:
    """Takes spans over OTLP on the loopback."""

    def __init__(self) -> None:
        self.spans: list[Told] = []
        self.resource: dict[str, Any] = {}
        self.text = ""

    def take(self, body: bytes) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.text += str(resource)
            self.resource = _plain(resource.resource.attributes)
            for span in (span for scope in resource.scope_spans for span in scope.spans):
                ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
                self.spans.append(Told(span.name, *ids, _plain(span.attributes)))

    def of_trace(self, trace_id: str) -> dict[str, str]:
        """Each span's name and the name of its parent, empty for one from elsewhere."""
        spans = [span for span in self.spans if span.trace_id == trace_id]
        names = {span.span_id: span.name for span in spans}
        return {span.name: names.get(span.parent_id, "") for span in spans}

    def named(self, name: str) -> list[Told]:
        return [span for span in self.spans if span.name == name]


def _plain(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    """A collector and its address."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield collector, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as (collector, address):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        yield collector


async def test_a_bar_is_one_trace_from_the_request_to_the_commit(collector: Collector, tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await prepared(client)
        for number in range(3):
            await sent(client, client_order_id=f"oms-{number}")
        await client.post("/v1/bars", json=bars_json([a_bar(HISTORY)]), headers=PARENT)

    assert collector.of_trace(TRACE) == {
        "POST /v1/bars": "",
        "append": "POST /v1/bars",
        "advance": "POST /v1/bars",
        "context": "advance",
        "decide": "advance",
        "commit": "advance",
    }
    [commit] = [span for span in collector.named("commit") if span.trace_id == TRACE]
    assert commit.attributes == {"lem.orders": 3}, "one span for all orders"


async def test_an_order_is_a_trace_with_its_first_decision_and_its_commit(collector: Collector, tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await prepared(client)
        await client.post("/v1/orders", json={}, headers=PARENT)
        await sent(client)

    refused, accepted = collector.named("POST /v1/orders")
    assert set(collector.of_trace(accepted.trace_id)) == {"POST /v1/orders", "context", "decide", "commit"}
    assert (refused.trace_id, refused.attributes["http.response.status_code"]) == (TRACE, 422)


async def test_a_span_of_a_request_tells_route_status_and_request_and_nothing_of_what_was_sent(
    collector: Collector, tmp_path: Path
) -> None:
    async with serving(tmp_path) as client:
        await client.get("/v1/orders/some-id?token=secret", headers={"X-Request-ID": "oms-7"})
        for path in ("/metrics", "/healthz", "/readyz"):
            await client.get(path)

    [span] = collector.spans
    assert span.name == "GET /v1/orders/{order_id}"
    assert span.attributes == {
        "http.request.method": "GET",
        "http.route": "/v1/orders/{order_id}",
        "http.response.status_code": 404,
        "url.path": "/v1/orders/some-id",
        "lem.request_id": "oms-7",
    }


async def test_a_part_that_fails_tells_the_kind_of_error_and_not_what_the_error_says(collector: Collector) -> None:
    traces = Traces()

    async with traces.opened():
        with pytest.raises(ValueError, match="quantity"), traces.part("commit", orders=2):
            raise ValueError("the quantity 1234.5 is odd")

    [span] = collector.spans
    assert span.attributes == {"lem.orders": 2, "error.type": "ValueError"}
    assert "1234.5" not in collector.text


async def test_the_audit_log_tells_the_trace_that_was_begun_for_a_request(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "audit.jsonl"
    monkeypatch.setenv("LEM_AUDIT_FILE", str(file))
    async with serving(tmp_path / "data") as client:
        await prepared(client, history=3)

    told = [json.loads(line)["trace_id"] for line in _lines_of(file)]
    assert told == [span.trace_id for span in collector.spans if not span.parent_id]


def _lines_of(file: Path) -> list[str]:
    return file.read_text().splitlines()


async def test_the_service_has_a_name_unless_it_is_given_another(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as client:
        await client.get("/v1/orders")
    own = collector.resource["service.name"]
    monkeypatch.setenv("OTEL_SERVICE_NAME", "desk")
    async with serving(tmp_path) as client:
        await client.get("/v1/orders")

    assert (own, collector.resource["service.name"]) == ("lem", "desk")


async def test_a_collector_that_is_away_stops_nothing_and_delays_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(tracing, "FLUSH_SECONDS_MAX", 0.05)

    async with serving(tmp_path) as client:
        await prepared(client, history=3)
        ending = monotonic()

    assert monotonic() - ending < 5  # its own patience is half a minute


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "desk"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
    ],
)
def test_traces_are_asked_for_by_the_standard_variables(environment: dict[str, str], asked: bool) -> None:
    assert asked_for(environment) is asked


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_TRACES_EXPORTER"])
async def test_what_cannot_be_spoken_is_told_and_traces_are_left_out(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(name, "grpc")
    traces = Traces()

    async with traces.opened():
        with traces.part("decide"), traces.request("GET", "/", {}) as span:
            trace_id = span.trace_id

    assert trace_id is None
    assert "no traces: the exporter must be otlp and its protocol http/protobuf" in caplog.text


async def test_without_the_extra_the_service_goes_on_without_traces(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    async with Traces().opened():
        pass

    assert "install the otel extra" in caplog.text


@pytest.mark.spawns
def test_a_service_that_is_asked_for_no_traces_imports_nothing_for_them() -> None:
    """redis-py imports the SDK's metrics wherever they are installed; that is no doing of ours."""
    probe = (
        "import sys; from app.main import create_app; from app.settings import Settings; create_app(Settings());"
        "print({'opentelemetry.sdk.trace', 'opentelemetry.exporter', 'requests'} & set(sys.modules))"
    )

    printed = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "set()"
