"""API keys in the store: a hash of all of them, which is read whole where it has changed."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from app.access.api_keys import ApiKey, Scope
from app.store import keys
from app.store.forms import dumps, loads, moment
from app.store.gathering import GatheringRedis
from app.store.outages import Outages

LOG = logging.getLogger(__name__)
CHANGED = "changed"
"""The field that is another one after each change; every other field is a key's prefix."""


class RedisApiKeys:
    """See `access.ports.KeyStore`."""

    def __init__(self, client: GatheringRedis, outages: Outages | None = None) -> None:
        self._client = client
        self._outages = outages or Outages()
        self._told: set[str] = set()

    async def changed(self) -> str:
        with self._outages.reaching():
            return await cast("Any", self._client.hget(keys.API_KEYS, CHANGED)) or ""

    async def all(self) -> Sequence[ApiKey]:
        with self._outages.reaching():
            lines = await cast("Any", self._client.hgetall(keys.API_KEYS))
        read = (self._read(prefix, line) for prefix, line in sorted(lines.items()) if prefix != CHANGED)
        return [key for key in read if key is not None]

    async def put(self, key: ApiKey) -> None:
        fields: Any = {key.prefix: key_text(key), CHANGED: secrets.token_hex(8)}
        with self._outages.reaching(writes=True):
            await cast("Any", self._client.hset(keys.API_KEYS, mapping=fields))

    def _read(self, prefix: str, line: str) -> ApiKey | None:
        """None for a key that this release does not understand: it opens nothing, and the others go on."""
        try:
            return key_from(prefix, line)
        except (ValueError, KeyError, TypeError):
            if prefix not in self._told:
                self._told.add(prefix)
                LOG.error("the API key %s in the store is not understood and opens nothing", prefix)  # noqa: TRY400 -- it may quote the digest
            return None


def key_text(key: ApiKey) -> str:
    return dumps(
        {
            "digest": key.digest,
            "name": key.name,
            "scopes": sorted(key.scopes),
            "created_at": key.created_at.isoformat(),
            "account": key.account,
            "requests_per_second": key.requests_per_second,
            "expires_at": _text(key.expires_at),
            "revoked_at": _text(key.revoked_at),
        }
    )


def key_from(prefix: str, line: str) -> ApiKey:
    """Raises ValueError, KeyError or TypeError for what this release does not know."""
    value = loads(line)
    return ApiKey(
        prefix=prefix,
        digest=value["digest"],
        name=value["name"],
        scopes=frozenset(map(Scope, value["scopes"])),
        created_at=datetime.fromisoformat(value["created_at"]),
        account=value.get("account"),
        requests_per_second=value.get("requests_per_second"),
        expires_at=moment(value.get("expires_at")),
        revoked_at=moment(value.get("revoked_at")),
    )


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
