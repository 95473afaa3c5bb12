"""OpenTelemetry traces, where the standard `OTEL_*` variables ask for them. Nothing of OpenTelemetry is imported before
that: it is an extra (`otel`) of this package."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import app
from app.engine.bounded_thread import BoundedThread
from app.extras import install_command

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

LOG = logging.getLogger(__name__)
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN = "http/protobuf"
SERVICE_NAME = "lem"
PATH_MAX = 500
FLUSH_SECONDS_MAX = 2.0
"""How long the end of the service waits for a collector that does not answer."""


def asked_for(environment: Mapping[str, str]) -> bool:
    """Whether the variables name an exporter or a collector, and do not switch traces off."""
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter == "none" or environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return bool(exporter) or any(environment.get(name) for name in ENDPOINTS)


class Traces:
    """Implements `engine.spans.Spans` and `api.request_spans.RequestTracer`. What cannot be traced as asked for is told
    in the log, and the service goes on without traces: orders do not hang on them."""

    def __init__(self) -> None:
        self._tracer: Tracer | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Spans are sent while open, by a thread of their own, and what is left of them at the end. The queue is
        bounded (`OTEL_BSP_MAX_QUEUE_SIZE`): spans that a slow collector does not take are dropped."""
        provider = _provider(os.environ)
        if provider is None:
            yield
            return
        self._tracer = provider.get_tracer("lem", app.__version__)
        try:
            yield
        finally:
            self._tracer = None
            thread = BoundedThread(FLUSH_SECONDS_MAX)
            with suppress(TimeoutError):
                await thread.run(provider.shutdown)
            thread.close()

    def part(self, name: str, **counts: int) -> AbstractContextManager[object]:
        if self._tracer is None:
            return nullcontext()
        return _open_span(self._tracer, name, attributes={f"lem.{key}": count for key, count in counts.items()})

    @contextmanager
    def request(self, method: str, path: str, headers: Mapping[str, str]) -> Iterator[RequestSpan]:
        """The span of a request, in the trace that its headers name."""
        if self._tracer is None:
            yield RequestSpan(None)
            return
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        attributes = {"http.request.method": method, "url.path": path[:PATH_MAX]}
        with _open_span(
            self._tracer, method, context=extract(headers), kind=SpanKind.SERVER, attributes=attributes
        ) as span:
            yield RequestSpan(span)


@contextmanager
def _open_span(tracer: Tracer, name: str, **options: Any) -> Iterator[Span]:
    """A failure is told by its kind alone: what an error says may quote an order."""
    with tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False, **options) as span:
        try:
            yield span
        except Exception as error:
            from opentelemetry.trace import StatusCode

            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)
            raise


class RequestSpan:
    """Of a request that is under way; None where none is recorded."""

    def __init__(self, span: Span | None) -> None:
        self._span = span

    @property
    def trace_id(self) -> str | None:
        return None if self._span is None else f"{self._span.get_span_context().trace_id:032x}"

    def answered(self, method: str, route: str, status: int, request_id: str | None) -> None:
        """`route` is a template such as `/v1/orders/{order_id}`."""
        if self._span is None:
            return
        self._span.update_name(f"{method} {route}")
        self._span.set_attribute("http.route", route)
        self._span.set_attribute("http.response.status_code", status)
        if request_id:
            self._span.set_attribute("lem.request_id", request_id)
        if status >= 500:  # noqa: PLR2004 -- what is the service's fault
            from opentelemetry.trace import StatusCode

            self._span.set_status(StatusCode.ERROR)


def _provider(environment: Mapping[str, str]) -> TracerProvider | None:
    """All else is read from the environment by OpenTelemetry itself: endpoint, headers, sampler, sizes of batches."""
    exporter = environment.get("OTEL_TRACES_EXPORTER") or "otlp"
    protocol = next((environment[name] for name in PROTOCOLS if environment.get(name)), SPOKEN)
    if exporter != "otlp" or protocol != SPOKEN:
        LOG.warning("no traces: the exporter must be otlp and its protocol %s, not %s, %s", SPOKEN, exporter, protocol)
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        LOG.warning("no traces: OTEL_* variables ask for them; install the otel extra, %s", install_command("otel"))
        return None
    named = "OTEL_SERVICE_NAME" in environment or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    of_ours = {"service.version": app.__version__} | ({} if named else {"service.name": SERVICE_NAME})
    provider = TracerProvider(resource=Resource.create(of_ours), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
