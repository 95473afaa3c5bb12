"""Liveness, readiness, the model's card, and what Prometheus sees."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.metrics import ServiceMetrics
from tests.api.wire import HISTORY, bars_json, prepared, sent
from tests.builders import a_bar

NAMES = {
    "lem_bars_ingested": ("counter", {"instrument"}),
    "lem_gaps_filled": ("counter", {"instrument"}),
    "lem_decisions": ("counter", {"basis"}),
    "lem_fallbacks": ("counter", {"reason"}),
    "lem_decision_seconds": ("histogram", set()),
    "lem_commits": ("counter", set()),
    "lem_commit_seconds": ("histogram", set()),
    "lem_orders": ("counter", {"status"}),
    "lem_slices_late": ("counter", set()),
    "lem_http_requests": ("counter", {"method", "route", "status"}),
    "lem_http_request_seconds": ("histogram", {"method", "route"}),
    "lem_store_up": ("gauge", set()),
    "lem_store_unreadable": ("counter", {"kind"}),
    "lem_instruments_failed": ("gauge", set()),
    "lem_bundle_info": ("gauge", {"digest"}),
}


def test_metrics_have_these_names_types_and_labels() -> None:
    """Dashboards and alerts depend on them."""
    metrics = ServiceMetrics()

    described = {metric.name: metric.type for metric in metrics.registry.collect() if metric.name.startswith("lem_")}
    labels = {
        collector._name: set(collector._labelnames)
        for collector in vars(metrics).values()
        if hasattr(collector, "_labelnames")
    }

    assert {name: (kind, labels[name]) for name, kind in described.items()} == NAMES


async def scraped(client: httpx.AsyncClient) -> dict[tuple[str, ...], float]:
    """Samples by name and label values."""
    text = (await client.get("/metrics")).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_the_process_is_alive_and_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).json() == {"ready": True, "reasons": []}


async def test_bars_orders_and_decisions_are_counted(client: httpx.AsyncClient) -> None:
    await prepared(client, history=HISTORY)
    await sent(client, horizon={"min_steps": 6, "max_steps": 12})
    await client.post("/v1/bars", json=bars_json([a_bar(HISTORY + 1)]))

    seen = await scraped(client)

    assert seen["lem_bars_ingested_total", "BTC-USDT"] == HISTORY + 1
    assert seen["lem_gaps_filled_total", "BTC-USDT"] == 1
    assert seen["lem_orders_total", "working"] == 1
    assert sum(value for name, value in seen.items() if name[0] == "lem_decisions_total") == 3
    assert seen["lem_decision_seconds_count",] == 3
    assert seen["lem_commits_total",] == seen["lem_commit_seconds_count",] == 2


async def test_bars_of_one_request_are_counted_by_instrument(client: httpx.AsyncClient) -> None:
    await prepared(client, history=3, symbol="ONE")
    await prepared(client, history=3, symbol="OTHER")
    both = bars_json([a_bar(3), a_bar(6)], "ONE")["bars"] + bars_json([a_bar(3)], "OTHER")["bars"]

    await client.post("/v1/bars", json={"bars": both})
    await client.post("/v1/bars", json={"bars": both})

    seen = await scraped(client)
    assert (seen["lem_bars_ingested_total", "ONE"], seen["lem_bars_ingested_total", "OTHER"]) == (5, 4)
    assert seen["lem_gaps_filled_total", "ONE"] == 2


async def test_requests_are_counted_by_route_and_never_by_path(client: httpx.AsyncClient) -> None:
    await client.get("/v1/orders/some-id")
    await client.get("/v1/orders/another-id")
    await client.get("/somewhere/else")
    await client.request("BREW", "/v1/orders")

    seen = {name[1:]: value for name, value in (await scraped(client)).items() if name[0] == "lem_http_requests_total"}

    assert seen["GET", "/v1/orders/{order_id}", "404"] == 2
    assert seen["GET", "unmatched", "404"] == 1
    assert not any("some-id" in label for labels in seen for label in labels)
    assert sum(value for labels, value in seen.items() if labels[0] == "OTHER") == 1


async def test_the_store_and_the_bundle_are_shown(client: httpx.AsyncClient) -> None:
    await client.get("/readyz")
    model = (await client.get("/v1/models")).json()["models"][0]

    seen = await scraped(client)

    assert seen["lem_store_up",] == 1
    assert seen["lem_bundle_info", model["name"]] == 1


async def test_slices_record_the_model_that_is_listed(client: httpx.AsyncClient) -> None:
    await prepared(client)
    order = await sent(client)
    piece = (await client.get(f"/v1/orders/{order['order_id']}/slices/next")).json()["slice"]

    model = (await client.get("/v1/models")).json()["models"][0]

    assert piece["model"] == model["name"]
    assert model["active"]
    assert model["card"]["max_steps"] >= 12
    assert "golden" not in model["card"]
