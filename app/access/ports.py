"""What access needs from outside; `app/store` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.access.api_keys import ApiKey


class KeyStore(Protocol):
    """The recorded keys. Every method raises `Unavailable("store_unavailable")` while the store cannot be reached."""

    async def changed(self) -> str:
        """Another text after each change of the keys; empty while there never was one."""
        ...

    async def all(self) -> Sequence[ApiKey]:
        """All keys, those that are revoked or expired too; without those that this release does not understand."""
        ...

    async def put(self, key: ApiKey) -> None:
        """Record a key, or what has changed of it."""
        ...
