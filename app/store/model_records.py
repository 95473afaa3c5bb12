"""Which bundle is active and which one decides silently, in the store: a hash that every process reads each second."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, cast

from app.engine.models.ports import Activation, Selection, Shadowing
from app.store import keys
from app.store.forms import dumps, loads
from app.store.gathering import GatheringRedis
from app.store.outages import Outages

LOG = logging.getLogger(__name__)
ACTIVE, SHADOW = "active", "shadow"
"""The fields of the hash."""


class RedisModelRecords:
    """See `engine.models.ports.ModelRecords`."""

    def __init__(self, client: GatheringRedis, outages: Outages | None = None) -> None:
        self._client = client
        self._outages = outages or Outages()
        self._told: set[str] = set()

    async def selection(self) -> Selection:
        with self._outages.reaching():
            active, shadow = await cast("Any", self._client.hmget(keys.MODELS, [ACTIVE, SHADOW]))
        return Selection(active=self._active(active), shadow=self._shadow(shadow))

    async def activate(self, activation: Activation) -> None:
        told = {"name": activation.name, "at": activation.at.isoformat(), "former": activation.former}
        with self._outages.reaching(writes=True):
            await cast("Any", self._client.hset(keys.MODELS, ACTIVE, dumps(told)))

    async def put_shadow(self, shadow: Shadowing | None) -> None:
        with self._outages.reaching(writes=True):
            if shadow is None:
                await cast("Any", self._client.hdel(keys.MODELS, SHADOW))
            else:
                text = dumps({"name": shadow.name, "at": shadow.at.isoformat()})
                await cast("Any", self._client.hset(keys.MODELS, SHADOW, text))

    def _active(self, line: str | None) -> Activation | None:
        value = self._read(line)
        if value is None:
            return None
        return Activation(name=value["name"], at=value["at"], former=value.get("former"))

    def _shadow(self, line: str | None) -> Shadowing | None:
        value = self._read(line)
        return None if value is None else Shadowing(name=value["name"], at=value["at"])

    def _read(self, line: str | None) -> dict[str, Any] | None:
        """None for what is not there, or not understood: the service's own bundle decides then."""
        if line is None:
            return None
        try:
            value = loads(line)
            return {**value, "name": str(value["name"]), "at": datetime.fromisoformat(value["at"])}
        except (ValueError, KeyError, TypeError):
            if line not in self._told:
                self._told.add(line)
                LOG.error("what the store says of the models is not understood: %s", keys.MODELS)  # noqa: TRY400 -- it may be anything
            return None
