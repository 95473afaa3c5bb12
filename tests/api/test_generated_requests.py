"""Requests that schemathesis makes up from the OpenAPI document, right ones and wrong ones, are answered as the
document says: by documented statuses, codes and bodies, and never by a failure of the service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis.strategies import one_of
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.conftest import serving
from tests.api.wire import HISTORY, SYMBOL, Json, order_json, prepared
from tests.builders import at

pytestmark = pytest.mark.explores

EXAMPLES = 30
"""Requests of each kind for each call."""
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    positive_data_acceptance,
]
WILD = "WILD-USDT"
"""The instrument whose bars are made up: its prices are anything, and no fill would be plausible on it."""
URL_LENGTH_MAX = 65_536
"""The longest that the client here sends."""
NOT_NOW = {"quote_too_slow"}
"""Codes of 503 that a busy machine may bring."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service with an instrument, its bars, and one order whose id is `order_id`."""

    portal: BlockingPortal
    client: httpx.AsyncClient
    order_id: str
    document: Json

    def answer(self, case: Case[Any]) -> httpx.Response:
        made: Any = requests.Request(**case.as_transport_kwargs(base_url="http://lem")).prepare()
        assume(len(made.url) <= URL_LENGTH_MAX)
        headers = dict(made.headers) | {"Accept": "application/json"}  # a stream of events has no end
        sent = httpx.Request(made.method, made.url, headers=headers, content=made.body)
        return self.portal.call(self.client.send, sent)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(tmp_path_factory.mktemp("service"))) as client,
    ):
        portal.call(prepared, client)
        portal.call(prepared, client, HISTORY, WILD)
        order = portal.call(lambda: client.post("/v1/orders", json=order_json(fills="reported")))
        document = portal.call(client.get, "/openapi.json").json()
        yield Service(portal, client, order.json()["order_id"], document)


def narrowed(service: Service) -> Json:
    """The document, with values that lead beyond "there is no such thing" for some fields of requests."""
    fields = {name: schema.get("properties") for name, schema in service.document["components"]["schemas"].items()}
    for name in ("OrderIn", "QuoteIn"):
        fields[name]["instrument"] |= {"enum": [SYMBOL, WILD]}
    fields["BarIn"]["instrument"] |= {"enum": [WILD]}
    times = [f"{at(HISTORY + index):%Y-%m-%dT%H:%M:%SZ}" for index in range(200)]
    fields["BarIn"]["open_time"] |= {"enum": times}
    fields["FillIn"]["slice_id"] |= {"enum": [f"{service.order_id}-{step}" for step in (1, 2)]}
    fields["FillIn"]["price"] |= {"enum": ["95", "100.5"]}
    fields["FillIn"]["executed_at"] |= {"enum": times}
    fields["WebhookIn"]["url"] |= {"enum": [f"http://127.0.0.1:9/{number}" for number in range(50)]}
    return service.document


@pytest.mark.parametrize("mode", GenerationMode)
def test_whatever_is_sent_is_answered_as_the_document_says(service: Service, mode: GenerationMode) -> None:
    config = SchemathesisConfig.from_path(Path(__file__).with_name("schemathesis.toml"))
    schema = schemathesis.openapi.from_dict(narrowed(service), config=config)
    known = {"order_id": service.order_id, "symbol": SYMBOL, "step": 1}

    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == sum(map(len, service.document["paths"].values()))
    for operation in operations:
        if mode is GenerationMode.NEGATIVE and not operation.definition.raw.keys() & {"parameters", "requestBody"}:
            continue  # nothing can be wrong with it
        names = {name: value for name, value in known.items() if f"{{{name}}}" in operation.path}
        cases = [operation.as_strategy(mode)]
        cases += [operation.as_strategy(mode, path_parameters=names)] if names else []

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=[HealthCheck.filter_too_much],  # few headers are wrong and can be sent all the same
        )
        @given(one_of(cases))
        def answered(case: Case[Any]) -> None:
            response = service.answer(case)
            case.validate_response(response, checks=CHECKS)
            require_documented(case, response)

        answered()


def require_documented(case: Case[Any], response: httpx.Response) -> None:
    """The service has not failed, and a problem's code is one that the document has for the call and the status."""
    told: dict[str, Any] = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    if response.headers["content-type"] != "application/problem+json":
        assert response.status_code < 500
        return
    code = response.json()["code"]
    assert response.status_code < 500 or code in NOT_NOW, response.text
    assert code in told["content"]["application/problem+json"]["examples"], (case.as_curl_command(), response.text)
