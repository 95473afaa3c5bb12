"""The Prometheus metrics, all named `lem_*`. A test pins their names, types and labels: dashboards depend on them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from app.domain.lifecycle import Status
from app.domain.slice import Basis

BATCH_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
HTTP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 31.0)
"""Seconds; the last holds the longest wait that `slices/next` allows."""


class ServiceMetrics:
    """Has a registry of its own, so that several services can live in one process, as in tests. Implements
    `engine.ports.Metrics` and `api.middleware.HttpMetrics`."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry(auto_describe=True)
        self._bars = Counter("lem_bars_ingested", "Bars accepted from the feed", ["instrument"], registry=registry)
        self._gaps = Counter(
            "lem_gaps_filled", "Marked bars that stand for missing ones", ["instrument"], registry=registry
        )
        self._decisions = Counter("lem_decisions", "Slices decided", ["basis"], registry=registry)
        self._fallbacks = Counter("lem_fallbacks", "Slices not decided by the model", ["reason"], registry=registry)
        self._decision_seconds = Histogram(
            "lem_decision_seconds", "One batch of decisions", buckets=BATCH_BUCKETS, registry=registry
        )
        self._committed = Counter("lem_commits", "Changes of orders recorded in the store", registry=registry)
        self._commit_seconds = Histogram(
            "lem_commit_seconds", "One batch of commits", buckets=BATCH_BUCKETS, registry=registry
        )
        self._orders = Counter("lem_orders", "Orders that reached a status", ["status"], registry=registry)
        self._late = Counter("lem_slices_late", "Slices given after their window had opened", registry=registry)
        self._requests = Counter("lem_http_requests", "Requests", ["method", "route", "status"], registry=registry)
        self._request_seconds = Histogram(
            "lem_http_request_seconds", "Requests' time", ["method", "route"], buckets=HTTP_BUCKETS, registry=registry
        )
        self._store_up = Gauge("lem_store_up", "1 while the store answers", registry=registry)
        self._unreadable = Counter(
            "lem_store_unreadable", "Keys in the store that are not understood", ["kind"], registry=registry
        )
        self._failing = Gauge("lem_instruments_failed", "Instruments that cannot be opened now", registry=registry)
        self._bundle = Gauge("lem_bundle_info", "1 for the bundle that decides", ["digest"], registry=registry)
        ProcessCollector(registry=registry)

    def bar_ingested(self, instrument: str, count: int) -> None:
        self._bars.labels(instrument).inc(count)

    def gap_filled(self, instrument: str, count: int) -> None:
        self._gaps.labels(instrument).inc(count)

    def decided(self, basis: Basis, count: int, seconds: float) -> None:
        """`seconds` is the time of the whole batch."""
        self._decisions.labels(basis).inc(count)
        self._decision_seconds.observe(seconds)

    def committed(self, count: int, seconds: float) -> None:
        self._committed.inc(count)
        self._commit_seconds.observe(seconds)

    def fell_back(self, reason: str, count: int) -> None:
        """Only the word before a colon becomes a label: the rest may be anything."""
        self._fallbacks.labels(reason.partition(":")[0]).inc(count)

    def order_changed(self, status: Status) -> None:
        self._orders.labels(status).inc()

    def slice_late(self, count: int) -> None:
        self._late.inc(count)

    def http_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(method, route).observe(seconds)

    def store_up(self, up: bool) -> None:
        self._store_up.set(up)

    def unreadable(self, kind: str) -> None:
        """`kind` is `order` or `instrument`."""
        self._unreadable.labels(kind).inc()

    def instruments_failed(self, count: int) -> None:
        self._failing.set(count)

    def bundle_active(self, digest: str) -> None:
        self._bundle.clear()
        self._bundle.labels(digest).set(1)

    def page(self) -> bytes:
        """What Prometheus reads, in Prometheus' text format."""
        return generate_latest(self.registry)
