"""Which bundle is active and which one decides silently, in the store: a hash that every process reads each second."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from app.engine.models.ports import Activation, Selection, ShadowedOrder, Shadowing
from app.store import keys
from app.store.forms import dumps, loads, number, text
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
                told = {"name": shadow.name, "at": shadow.at.isoformat()}
                await cast("Any", self._client.hset(keys.MODELS, SHADOW, dumps(told)))

    async def add_shadowed(self, order: ShadowedOrder) -> None:
        key = keys.shadow(order.shadow)
        with self._outages.reaching(writes=True):
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.lpush(key, shadowed_text(order))
                pipe.ltrim(key, 0, keys.SHADOWED_KEPT - 1)
                pipe.expire(key, keys.SHADOWED_SECONDS)
                await pipe.execute()

    async def shadowed(self, name: str) -> Sequence[ShadowedOrder]:
        with self._outages.reaching():
            lines = await cast("Any", self._client.lrange(keys.shadow(name), 0, -1))
        found: dict[str, ShadowedOrder] = {}
        for line in lines:
            order = _known(line)
            if order is not None:
                found.setdefault(order.order_id, order)
        return list(found.values())

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


def shadowed_text(order: ShadowedOrder) -> str:
    return dumps(
        {
            "order_id": order.order_id,
            "own": order.own,
            "shadow": order.shadow,
            "steps": order.steps,
            "stops_alike": order.stops_alike,
            "fraction_apart": order.fraction_apart,
            "own_steps": order.own_steps,
            "shadow_steps": order.shadow_steps,
            "own_slippage_bps": text(order.own_slippage_bps),
            "shadow_slippage_bps": text(order.shadow_slippage_bps),
        }
    )


def shadowed_from(line: str) -> ShadowedOrder:
    """Raises ValueError, KeyError or TypeError for what this release does not know."""
    value = loads(line)
    return ShadowedOrder(
        order_id=value["order_id"],
        own=value["own"],
        shadow=value["shadow"],
        steps=value["steps"],
        stops_alike=value["stops_alike"],
        fraction_apart=value["fraction_apart"],
        own_steps=value["own_steps"],
        shadow_steps=value["shadow_steps"],
        own_slippage_bps=number(value["own_slippage_bps"]),
        shadow_slippage_bps=number(value["shadow_slippage_bps"]),
    )


def _known(line: str) -> ShadowedOrder | None:
    """None for what another release has written: the others go on."""
    try:
        return shadowed_from(line)
    except (ValueError, KeyError, TypeError):
        return None
