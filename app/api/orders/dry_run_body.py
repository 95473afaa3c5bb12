"""What a dry run of an order answers."""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict

from app.api.orders.bodies import OrderOut
from app.api.orders.example import OUT_EXAMPLE
from app.domain.order_words import OrderWarning
from app.engine.dry_runs import DryRun


class DryRunOut(OrderOut):
    """An order as it would be accepted: before its first step, or as it stands where it was sent before."""

    model_config = ConfigDict(json_schema_extra={"examples": [OUT_EXAMPLE | {"warnings": ["little_room"]}]})

    warnings: list[OrderWarning]
    """What is odd about the order; empty where nothing is."""

    @classmethod
    def of_run(cls, run: DryRun) -> Self:
        return cls(**vars(OrderOut.of(run.state)), warnings=list(run.warnings))
