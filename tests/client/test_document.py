"""The client says what the service's OpenAPI document says: calls, fields, words."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest

import lem_client
from app.main import create_app
from app.settings import Settings
from lem_client import AsyncClient, Client, Refused, calls, words
from lem_client.calls import Call
from tests.builders import START
from tests.client.desk import an_instrument, an_order
from tests.docs.blocks import blocks, text_of

ELSEWHERE = {"GET /metrics", "GET /v1/bars/stream"}
"""Prometheus asks for the one; the other is a WebSocket, which httpx does not speak."""

VALUES: dict[str, type[Any]] = {
    "ActivationOut": lem_client.Activation,
    "AgainstMarketOut": lem_client.AgainstMarket,
    "AnalysesOut": lem_client.Analyses,
    "AnalysisOut": lem_client.Analysis,
    "BarIn": lem_client.Bar,
    "BookedFillOut": lem_client.ListedFill,
    "CalibratedOnOut": lem_client.CalibratedOn,
    "CardOut": lem_client.ModelCard,
    "CostOut": lem_client.Cost,
    "CostsIn": lem_client.Costs,
    "CorrectionIn": lem_client.Correction,
    "DeadLetterOut": lem_client.DeadLetter,
    "DistributionOut": lem_client.Distribution,
    "DryRunOut": lem_client.DryRun,
    "EndOut": lem_client.End,
    "BegunOrderOut": lem_client.BegunOrder,
    "EventData": lem_client.EventData,
    "EventOut": lem_client.Event,
    "FieldError": lem_client.FieldError,
    "FillIn": lem_client.Fill,
    "FillOut": lem_client.BookedFill,
    "GainNotionalOut": lem_client.Gain,
    "GainOut": lem_client.Gain,
    "GainPartsOut": lem_client.GainParts,
    "GivenSliceOut": lem_client.GivenSlice,
    "GroupOut": lem_client.Group,
    "HealthOut": lem_client.Health,
    "HorizonIn": lem_client.Horizon,
    "HorizonOut": lem_client.AcceptedHorizon,
    "HorizonTimesIn": lem_client.HorizonInTime,
    "IngestedOut": lem_client.Ingested,
    "InstrumentDetailOut": lem_client.InstrumentDetail,
    "InstrumentOut": lem_client.Instrument,
    "LimitsIn": lem_client.Limits,
    "LimitsOut": lem_client.Limits,
    "ModelOut": lem_client.Model,
    "NewWebhookOut": lem_client.CreatedWebhook,
    "NextSliceOut": lem_client.NextSlice,
    "OrderIn": lem_client.NewOrder,
    "OrderOut": lem_client.Order,
    "ParticipationOut": lem_client.Participation,
    "Problem": lem_client.Problem,
    "QualityOut": lem_client.Quality,
    "QuoteOut": lem_client.Quote,
    "QuoteStepOut": lem_client.QuotedStep,
    "ReadyOut": lem_client.Readiness,
    "RejectedBarOut": lem_client.RejectedBar,
    "ReportOut": lem_client.FirstReport,
    "ResentOut": lem_client.Resent,
    "RestsOnOut": lem_client.RestsOn,
    "ScheduleOut": lem_client.Schedule,
    "ShadowOut": lem_client.Shadow,
    "ShadowTotalsOut": lem_client.ShadowTotals,
    "ShadowedOrderOut": lem_client.ShadowedOrder,
    "ShadowingOut": lem_client.Shadowing,
    "SliceOut": lem_client.Slice,
    "StepOut": lem_client.Step,
    "StoredBarOut": lem_client.StoredBar,
    "TotalsOut": lem_client.Totals,
    "TradedParticipationOut": lem_client.TradedParticipation,
    "WebhookIn": lem_client.NewWebhook,
    "WebhookOut": lem_client.Webhook,
    "WindowOut": lem_client.Window,
}
WRAPPED = {
    *(
        "BarsIn",
        "DeadLettersOut",
        "EventsOut",
        "WebhooksOut",
        "FillsOut",
        "InstrumentIn",
        "InstrumentsOut",
        "ModelsOut",
        "OrdersOut",
        "QuoteIn",
        "SlicesOut",
    ),
    "StoredBarsOut",
}
"""Bodies that the calls themselves put together, or take apart."""
STREAMED = {"BarMessageIn", "BarBatchIn", "NewestBarOut", "StreamOpenedOut", "StreamTakenOut", "StreamRefusedOut"}
"""Messages of the WebSocket."""


EVERY_FILTER = lem_client.WantedOrders(
    status=lem_client.Status.COMPLETED,
    instrument="any",
    account="any",
    side=lem_client.Side.BUY,
    benchmark=lem_client.Benchmark.VWAP,
    size_mode=lem_client.SizeMode.QUANTITY,
    min_steps=1,
    model="any",
    final=True,
    started_from=START,
    started_before=START,
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def every_call() -> list[Call[Any]]:
    """Each once, with all that it can ask for and the names of its path's parameters for their values."""
    fill = lem_client.Fill(
        execution_id="exec-1", slice_id="order-1", quantity=Decimal(1), price=Decimal(1), executed_at=START
    )
    correction = lem_client.Correction(quantity=Decimal(1), price=Decimal(1))
    return [
        calls.put_instrument(an_instrument(symbol="{symbol}")),
        calls.get_instrument("{symbol}"),
        calls.delete_instrument("{symbol}"),
        calls.list_instruments(),
        calls.post_bars([], partial=True),
        calls.list_bars("{instrument}", before=START, page_size=100),
        calls.post_order(an_order()),
        calls.dry_run_order(an_order()),
        calls.post_quote(an_order(), None),
        calls.get_order("{order_id}"),
        calls.list_orders(
            status=lem_client.Status.WORKING, instrument="any", client_order_id="any", account="any", page_size=100
        ),
        calls.next_slice("{order_id}", wait_seconds=1),
        calls.get_schedule("{order_id}"),
        calls.list_slices("{order_id}"),
        calls.post_fill("{order_id}", fill),
        calls.list_fills("{order_id}"),
        calls.bust_fill("{order_id}", "{execution_id}"),
        calls.correct_fill("{order_id}", "{execution_id}", correction),
        calls.close_slice("{order_id}", 7),
        calls.pause_order("{order_id}"),
        calls.resume_order("{order_id}"),
        calls.cancel_order("{order_id}"),
        calls.replace_order("{order_id}", an_order()),
        calls.list_events(None, after="0", page_size=100),
        calls.list_events("{order_id}", after="0", page_size=100),
        calls.create_webhook(lem_client.NewWebhook(url="https://oms.example")),
        calls.list_webhooks(),
        calls.get_webhook("{webhook_id}"),
        calls.delete_webhook("{webhook_id}"),
        calls.list_dead_letters("{webhook_id}", limit=100),
        calls.resend_dead_letters("{webhook_id}", limit=100),
        calls.get_analysis("{order_id}"),
        calls.get_analyses(EVERY_FILTER),
        calls.list_models(),
        calls.activate_model("{name}"),
        calls.get_model_card("{name}"),
        calls.shadow_model("{name}"),
        calls.end_shadow("{name}"),
        calls.get_shadow("{name}"),
        calls.get_health(),
        calls.get_readiness(),
    ]


def test_every_call_of_the_service_is_one_of_the_client_s(document: dict[str, Any]) -> None:
    served = {f"{method.upper()} {path}" for path, each in document["paths"].items() for method in each}

    made = {_name_of(call) for call in every_call()}

    assert made == served - ELSEWHERE


def test_the_client_can_give_every_parameter_of_the_document_and_no_other(document: dict[str, Any]) -> None:
    """But for that of the next page, which the client gives itself."""
    told = {
        f"{method.upper()} {path}": {each["name"] for each in call.get("parameters", []) if each["in"] == "query"}
        for path, calls_of_path in document["paths"].items()
        for method, call in calls_of_path.items()
    }

    assert {_name_of(call): {*call.query} for call in every_call()} == {
        name: names - {"cursor"} for name, names in told.items() if name not in ELSEWHERE
    }


def _name_of(call: Call[Any]) -> str:
    return f"{call.method} {unquote(call.path)}".replace("/7/", "/{step}/")


def test_what_the_client_sends_and_reads_has_the_fields_of_the_document(document: dict[str, Any]) -> None:
    told = {
        name: set(schema["properties"])
        for name, schema in document["components"]["schemas"].items()
        if "properties" in schema
    }

    assert {name: {field.name for field in fields(kind)} for name, kind in VALUES.items()} == {
        name: names for name, names in told.items() if name not in WRAPPED | STREAMED
    }


def test_every_word_of_the_document_is_one_of_the_client_s(document: dict[str, Any]) -> None:
    told = {name: schema["enum"] for name, schema in document["components"]["schemas"].items() if "enum" in schema}

    assert {name: list(getattr(words, name)) for name in told} == told


def test_both_clients_have_the_same_methods_and_say_the_same_of_them() -> None:
    def methods(client: type[Any]) -> dict[str, Any]:
        found = inspect.getmembers(client, inspect.isfunction)
        return {name: (_parameters(each), each.__doc__) for name, each in found if not name.startswith("_")}

    assert methods(Client) == methods(AsyncClient)
    assert len(methods(Client)) == len(every_call()) + len({"close", "follow_events"})


def _parameters(function: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())


def test_the_page_of_the_client_shows_the_example_as_it_is_and_names_every_method_and_error() -> None:
    page = text_of("docs/client.md")
    table = "\n".join(line for line in page.splitlines() if line.startswith("|"))
    errors = {name for name, each in vars(lem_client).items() if isinstance(each, type) and issubclass(each, Refused)}

    assert [block.content for block in blocks(page) if block.kind == "python"] == [text_of("docs/oms_example.py")]
    methods = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
    assert methods - {"close"} | errors <= set(re.findall(r"`(\w+)`", table))


def test_the_public_surface_is_what_the_package_names() -> None:
    assert sorted(lem_client.__all__) == sorted(name for name in vars(lem_client) if _is_public(name))


def _is_public(name: str) -> bool:
    return not name.startswith("_") and not inspect.ismodule(getattr(lem_client, name))
