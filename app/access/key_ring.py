"""The keys as one process knows them: read from the store in the background, so that no request waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import monotonic

from app.access.allowance import Allowance
from app.access.api_keys import PREFIX_LENGTH, ApiKey, Scope, prefix_of
from app.access.callers import Caller
from app.access.ports import KeyStore
from app.domain.errors import Unavailable
from app.engine.tasks import end, shared

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
"""How often the store is asked whether keys have changed: a revoked key opens nothing after about that long."""
AGE_SECONDS_MAX = 10.0
"""Of what is known of the keys. While the store cannot be asked for longer than that, no key is believed."""
PAUSE_SECONDS = 0.1
"""Between two looks at the store that unknown keys cause: whoever guesses keys must not keep the store busy."""


class KnownKey:
    """A key, who calls with it, and what is left of its allowance in this process."""

    __slots__ = ("_allowance", "_clock", "caller", "good", "key")

    def __init__(self, key: ApiKey, clock: Callable[[], float]) -> None:
        self.key = key
        self.caller = Caller(prefix=key.prefix, account=key.account)
        self.good = key.revoked_at is None and key.expires_at is None  # whatever time it is
        self._clock = clock
        self._allowance = Allowance(key.requests_per_second) if key.requests_per_second else None

    def may_call(self) -> bool:
        """Takes one call from the allowance; False where none is left."""
        return self._allowance is None or self._allowance.take(self._clock())


class KeyRing:
    def __init__(
        self,
        store: KeyStore,
        *,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._clock = clock
        self._now = now
        self._known: Mapping[bytes, KnownKey] = {}
        self._changed = ""
        self._looked_at = float("-inf")
        self._failed = False
        self.guarded = False
        self._look_once = shared(self._look)

    @property
    def loaded(self) -> bool:
        """Whether the store has ever said which keys there are."""
        return self._looked_at != float("-inf")

    @property
    def fresh(self) -> bool:
        """Whether what is known of the keys is new enough to be believed."""
        return self._clock() - self._looked_at <= AGE_SECONDS_MAX

    def found(self, presented: bytes) -> KnownKey | None:
        """The key whose text this is, where it is good."""
        known = self._known.get(presented[:PREFIX_LENGTH])
        if known is None or not known.key.is_text_of(presented):
            return None
        return known if known.good or known.key.good(self._now()) else None

    def lets_stay(self, prefix: str | None) -> bool:
        """Whether a caller who came in with the key of that prefix, or without one, would still be let in: a stream
        lasts longer than a call."""
        if prefix is None:
            return not self.guarded
        known = self._known.get(prefix.encode())
        return known is not None and (known.good or known.key.good(self._now()))

    def permits(self, prefix: str | None, needed: Sequence[Scope]) -> bool:
        """Whether a caller who came in so may make calls that need one of these scopes; without any key, all may."""
        known = self._known.get(prefix.encode()) if prefix is not None else None
        return not self.guarded if prefix is None else known is not None and known.key.permits(needed)

    async def found_anew(self, presented: bytes) -> KnownKey | None:
        """As `found`, once the store has been asked for new keys, for a text that may be one of those."""
        if prefix_of(presented) is None:
            return None
        await self._look_once()
        return self.found(presented)

    async def look(self) -> None:
        """Read the keys where they have changed. `guarded` says from then on whether there ever was a key: a service
        whose last key is revoked, or whose store has lost its keys, is closed and not open to all.
        Raises Unavailable."""
        began = self._clock()
        changed = await self._store.changed()
        if changed != self._changed:
            read = {key.prefix.encode(): self._kept(key) for key in await self._store.all()}
            self._known, self._changed = read, changed
        self._looked_at = began
        self.guarded = self.guarded or bool(changed)

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Looks at the store now, and again and again while open."""
        await self._try_to_look()
        task = asyncio.create_task(self._follow(), name="API keys")
        try:
            yield
        finally:
            await end(task)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._try_to_look()

    async def _look(self) -> None:
        """A look for whoever has brought an unknown key. A pause comes first, so that such looks are few."""
        await asyncio.sleep(PAUSE_SECONDS)
        await self._try_to_look()

    async def _try_to_look(self) -> None:
        try:
            await self.look()
            self._failed = False
        except Unavailable:  # told where outages are told
            pass
        except Exception:  # whatever it was, the next look may go well; until then keys grow old
            if not self._failed:
                LOG.exception("the API keys cannot be read; trying again")
            self._failed = True

    def _kept(self, key: ApiKey) -> KnownKey:
        """A key that has not changed keeps what is left of its allowance."""
        known = self._known.get(key.prefix.encode())
        return known if known is not None and known.key == key else KnownKey(key, self._clock)
