"""`GET /v1/models`: the bundle that decides, and its card."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import ConfigDict
from pydantic.config import JsonDict

from app.api.openapi import problems
from app.api.services import ServicesDep
from app.api.values import Answer

router = APIRouter(tags=["models"])


LEFT_OUT = {"golden", "calibration"}
EXAMPLE: JsonDict = {"name": "lem-2@3f2a9c41d07b", "active": True, "card": {"lookback": 576, "max_steps": 256}}


class ModelOut(Answer):
    """A released model."""

    name: str
    """Name and digest of the bundle: what slices record as `model`."""
    active: bool
    """Whether the bundle decides new orders."""
    card: dict[str, Any]
    """The bundle's card: its tensors, `max_steps`, `lookback` (bars that it reads), training data and measured results,
    without its golden cases and its calibration, which are long."""


class ModelsOut(Answer):
    """The bundles of the service."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"models": [EXAMPLE]}]})

    models: list[ModelOut]
    """All bundles that the service knows."""


@router.get("/v1/models", summary="The active bundle", responses=problems("overloaded"))
async def list_models(services: ServicesDep) -> ModelsOut:
    """The bundle that decides, with its card: `max_steps` of it is the most that an order may have."""
    card = {name: value for name, value in services.model.card.items() if name not in LEFT_OUT}
    return ModelsOut(models=[ModelOut(name=services.model.digest, active=True, card=card)])
