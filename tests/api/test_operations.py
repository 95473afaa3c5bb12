"""Liveness, readiness, the model's card, and what Prometheus sees."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.engine.feeds import Feed
from app.metrics import ServiceMetrics
from tests.api.conftest import serving
from tests.api.wire import HISTORY, bars_json, prepared, sent
from tests.builders import a_bar, at

NAMES = {
    "lem_bars_ingested": ("counter", {"instrument"}),
    "lem_gaps_filled": ("counter", {"instrument"}),
    "lem_bars_revised": ("counter", {"instrument"}),
    "lem_bars_late": ("counter", {"instrument"}),
    "lem_bars_odd": ("counter", {"instrument", "kind"}),
    "lem_bars_refused": ("counter", {"code"}),
    "lem_feed_lateness_seconds": ("gauge", {"instrument"}),
    "lem_orders_set_aside": ("gauge", set()),
    "lem_orders_behind": ("gauge", set()),
    "lem_decisions": ("counter", {"basis"}),
    "lem_fallbacks": ("counter", {"reason"}),
    "lem_decision_seconds": ("histogram", set()),
    "lem_commits": ("counter", set()),
    "lem_commit_seconds": ("histogram", set()),
    "lem_orders": ("counter", {"status"}),
    "lem_fill_warnings": ("counter", {"warning"}),
    "lem_live_orders": ("gauge", {"status"}),
    "lem_current_slices": ("gauge", {"basis"}),
    "lem_bar_age_seconds": ("gauge", {"instrument"}),
    "lem_feed_overdue_seconds": ("gauge", {"instrument"}),
    "lem_feeds_silent": ("gauge", set()),
    "lem_slices_late": ("counter", set()),
    "lem_http_requests": ("counter", {"method", "route", "status"}),
    "lem_http_request_seconds": ("histogram", {"method", "route"}),
    "lem_long_poll_seconds": ("histogram", set()),
    "lem_long_polls_open": ("gauge", set()),
    "lem_requests_waiting": ("gauge", {"lane"}),
    "lem_requests_refused": ("counter", {"lane"}),
    "lem_access_refused": ("counter", {"code"}),
    "lem_bar_streams_open": ("gauge", set()),
    "lem_bar_streams_refused": ("counter", {"code"}),
    "lem_bar_stream_messages": ("counter", {"code"}),
    "lem_event_streams_open": ("gauge", set()),
    "lem_event_streams_refused": ("counter", set()),
    "lem_events_sent": ("counter", set()),
    "lem_webhook_attempts": ("counter", {"outcome"}),
    "lem_webhooks": ("gauge", {"status"}),
    "lem_connections_open": ("gauge", set()),
    "lem_connections_refused": ("counter", {"reason"}),
    "lem_ready": ("gauge", set()),
    "lem_not_ready": ("gauge", {"reason"}),
    "lem_store_up": ("gauge", set()),
    "lem_store_unreadable": ("counter", {"kind"}),
    "lem_store_lost": ("counter", {"kind"}),
    "lem_instruments_failed": ("gauge", set()),
    "lem_audit_failed": ("counter", set()),
    "lem_bundle_info": ("gauge", {"digest"}),
    "lem_bundles_loaded": ("gauge", set()),
    "lem_shadowed_orders": ("counter", {"result"}),
    "lem_leases_held": ("gauge", set()),
    "lem_processes": ("gauge", set()),
    "lem_instruments_unowned": ("gauge", set()),
    "lem_owner_lag_seconds": ("gauge", set()),
    "lem_owner_changes": ("counter", set()),
    "lem_takeovers": ("counter", set()),
    "lem_notices_missed": ("counter", set()),
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
    return samples((await client.get("/metrics")).text)


def samples(text: str) -> dict[tuple[str, ...], float]:
    """By name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_the_process_is_alive_and_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = (await client.get("/readyz")).json()
    assert ready == {"ready": True, "reasons": [], "feeds_silent": [], "instruments_failed": []}


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


async def test_waiting_for_a_slice_is_measured_apart_from_other_requests_and_shown_while_it_lasts(
    client: httpx.AsyncClient,
) -> None:
    await prepared(client)
    path = f"/v1/orders/{(await sent(client, start_time=at(HISTORY + 10).isoformat()))['order_id']}/slices/next"

    for wait in ("0", "0.0", "0.01", "1e-2"):
        assert (await client.get(path, params={"wait": wait})).status_code == 200
    await client.get(path)

    seen = await scraped(client)
    route = "/v1/orders/{order_id}/slices/next"
    assert seen["lem_http_requests_total", "GET", route, "200"] == 5
    assert seen["lem_http_request_seconds_count", "GET", route] == 3
    assert seen["lem_long_poll_seconds_count",] == 2
    assert seen["lem_long_polls_open",] == 0

    waiting = asyncio.create_task(client.get(path, params={"wait": 30}))
    await asyncio.sleep(0)
    while_it_waits = await scraped(client)
    await client.post(path.replace("slices/next", "cancel"))
    await waiting
    afterwards = await scraped(client)

    assert (while_it_waits["lem_long_polls_open",], afterwards["lem_long_polls_open",]) == (1, 0)


GAUGES = ("lem_live_orders", "lem_current_slices", "lem_bar_age_seconds", "lem_feed_overdue_seconds", "lem_ready")


async def test_what_is_under_way_is_shown_after_a_restart_as_before(tmp_path: Path) -> None:
    async with serving(tmp_path) as client:
        await prepared(client)
        await sent(client)
        await sent(client, client_order_id="waits", start_time=at(HISTORY + 10).isoformat())
        ended = await sent(client, client_order_id="ends")
        await client.post(f"/v1/orders/{ended['order_id']}/cancel")
        before = {name: value for name, value in (await scraped(client)).items() if name[0] in GAUGES}

    async with serving(tmp_path) as client:
        after = {name: value for name, value in (await scraped(client)).items() if name[0] in GAUGES}

    assert after == before
    assert (after["lem_live_orders", "working"], after["lem_live_orders", "accepted"]) == (1, 1)
    assert (after["lem_current_slices", "model"], after["lem_current_slices", "fallback"]) == (1, 0)
    assert after["lem_bar_age_seconds", "BTC-USDT"] == 0
    assert after["lem_ready",] == 1


def test_beyond_a_thousand_instruments_all_others_share_a_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.metrics.INSTRUMENTS_MAX", 2)
    metrics = ServiceMetrics()

    for number in range(5):
        metrics.bar_ingested(f"I-{number}", 1)
    metrics.feeds([Feed(f"I-{number}", 10.0 * number, number, silent=number > 2) for number in range(5)])

    seen = samples(metrics.page().decode())
    assert {name[1] for name in seen if name[0] == "lem_bar_age_seconds"} == {"I-0", "I-1", "other"}
    assert seen["lem_bars_ingested_total", "other"] == 3
    assert (seen["lem_bar_age_seconds", "other"], seen["lem_feed_overdue_seconds", "other"]) == (40, 4)
    assert seen["lem_feeds_silent",] == 2


def test_each_reason_why_the_service_is_not_ready_is_shown_for_as_long_as_it_stands() -> None:
    metrics = ServiceMetrics()

    metrics.ready(("recovering", "store_evicts"))
    before = samples(metrics.page().decode())
    metrics.ready(("store_evicts",))
    after = samples(metrics.page().decode())
    metrics.ready(())
    ready = samples(metrics.page().decode())

    reasons = [{name[1] for name in seen if name[0] == "lem_not_ready"} for seen in (before, after, ready)]
    assert reasons == [{"recovering", "store_evicts"}, {"store_evicts"}, set()]
    assert (before["lem_ready",], after["lem_ready",], ready["lem_ready",]) == (0, 0, 1)


def test_an_instrument_that_is_given_up_is_shown_no_longer() -> None:
    metrics = ServiceMetrics()
    one, other = (Feed(symbol, 1.0, 0.0, silent=False) for symbol in ("ONE", "OTHER"))

    metrics.feeds([one, other])
    metrics.feeds([other])

    names = [name for name in samples(metrics.page().decode()) if name[0].startswith(("lem_bar_age", "lem_feed_over"))]
    assert sorted(names) == [("lem_bar_age_seconds", "OTHER"), ("lem_feed_overdue_seconds", "OTHER")]


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
