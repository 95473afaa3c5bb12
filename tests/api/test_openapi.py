"""The public surface, pinned: a change here is a change for every client."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter

from app.api import values
from app.api.codes import CODES
from app.api.lanes import OVERLOADED
from app.api.parser_errors import PARSER_CODES
from app.api.problem_bodies import Problem
from app.api.problems import HTTP_CODES
from app.main import create_app
from app.settings import Settings

ROOT = Path(__file__).parents[2]
SERVING = ("api", "domain", "engine", "clock", "outbox", "store")
REFUSALS = {
    *("InvalidInput", "NotFound", "Conflict", "Unavailable", "TooEarly", "TooFast", "PydanticCustomError"),
    *("Unauthenticated", "Forbidden", "Misdirected", "Gone"),
}
NEVER_REACHED = {"bad_client_order_id", "bad_account", "bar_times_inverted", "bad_cost"}
"""Refusals of the domain that the edge's own checks, or an instrument's terms, forestall."""

EVERY = {"400", "408", "429", "431", "500", "503"}
"""What may come of any call: it is no HTTP, late, too large or one of too many, the service fails or ends."""
GUARDED = {"401", "403", "421"}
"""What may come of any call that not everybody may make."""
OPEN = {"/healthz", "/readyz"}
SURFACE = {
    ("get", "/healthz"): "200",
    ("get", "/metrics"): "200",
    ("get", "/readyz"): "200",
    ("get", "/v1/events"): "200 406 410 422",
    ("get", "/v1/instruments"): "200",
    ("get", "/v1/instruments/{symbol}"): "200 404 422",
    ("delete", "/v1/instruments/{symbol}"): "204 404 409 422",
    ("put", "/v1/instruments/{symbol}"): "200 201 409 413 415 422",
    ("get", "/v1/models"): "200",
    ("get", "/v1/models/{name}/card"): "200 404 406 409 422",
    ("post", "/v1/models/{name}/activate"): "200 404 409 422",
    ("get", "/v1/models/{name}/shadow"): "200 404 422",
    ("post", "/v1/models/{name}/shadow"): "200 404 409 422",
    ("delete", "/v1/models/{name}/shadow"): "204 404 422",
    ("get", "/v1/orders"): "200 422",
    ("get", "/v1/bars"): "200 404 422",
    ("get", "/v1/bars/stream"): "101 422 426",
    ("post", "/v1/bars"): "200 404 409 413 415 422",
    ("post", "/v1/orders"): "200 201 404 409 413 415 422",
    ("post", "/v1/quotes"): "200 404 409 413 415 422",
    ("get", "/v1/orders/{order_id}"): "200 404 422",
    ("post", "/v1/orders/{order_id}/cancel"): "200 404 409 422",
    ("get", "/v1/orders/{order_id}/events"): "200 404 406 410 422",
    ("get", "/v1/orders/{order_id}/fills"): "200 404 422",
    ("post", "/v1/orders/{order_id}/fills"): "200 201 404 409 413 415 422",
    ("post", "/v1/orders/{order_id}/fills/{execution_id}/bust"): "200 404 409 422",
    ("post", "/v1/orders/{order_id}/fills/{execution_id}/correct"): "200 404 409 413 415 422",
    ("post", "/v1/orders/{order_id}/pause"): "200 404 409 422",
    ("post", "/v1/orders/{order_id}/replace"): "200 201 404 409 413 415 422",
    ("post", "/v1/orders/{order_id}/resume"): "200 404 409 422",
    ("get", "/v1/orders/{order_id}/slices"): "200 404 422",
    ("get", "/v1/orders/{order_id}/schedule"): "200 404 422",
    ("get", "/v1/orders/{order_id}/slices/next"): "200 404 422",
    ("post", "/v1/orders/{order_id}/slices/{step}/close"): "200 404 409 422",
    ("get", "/v1/orders/{order_id}/tca"): "200 404 406 422",
    ("get", "/v1/tca"): "200 406 422",
    ("get", "/v1/webhooks"): "200",
    ("post", "/v1/webhooks"): "201 409 413 415 422",
    ("get", "/v1/webhooks/{webhook_id}"): "200 404 422",
    ("delete", "/v1/webhooks/{webhook_id}"): "204 404 422",
    ("get", "/v1/webhooks/{webhook_id}/dead_letters"): "200 404 422",
    ("post", "/v1/webhooks/{webhook_id}/dead_letters/resend"): "200 404 422",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def operations(document: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(method, path): told for path, each in document["paths"].items() for method, told in each.items()}


def test_paths_methods_and_statuses_are_these(document: dict[str, Any]) -> None:
    told = {where: set(each["responses"]) for where, each in operations(document).items()}

    assert {where: " ".join(sorted(statuses - EVERY - GUARDED)) for where, statuses in told.items()} == SURFACE
    for (_, path), statuses in told.items():
        assert statuses & (EVERY | GUARDED) == EVERY | (set() if path in OPEN else GUARDED)


def test_every_refusal_is_described_as_a_problem(document: dict[str, Any]) -> None:
    for (_, path), told in operations(document).items():
        for status, response in told["responses"].items():
            if int(status) >= 400 and (path, status) != ("/readyz", "503"):
                problem = response["content"]["application/problem+json"]
                assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}
                for code, example in problem["examples"].items():
                    assert Problem.model_validate(example["value"]).code == code
                    assert CODES[code][0] == int(status)


def test_every_code_that_the_service_refuses_with_is_listed_and_no_other() -> None:
    """Codes are part of the interface: a new one is added to the list, and one that goes is a change for clients."""
    raised = {code for folder in SERVING for path in (ROOT / "app" / folder).rglob("*.py") for code in refusals(path)}
    at_the_edge = set(PARSER_CODES.values()) | set(HTTP_CODES.values()) | {"wrong_type", "internal_error", OVERLOADED}

    assert raised - NEVER_REACHED | at_the_edge == set(CODES)


def refusals(path: Path) -> set[str]:
    """The codes of the refusals that a module builds."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and node.args]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in REFUSALS
        if isinstance(call.args[0], ast.Constant)
    }


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    for where, told in operations(document).items():
        answers = [answer for status, answer in told["responses"].items() if int(status) < 300]
        asked = [told["requestBody"]] if "requestBody" in told else []
        for body in asked + answers:
            for kind, content in body.get("content", {}).items():
                if kind == "application/json":
                    assert example_of(document, content), where


def example_of(document: dict[str, Any], content: dict[str, Any]) -> Any:
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    schema = document["components"]["schemas"].get(name, {})
    return content.get("example") or schema.get("examples")


def test_every_schema_and_every_field_is_described(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    fields = {
        f"{name}.{field}": told
        for name, schema in schemas.items()
        for field, told in schema.get("properties", {}).items()
    }

    assert [name for name, told in (schemas | fields).items() if not told.get("description")] == []


def test_every_call_and_every_parameter_is_described(document: dict[str, Any]) -> None:
    calls = {" ".join(where): told for where, told in operations(document).items()}
    parameters = {
        f"{where} {each['name']}": each for where, told in calls.items() for each in told.get("parameters", ())
    }

    assert [name for name, told in (calls | parameters).items() if not told.get("description")] == []


async def test_a_running_service_tells_how_many_steps_its_model_decides(client: httpx.AsyncClient) -> None:
    model = (await client.get("/v1/models")).json()["models"][0]

    told = (await client.get("/openapi.json")).json()["components"]["schemas"]["HorizonIn"]["properties"]

    assert told["min_steps"]["maximum"] == told["max_steps"]["maximum"] == model["card"]["max_steps"]
    assert f"{model['name']}, decides at most {model['card']['max_steps']} steps" in told["max_steps"]["description"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    return [found for value in part for found in references(value)] if isinstance(part, list) else []


@pytest.mark.parametrize(
    ("kind", "taken", "refused"),
    [
        ("PositiveIn", ("1", "0.000000000001", "007.50", "9" * 15), ("0", "0.00", "-1", "1e3", "", "1.", "9" * 16)),
        ("NotNegativeIn", ("0", "0.0", "12.5"), ("-1", "+1", ".5", "0." + "1" * 13)),
        ("RateIn", ("1", "1.0", "0.083333333333"), ("0", "0.0", "1.1", "2", "-0.5")),
        ("TimeIn", ("2025-01-06T14:30:00Z", "1971-01-01T00:00:00.5+14:00"), ("1970-01-01T00:00:00Z", "2025-01-06")),
    ],
)
def test_the_patterns_of_the_document_say_what_is_taken(
    kind: str, taken: tuple[str, ...], refused: tuple[str, ...]
) -> None:
    pattern = TypeAdapter(getattr(values, kind)).json_schema()["pattern"]

    assert [text for text in (*taken, *refused) if re.search(pattern, text)] == list(taken)
