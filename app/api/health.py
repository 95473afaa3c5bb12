"""`/healthz`, `/readyz`, `/metrics`: for whoever runs the service."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import ConfigDict

from app.api.openapi import REF, problems
from app.api.problem_bodies import Problem
from app.api.problems import MEDIA_TYPE
from app.api.services import EngineDep, ServicesDep
from app.api.values import Answer

router = APIRouter(tags=["operations"])

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METRICS: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}


class HealthOut(Answer):
    """The process is alive."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: str = "ok"
    """Always `ok`: a process that cannot say so does not answer."""


class ReadyOut(Answer):
    """Whether the service can serve, and if not, why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"ready": True, "reasons": [], "feeds_silent": [], "instruments_failed": []}]}
    )

    ready: bool
    """Whether the service can serve orders."""
    reasons: list[str]
    """Stable codes of what keeps it from serving; empty when ready."""
    feeds_silent: list[str]
    """Instruments whose orders await bars that do not come, at most 20. They do not make the service unready."""
    instruments_failed: list[str]
    """Instruments that cannot be opened now and are tried again, at most 20. They do not make the service unready."""


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
    """200 where orders can be served, 503 where they cannot, with the reasons."""
    readiness = await engine.health.readiness()
    if not readiness.ready:
        response.status_code = 503
    return ReadyOut.model_validate(readiness, from_attributes=True)


@router.get("/metrics", summary="Prometheus metrics", response_class=Response, responses={**problems(), 200: METRICS})
async def metrics(services: ServicesDep) -> Response:
    """All metrics of the service, in the text format of Prometheus."""
    return Response(await services.scrape(), media_type=METRICS_TYPE)
