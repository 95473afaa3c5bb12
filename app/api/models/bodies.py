"""Bundles on the wire."""

from __future__ import annotations

from typing import Any, Self

from pydantic import ConfigDict
from pydantic.config import JsonDict

from app.api.values import Answer, TimeOut
from app.engine.models.choice import Models
from app.engine.models.ports import Activation, Bundle, Shadowing

NAME = "lem-2@3f2a9c41d07b"
FORMER = "lem-1@9d5e0b7714aa"
EXAMPLE: JsonDict = {
    "name": NAME,
    "active": True,
    "shadow": False,
    "serves": True,
    "problem": None,
    "card": {"lookback": 576, "max_steps": 256},
}


class ModelOut(Answer):
    """A bundle of the catalogue."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: str
    """Name and digest of the bundle: what slices record as `model`. The folder's name where the bundle has failed its
    checks."""
    active: bool
    """Whether the bundle decides new orders."""
    shadow: bool
    """Whether the bundle decides silently beside the active one."""
    serves: bool
    """Whether the bundle has passed its checks, and may be activated or asked for."""
    problem: str | None
    """Why the bundle does not serve; null where it does."""
    card: dict[str, Any]
    """The bundle's card: its tensors, `max_steps`, `lookback` (bars that it reads), training data and measured results,
    without its golden cases and its calibration, which are long; empty where the bundle has failed its checks."""

    @classmethod
    def of(cls, entry: Bundle, models: Models) -> Self:
        problem = models.problem_of(entry)
        return cls(
            name=entry.name,
            active=entry.name == models.active.name,
            shadow=models.shadow is not None and entry.name == models.shadow.name,
            serves=problem is None,
            problem=problem,
            card=dict(entry.card),
        )


class CardOut(Answer):
    """A bundle's card."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": NAME, "card": {"lookback": 576, "max_steps": 256}}]}
    )

    name: str
    """Name and digest of the bundle."""
    card: dict[str, Any]
    """All of the card but its golden cases: tensors, training data, measured results, and what its orders earn."""


class ActivationOut(Answer):
    """Which bundle decides new orders."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": NAME, "activated_at": "2025-01-06T14:30:00Z", "former": FORMER}]}
    )

    name: str
    """Name and digest of the bundle."""
    activated_at: TimeOut
    """When it was activated, in UTC."""
    former: str | None
    """The bundle that decided new orders before: to activate it again takes this one back. Null where nobody knows."""

    @classmethod
    def of(cls, activation: Activation) -> Self:
        return cls(name=activation.name, activated_at=activation.at, former=activation.former)


class ShadowingOut(Answer):
    """Which bundle decides silently."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": NAME, "since": "2025-01-06T14:30:00Z"}]})

    name: str
    """Name and digest of the bundle."""
    since: TimeOut
    """Since when it decides silently, in UTC."""

    @classmethod
    def of(cls, shadow: Shadowing) -> Self:
        return cls(name=shadow.name, since=shadow.at)


class ModelsOut(Answer):
    """The bundles of the service."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "models": [EXAMPLE],
                    "activation": {"name": NAME, "activated_at": "2025-01-06T14:30:00Z", "former": FORMER},
                    "shadowing": None,
                }
            ]
        }
    )

    models: list[ModelOut]
    """All bundles of the catalogue, the one that the service was started with first."""
    activation: ActivationOut | None
    """What was activated last; null where the bundle that the service was started with was never changed."""
    shadowing: ShadowingOut | None
    """Which bundle decides silently; null where none does."""
