"""Every error is a problem, whoever raises it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from app.api import problems
from app.api.request_bodies import bound_of
from app.domain.errors import Conflict, InvalidInput, LemError, NotFound, Unavailable
from tests.api.conftest import serving
from tests.api.wire import order_json

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """One service for all cases: what is refused changes nothing."""
    async with serving(tmp_path_factory.mktemp("service")) as client:
        yield client


async def answer(error: Exception) -> httpx.Response:
    """What an application answers when a route raises `error`."""
    application = FastAPI()
    problems.install(application)

    @application.get("/")
    async def fail() -> None:
        raise error

    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://lem") as client:
        return await client.get("/")


@pytest.mark.parametrize(
    ("kind", "status"), [(InvalidInput, 422), (NotFound, 404), (Conflict, 409), (Unavailable, 503)]
)
async def test_each_kind_of_refusal_has_its_status_and_keeps_its_code(kind: type[LemError], status: int) -> None:
    response = await answer(kind("some_code", "some detail"))

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:lem:problem:some_code",
        "title": response.reason_phrase,
        "status": status,
        "detail": "some detail",
        "code": "some_code",
        "instance": "/",
    }


async def test_a_refusal_of_one_field_points_to_it() -> None:
    refused = InvalidInput("off_tick", "some detail", "#/limits/limit_price")

    problem = (await answer(refused)).json()

    assert problem["errors"] == [{"code": "off_tick", "detail": "some detail", "pointer": "#/limits/limit_price"}]


async def test_a_problem_names_no_class_and_no_pattern_of_ours(client: httpx.AsyncClient) -> None:
    answers = [
        await client.post("/v1/bars", json=[]),
        await client.post("/v1/bars", json={"bars": [1]}),
        await client.post("/v1/orders", json=order_json(limits=[])),
        await client.post("/v1/orders", json=order_json(client_order_id="a\x00")),
    ]

    assert [answer.json()["errors"][0]["detail"] for answer in answers] == [
        "must be a JSON object",
        "must be a JSON object",
        "must be a JSON object",
        "must have no control characters",
    ]


async def test_what_is_unavailable_says_when_to_ask_again() -> None:
    response = await answer(Unavailable("store_unavailable", "the store is away"))

    assert int(response.headers["retry-after"]) > 0


async def test_a_failure_of_ours_tells_the_client_nothing_of_it() -> None:
    response = await answer(RuntimeError("password=hunter2"))

    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "hunter2" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "unknown_path"),
        ("GET", "/v1/orders/", 404, "unknown_path"),
        ("POST", "/v1/bars/", 404, "unknown_path"),
        ("DELETE", "/v1/orders", 405, "method_not_allowed"),
        ("GET", "/v1/orders/nope", 404, "unknown_order"),
        ("GET", "/v1/orders/nope/slices/next", 404, "unknown_order"),
        ("GET", "/v1/orders/nope/schedule", 404, "unknown_order"),
        ("POST", "/v1/orders/nope/cancel", 404, "unknown_order"),
        ("GET", "/v1/instruments/NOPE", 404, "unknown_instrument"),
    ],
)
async def test_what_is_not_there_is_a_problem(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    response = await client.request(method, path)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/orders", "GET, HEAD, POST"),
        ("/v1/instruments/BTC%2FUSDT", "DELETE, GET, HEAD, PUT"),
        ("/v1/bars", "GET, HEAD, POST"),
        ("/v1/quotes", "POST"),
        ("/v1/orders/any/cancel", "POST"),
        ("/healthz", "GET, HEAD"),
    ],
)
async def test_a_refused_method_is_told_all_that_the_path_takes(
    client: httpx.AsyncClient, path: str, methods: str
) -> None:
    for method in {"DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"} - set(methods.split(", ")):
        response = await client.request(method, path)

        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
        assert response.headers["allow"] == methods


async def test_head_is_not_taken_where_get_is_not(client: httpx.AsyncClient) -> None:
    response = await client.head("/v1/quotes")

    assert (response.status_code, response.headers["allow"], response.content) == (405, "POST", b"")


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/orders", "/v1/instruments", "/v1/models"]
)
async def test_head_answers_as_get_does_without_the_body(client: httpx.AsyncClient, path: str) -> None:
    asked, full = await client.head(path), await client.get(path)

    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-type"] == full.headers["content-type"]
    if path != "/metrics":  # each look changes it
        assert asked.headers["content-length"] == full.headers["content-length"]


async def test_all_wrong_fields_are_listed_and_the_first_names_the_problem(client: httpx.AsyncClient) -> None:
    body = order_json(quantity=1, side="hold", extra=True)

    problem = (await client.post("/v1/orders", json=body)).json()

    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
        ("#/side", "unknown_value"),
        ("#/quantity", "decimal_not_a_string"),
        ("#/extra", "unknown_field"),
    ]
    assert problem["code"] == "unknown_value"


async def test_a_wrong_query_parameter_is_named(client: httpx.AsyncClient) -> None:
    problem = (await client.get("/v1/orders", params={"limit": 0})).json()

    assert [(error["parameter"], error["code"]) for error in problem["errors"]] == [("limit", "out_of_range")]


@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"a": 1' + b"0" * 5000 + b"}", b"[" * 100_000])
async def test_what_is_no_json_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    for path in ("/v1/orders", "/v1/bars"):
        response = await client.post(path, content=content, headers={"content-type": "application/json"})

        assert (response.status_code, response.json()["code"]) == (422, "bad_json"), response.text


async def test_a_body_of_another_type_is_refused(client: httpx.AsyncClient) -> None:
    for path in ("/v1/orders", "/v1/bars"):
        response = await client.post(
            path, content=b"a=1", headers={"content-type": "application/x-www-form-urlencoded"}
        )

        assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/bars"])
async def test_a_body_past_the_bound_is_refused_with_or_without_its_length(
    client: httpx.AsyncClient, path: str
) -> None:
    bytes_max = bound_of(path).bytes_max

    async def pieces(count: int = bytes_max // 16_384 + 1) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b" " * 16_384

    for content in (b" " * (bytes_max + 1), pieces()):
        response = await client.post(path, content=content, headers={"content-type": "application/json"})

        assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
