"""The Prometheus metrics, all named `lem_*`. A test pins their names, types and labels: dashboards depend on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from app.domain.fills import FillWarning
from app.domain.lifecycle import Status
from app.domain.slice import Basis
from app.engine.feed_quality import BarCount
from app.engine.feeds import Feed

BATCH_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
HTTP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
LONG_POLL_BUCKETS = (0.01, 0.1, 1.0, 5.0, 10.0, 20.0, 31.0)
"""Seconds; the last holds the longest wait that `slices/next` allows."""
INSTRUMENTS_MAX = 1_000
ODD_KINDS = frozenset({BarCount.DUPLICATES, BarCount.OLDER, BarCount.OUT_OF_ORDER, BarCount.IMPLAUSIBLE_MOVES})
"""What is counted of bars and has no metric of its own."""
OTHER = "other"
"""The label of all instruments beyond the first `INSTRUMENTS_MAX`: Prometheus keeps a series for each label."""


class _ByLabel(dict[str, Counter]):
    """The series of a counter by its one label. To look a series up in the counter takes longer than to count."""

    def __init__(self, counter: Counter) -> None:
        super().__init__()
        self._counter = counter

    def __missing__(self, label: str) -> Counter:
        self[label] = series = self._counter.labels(label)
        return series


class ServiceMetrics:
    """Implements `engine.ports.Metrics` and `api.middleware.HttpMetrics`. Has a registry of its own, so that several
    services can live in one process, as in tests."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._of_feeds_and_orders()
        self._of_requests()
        self._of_processes_and_stores()
        self._decisions_of, self._orders_of = _ByLabel(self._decisions), _ByLabel(self._orders)
        self._http: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._named: set[str] = set()
        self._shown: set[str] = set()
        ProcessCollector(registry=self.registry)

    def _of_feeds_and_orders(self) -> None:
        count, gauge, time = self._counter, self._gauge, self._histogram
        self._bars = count("lem_bars_ingested", "Bars accepted from the feed", "instrument")
        self._gaps = count("lem_gaps_filled", "Marked bars that stand for missing ones", "instrument")
        self._revised = count("lem_bars_revised", "Bars that came again with other values", "instrument")
        self._bars_late = count("lem_bars_late", "Bars that came later than the grace", "instrument")
        self._bars_odd = count("lem_bars_odd", "Bars that were not simply the next one", "instrument", "kind")
        self._bars_refused = count("lem_bars_refused", "Bars of known instruments that were refused", "code")
        self._lateness = gauge(
            "lem_feed_lateness_seconds", "Time from the newest bar's close to its coming", "instrument"
        )
        self._bar_age = gauge("lem_bar_age_seconds", "Since the newest bar closed", "instrument")
        self._overdue = gauge("lem_feed_overdue_seconds", "Since the next bar should have closed", "instrument")
        self._silent = gauge("lem_feeds_silent", "Instruments whose orders await a silent feed")
        self._failed = gauge("lem_instruments_failed", "Instruments that cannot be opened now")
        self._decisions = count("lem_decisions", "Slices decided", "basis")
        self._fallbacks = count("lem_fallbacks", "Slices not decided by the model", "reason")
        self._decision_seconds = time("lem_decision_seconds", "One batch of decisions", BATCH_BUCKETS)
        self._committed = count("lem_commits", "Changes of orders recorded in the store")
        self._commit_seconds = time("lem_commit_seconds", "One batch of commits", BATCH_BUCKETS)
        self._orders = count("lem_orders", "Orders that reached a status", "status")
        self._live_orders = gauge("lem_live_orders", "Orders that may still trade", "status")
        self._set_aside = gauge("lem_orders_set_aside", "Orders that cannot be moved and are left out")
        self._behind = gauge("lem_orders_behind", "Orders that cannot be done in time within their limits")
        self._slices = gauge("lem_current_slices", "Slices that run or come next", "basis")
        self._slices_late = count("lem_slices_late", "Slices given after their window had opened")
        self._fill_warnings = count("lem_fill_warnings", "Odd fills", "warning")

    def _of_requests(self) -> None:
        count, gauge, time = self._counter, self._gauge, self._histogram
        self._requests = count("lem_http_requests", "Requests", "method", "route", "status")
        self._request_seconds = time("lem_http_request_seconds", "Time of requests", HTTP_BUCKETS, "method", "route")
        self._long_poll_seconds = time(
            "lem_long_poll_seconds", "Time of requests that wait for a slice", LONG_POLL_BUCKETS
        )
        self._long_polls = gauge("lem_long_polls_open", "Requests that wait for a slice")
        self._waiting = gauge("lem_requests_waiting", "Requests that wait for their turn", "lane")
        self._refused = count("lem_requests_refused", "Requests answered 429 or 503", "lane")
        self._access_refused = count("lem_access_refused", "Calls refused before they reached their route", "code")
        self._streams = gauge("lem_bar_streams_open", "Streams of bars that are open")
        self._streams_refused = count("lem_bar_streams_refused", "Streams of bars that were refused", "code")
        self._stream_messages = count("lem_bar_stream_messages", "Messages of streams that were answered", "code")
        self._event_streams = gauge("lem_event_streams_open", "Streams of events that are open")
        self._event_streams_refused = count("lem_event_streams_refused", "Streams of events that were refused")
        self._events_sent = count("lem_events_sent", "Events sent on streams")
        self._webhook_attempts = count("lem_webhook_attempts", "Attempts to deliver events to webhooks", "outcome")
        self._webhooks = gauge("lem_webhooks", "Webhooks that this process delivers to", "status")
        self._connections = gauge("lem_connections_open", "Connections of clients")
        self._connections_refused = count("lem_connections_refused", "Connections that were closed", "reason")

    def _of_processes_and_stores(self) -> None:
        count, gauge = self._counter, self._gauge
        self._ready = gauge("lem_ready", "1 while the service is ready")
        self._not_ready = gauge("lem_not_ready", "1 for each reason why the service is not ready", "reason")
        self._store_up = gauge("lem_store_up", "1 while the store answers")
        self._leases = gauge("lem_leases_held", "Instruments that this process owns")
        self._processes = gauge("lem_processes", "Processes that share the store and live")
        self._unowned = gauge("lem_instruments_unowned", "Instruments whose owner does not live")
        self._owner_lag = gauge(
            "lem_owner_lag_seconds", "Since the oldest bar of others came that awaits decisions here"
        )
        self._owner_changes = count("lem_owner_changes", "Leases that came to this process or left it")
        self._takeovers = count("lem_takeovers", "Leases taken over from processes that are dead")
        self._missed = count("lem_notices_missed", "Times that notices of other processes may have been missed")
        self._unreadable = count("lem_store_unreadable", "Keys in the store that are not understood", "kind")
        self._lost = count("lem_store_lost", "What the store had acknowledged and has lost", "kind")
        self._audit_failed = count("lem_audit_failed", "Audit records that could not be written")
        self._bundle = gauge("lem_bundle_info", "1 for the bundle that decides new orders", "digest")
        self._shadowed = count("lem_shadowed_orders", "Orders that a shadow was to decide too", "result")
        self._bundles_loaded = gauge("lem_bundles_loaded", "Bundles in memory: the active one, and those in use")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

    def bar_ingested(self, instrument: str, count: int) -> None:
        self._bars.labels(self._label(instrument)).inc(count)

    def gap_filled(self, instrument: str, count: int) -> None:
        self._gaps.labels(self._label(instrument)).inc(count)

    def bar_revised(self, instrument: str, count: int) -> None:
        self._revised.labels(self._label(instrument)).inc(count)

    def bar_came(self, instrument: str, late_seconds: float) -> None:
        self._lateness.labels(self._label(instrument)).set(late_seconds)

    def bar_late(self, instrument: str) -> None:
        self._bars_late.labels(self._label(instrument)).inc()

    def bar_counted(self, instrument: str, kind: str, count: int) -> None:
        """Kinds that have a counter of their own are counted there, as this process knows of them."""
        if kind in ODD_KINDS:
            self._bars_odd.labels(self._label(instrument), kind).inc(count)

    def bar_refused(self, instrument: str, code: str) -> None:
        self._bars_odd.labels(self._label(instrument), "refused").inc()
        self._bars_refused.labels(code).inc()

    def orders_set_aside(self, count: int) -> None:
        self._set_aside.set(count)

    def decided(self, basis: Basis, count: int, seconds: float) -> None:
        """`seconds` is the time of the whole batch."""
        self._decisions_of[basis].inc(count)
        self._decision_seconds.observe(seconds)

    def committed(self, count: int, seconds: float) -> None:
        self._committed.inc(count)
        self._commit_seconds.observe(seconds)

    def fell_back(self, reason: str, count: int) -> None:
        """Only the word before a colon becomes a label: the rest may be anything."""
        self._fallbacks.labels(reason.partition(":")[0]).inc(count)

    def order_changed(self, status: Status) -> None:
        self._orders_of[status].inc()

    def fill_flagged(self, warning: FillWarning) -> None:
        self._fill_warnings.labels(warning).inc()

    def slice_late(self, count: int) -> None:
        self._slices_late.inc(count)

    def _series_of(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """Of such requests. To look series up by their labels takes longer than to count."""
        known = self._http.get((method, route, status))
        if known is None:
            requests = self._requests.labels(method, route, str(status))
            known = self._http[method, route, status] = requests, self._request_seconds.labels(method, route)
        return known

    def http_answered(self, method: str, route: str, status: int, seconds: float, *, long_poll: bool) -> None:
        requests, times = self._series_of(method, route, status)
        requests.inc()
        (self._long_poll_seconds if long_poll else times).observe(seconds)

    def long_polls_open(self, change: int) -> None:
        self._long_polls.inc(change)

    def requests_waiting(self, lane: str, change: int) -> None:
        self._waiting.labels(lane).inc(change)

    def request_refused(self, lane: str) -> None:
        self._refused.labels(lane).inc()

    def access_refused(self, code: str) -> None:
        self._access_refused.labels(code).inc()

    def bar_streams_open(self, count: int) -> None:
        self._streams.set(count)

    def bar_stream_refused(self, code: str) -> None:
        self._streams_refused.labels(code).inc()

    def bar_message_answered(self, code: str) -> None:
        self._stream_messages.labels(code).inc()

    def event_streams_open(self, count: int) -> None:
        self._event_streams.set(count)

    def event_stream_refused(self) -> None:
        self._event_streams_refused.inc()

    def events_sent(self, count: int) -> None:
        self._events_sent.inc(count)

    def webhook_tried(self, outcome: str) -> None:
        """`outcome` is `delivered`, `failed`, `dead` or `missed`."""
        self._webhook_attempts.labels(outcome).inc()

    def webhooks(self, counts: Mapping[str, int]) -> None:
        for status, count in counts.items():
            self._webhooks.labels(str(status)).set(count)

    def connections_open(self, count: int) -> None:
        self._connections.set(count)

    def connection_refused(self, reason: str) -> None:
        self._connections_refused.labels(reason).inc()

    def ready(self, reasons: Sequence[str]) -> None:
        """`reasons` why the service is not ready; none where it is."""
        self._ready.set(not reasons)
        self._not_ready.clear()
        for reason in reasons:
            self._not_ready.labels(reason).set(1)

    def orders_live(self, counts: Mapping[Status, int] | None) -> None:
        """None where the store cannot be asked: no series is shown then, rather than an old one."""
        self._live_orders.clear()
        for status, count in (counts or {}).items():
            self._live_orders.labels(status).set(count)

    def orders_behind(self, count: int) -> None:
        self._behind.set(count)

    def slices_current(self, counts: Mapping[Basis, int]) -> None:
        for basis, count in counts.items():
            self._slices.labels(basis).set(count)

    def feeds(self, feeds: Iterable[Feed]) -> None:
        """Of the instruments that share a label, the worst is shown."""
        age: dict[str, float] = {}
        overdue: dict[str, float] = {}
        silent = 0
        for feed in feeds:
            label = self._label(feed.symbol)
            age[label] = max(feed.age_seconds, age.get(label, 0.0))
            overdue[label] = max(feed.overdue_seconds, overdue.get(label, 0.0))
            silent += feed.silent
        self._silent.set(silent)
        for gauge, values in ((self._bar_age, age), (self._overdue, overdue)):
            for label in self._shown - values.keys():
                gauge.remove(label)
            for label, value in values.items():
                gauge.labels(label).set(value)
        self._shown = set(age)

    def store_up(self, up: bool) -> None:
        self._store_up.set(up)

    def owner_changed(self, *, taken_over: bool) -> None:
        self._owner_changes.inc()
        if taken_over:
            self._takeovers.inc()

    def notices_missed(self) -> None:
        self._missed.inc()

    def sharing(self, leases_held: int, processes: int, unowned: int, lag_seconds: float) -> None:
        self._leases.set(leases_held)
        self._processes.set(processes)
        self._unowned.set(unowned)
        self._owner_lag.set(lag_seconds)

    def unreadable(self, kind: str) -> None:
        """`kind` is `order` or `instrument`."""
        self._unreadable.labels(kind).inc()

    def store_lost(self, kind: str, count: int) -> None:
        """`kind` is `order` or `bar`."""
        self._lost.labels(kind).inc(count)

    def audit_failed(self) -> None:
        self._audit_failed.inc()

    def instruments_failed(self, count: int) -> None:
        self._failed.set(count)

    def shadowed(self, *, compared: bool) -> None:
        self._shadowed.labels("compared" if compared else "left_out").inc()

    def bundles(self, active: str, loaded: int) -> None:
        self._bundle.clear()
        self._bundle.labels(active).set(1)
        self._bundles_loaded.set(loaded)

    def _label(self, instrument: str) -> str:
        if len(self._named) < INSTRUMENTS_MAX:
            self._named.add(instrument)
        return instrument if instrument in self._named else OTHER

    def page(self) -> bytes:
        """What Prometheus reads, in Prometheus' text format."""
        return generate_latest(self.registry)
