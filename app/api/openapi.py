"""What the OpenAPI document says beyond the routes' own types: problems as problems, and bodies read by hand."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from app.api.problems import MEDIA_TYPE, Problem

REF = "#/components/schemas/{model}"
TAGS = [
    {"name": "instruments", "description": "What can be traded, and in which units."},
    {"name": "bars", "description": "Closed market bars, as they close."},
    {"name": "orders", "description": "Mandates from the OMS, their slices and fills."},
    {"name": "models", "description": "The bundle that decides."},
    {"name": "operations", "description": "Liveness, readiness and metrics."},
]

_CODES = {
    404: "unknown_order",
    409: "client_order_id_reused",
    413: "payload_too_large",
    415: "unsupported_media_type",
    422: "horizon_inverted",
    503: "store_unavailable",
}
"""One of the codes that each status may carry, for the examples."""


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these."""
    return {status: {"model": Problem, "description": HTTPStatus(status).phrase} for status in statuses}


def describe(app: FastAPI, *extra_models: type[BaseModel]) -> None:
    """Replace `app.openapi` by one that also knows `extra_models` and shows problems under their own media type."""
    plain_openapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain_openapi()
            schemas = document["components"]["schemas"]
            for model in extra_models:
                schema = model.model_json_schema(ref_template=REF)
                schemas |= schema.pop("$defs", {}) | {model.__name__: schema}
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _mark_problems(path, operation["responses"])
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _mark_problems(path: str, responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        content = response.get("content", {})
        if int(status) >= HTTPStatus.BAD_REQUEST and content.get("application/json", {}).get("schema", {}).get("$ref"):
            response["content"] = {MEDIA_TYPE: content["application/json"] | {"example": _example(path, int(status))}}


def _example(path: str, status: int) -> dict[str, Any]:
    code, phrase = _CODES[status], HTTPStatus(status).phrase
    return {
        "type": f"urn:lem:problem:{code}",
        "title": phrase,
        "status": status,
        "detail": "what is wrong, for people",
        "code": code,
        "instance": path,
    }
