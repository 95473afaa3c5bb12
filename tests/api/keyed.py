"""Services with API keys, and clients that call with one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.access.api_keys import ApiKey, Scope
from app.issuing.key_store import opened_keys
from app.settings import Settings
from tests.builders import an_api_key


@dataclass(frozen=True, slots=True)
class Keyed:
    """A service that runs on the folder, and what makes keys for it."""

    client: httpx.AsyncClient
    folder: Path

    async def key(self, *scopes: Scope, **changes: Any) -> dict[str, str]:
        """The header that a new key with these scopes is sent in; with none named, it has all."""
        made, text = an_api_key(**({"scopes": frozenset(scopes)} if scopes else {}), **changes)
        await self.record(made)
        return bearing(text)

    async def record(self, key: ApiKey) -> None:
        """As `lem keys` does it while the service runs."""
        async with opened_keys(Settings(data_dir=self.folder, redis_url=None)) as keys:
            await keys.put(key)


def bearing(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


def code_of(answer: httpx.Response) -> tuple[int, str | None]:
    """Status and code; None for an answer that is no problem."""
    return answer.status_code, answer.json().get("code") if answer.headers["content-type"].endswith("json") else None
