"""`/healthz`, `/readyz`, `/metrics`: for whoever runs the service."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import ConfigDict

from app.api.openapi import REF, problems
from app.api.problems import MEDIA_TYPE, Problem
from app.api.services import EngineDep, ServicesDep
from app.api.values import Answer

router = APIRouter(tags=["operations"])

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METRICS: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}


class HealthOut(Answer):
    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: str = "ok"


class ReadyOut(Answer):
    """`reasons` are codes, empty when ready. `feeds_silent` names instruments whose orders await bars that do not come,
    `instruments_failed` those that cannot be opened now and are tried again, at most 20 each. Neither makes the service
    unready."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ready": True, "reasons": [], "feeds_silent": [], "instruments_failed": []}]}
    )

    ready: bool
    reasons: list[str]
    feeds_silent: list[str]
    instruments_failed: list[str]


NOT_READY: dict[str, Any] = {
    "model": ReadyOut,
    "description": "Not ready, and why; a problem where the service ends or has too many connections",
    "content": {MEDIA_TYPE: {"schema": {"$ref": REF.format(model=Problem.__name__)}}},
}


@router.get("/healthz", summary="Is the process alive", responses=problems(guarded=False))
async def healthz() -> HealthOut:
    """Asks nothing of the store: a restart would not bring that back."""
    return HealthOut()


@router.get(
    "/readyz",
    summary="Can it serve",
    responses={**problems(guarded=False), 503: NOT_READY},
)
async def readyz(engine: EngineDep, response: Response) -> ReadyOut:
    readiness = await engine.health.readiness()
    if not readiness.ready:
        response.status_code = 503
    return ReadyOut.model_validate(readiness, from_attributes=True)


@router.get("/metrics", summary="Prometheus metrics", response_class=Response, responses={**problems(), 200: METRICS})
async def metrics(services: ServicesDep) -> Response:
    return Response(await services.scrape(), media_type=METRICS_TYPE)
