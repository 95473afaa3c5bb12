"""The ceilings: a bare FastAPI handler that reads one hash field, and a bare one that runs one script, in a process of
their own on a store like the service's, every write synced. Nobody who serves the same over HTTP and Redis costs less.

Run as `python -m app.bench.ceilings FOLDER`; prints where it listens and runs until a signal ends it.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel
from redis.asyncio import Redis

from app.api.slices.bodies import EXAMPLE
from app.store.embedded import EmbeddedStore

SLICES_KEY = "ceiling:slices"
ORDER_KEY = "ceiling:order:{name}"
CREATE = """
if redis.call('EXISTS', KEYS[1]) == 1 then
  return redis.call('HGET', KEYS[1], 'order')
end
redis.call('HSET', KEYS[1], 'order', ARGV[1])
return ARGV[1]
"""


class BareHorizon(BaseModel):
    min_steps: int
    max_steps: int


class BareOrder(BaseModel):
    client_order_id: str
    instrument: str
    side: str
    quantity: str | None = None
    notional: str | None = None
    benchmark: str
    horizon: BareHorizon


def build(folder: Path) -> FastAPI:
    """The application. Its lifespan owns the store."""

    @asynccontextmanager
    async def lifespan(bare: FastAPI) -> AsyncIterator[None]:
        async with EmbeddedStore(folder) as embedded:
            store = bare.state.store = Redis.from_url(embedded.url, decode_responses=True)
            bare.state.create = store.register_script(CREATE)
            await cast("Any", store.hset(SLICES_KEY, "any", json.dumps(EXAMPLE)))
            yield
            await store.aclose()

    bare = FastAPI(lifespan=lifespan)

    @bare.get("/slices/{order_id}")
    async def read(order_id: str) -> Response:
        return Response(await bare.state.store.hget(SLICES_KEY, order_id), media_type="application/json")

    @bare.post("/orders", status_code=201)
    async def create(order: BareOrder) -> Response:
        key = ORDER_KEY.format(name=order.client_order_id)
        stored = await bare.state.create(keys=[key], args=[order.model_dump_json()])
        return Response(stored, 201, media_type="application/json")

    return bare


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        print(f"listening on http://{host}:{port}", flush=True)  # noqa: T201 -- whoever started it waits for this line


def main(folder: Path) -> None:
    config = uvicorn.Config(build(folder), host="127.0.0.1", port=0, log_level="warning", access_log=False, ws="none")
    _Server(config).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
