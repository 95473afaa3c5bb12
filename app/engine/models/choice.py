"""Which chain decides which order. An order keeps the bundle that it was accepted with; new orders get the active one,
or the one that they name.

Loaded are the service's own bundle, the active one, the shadow, and those of orders that are decided now: a bundle that
decided nothing for `IDLE_SECONDS` is let go, and loaded again when it is needed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic
from typing import Protocol

from app.decision.chain import PolicyChain
from app.domain.errors import Conflict, NotFound, Unavailable
from app.engine.models.ports import Activation, Bundle, Bundles, ModelRecords, Selection, Shadowing
from app.engine.tasks import end

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 1.0
"""How often the store is asked what operators have chosen: every process follows within about that long."""
IDLE_SECONDS = 3_600.0
LOADED_AGAIN_SECONDS = 60.0
"""Until a bundle that could not be loaded is tried again: its orders have slices of what stands in meanwhile."""
MODEL_MISSING = "model_missing"
"""Why the bundle of an order did not decide: it is not in the catalogue of this process, or fails its checks."""
DIGEST_MARK = "@"


class ModelMetrics(Protocol):
    def bundles(self, active: str, loaded: int) -> None:
        """`active` decides new orders; so many bundles are loaded, it among them."""
        ...


class Models:
    """`own` is the chain that the service was started with; without `bundles` it decides every order, and without
    `records` nothing is recorded. A bundle that reads more than `lookback` bars cannot serve: so many are kept.

    `active` decides new orders, `shadow` none. `missing` tells that the recorded active bundle cannot be loaded here:
    `active` is the service's own one then."""

    def __init__(
        self,
        own: PolicyChain,
        bundles: Bundles | None = None,
        records: ModelRecords | None = None,
        *,
        lookback: int | None = None,
        metrics: ModelMetrics | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.own = own
        self.active = own
        self.shadow: PolicyChain | None = None
        self.selection = Selection()
        self.missing = False
        self._bundles = bundles
        self._records = records
        self._lookback = lookback or own.lookback
        self._metrics = metrics
        self._clock = clock
        self._loaded: dict[str, PolicyChain] = {own.name: own}
        self._used: dict[str, float] = {}
        self._failed: dict[str, float] = {}
        self._looked = False
        self._loading = asyncio.Lock()
        self._tell()

    @property
    def records(self) -> ModelRecords | None:
        return self._records

    def of(self, bundle: str | None) -> PolicyChain | None:
        """The chain of an order that records this bundle, where it is loaded; see `ensure`."""
        if bundle is None or self._bundles is None:
            return self.own
        self._used[bundle] = self._clock()
        return self._loaded.get(bundle)

    async def ensure(self, bundles: Iterable[str | None]) -> None:
        """Load what is not loaded of them. A bundle that cannot be loaded is left out, and tried again later."""
        if self._bundles is None:
            return
        for name in filter(None, bundles):
            self._used[name] = self._clock()
            if name not in self._loaded:
                await self._load_again(name)

    async def chosen(self, asked: str | None) -> PolicyChain:
        """The chain of a new order that asks for this model, None for none.
        Raises NotFound("unknown_model"), Conflict("model_refused"), Unavailable."""
        if asked is None:
            if not self._looked:  # the store was away when the service began: another bundle may be active
                await self.look()
            return self.active
        if asked in self._loaded:
            self._used[asked] = self._clock()
            return self._loaded[asked]
        return await self._serving(await self.entry(asked))

    async def entries(self) -> Sequence[Bundle]:
        """Every bundle that is there now, with what keeps it from serving."""
        if self._bundles is None:
            return []
        return await asyncio.to_thread(self._bundles.entries)

    async def entry(self, asked: str) -> Bundle:
        """The bundle of that name; a card's name without a digest stands for it where one bundle alone has that name.
        Raises NotFound("unknown_model")."""
        found = [each for each in await self.entries() if asked in (each.name, each.name.partition(DIGEST_MARK)[0])]
        exact = [each for each in found if each.name == asked]
        if len(exact or found) != 1:
            several = ", ".join(each.name for each in found)
            detail = f"several bundles are called {asked!r}: {several}" if found else f"no bundle is called {asked!r}"
            raise NotFound("unknown_model", detail)
        return (exact or found)[0]

    async def activate(self, asked: str, at: datetime) -> Activation:
        """The bundle decides new orders from now on, in every process; those under way stay on theirs. To activate the
        former one again rolls back. Raises as `chosen`, and Unavailable."""
        chain = await self._serving(await self.entry(asked))
        await self.look()  # another process may have activated another one just now
        if self.selection.active is not None and self.selection.active.name == chain.name:
            return self.selection.active
        former = self.active.name if self.active.name != chain.name else None
        activation = Activation(name=chain.name, at=at, former=former)
        if self._records is not None:
            await self._records.activate(activation)
        await self._take(Selection(active=activation, shadow=self.selection.shadow))
        LOG.info("the bundle %s is active; %s was before", chain.name, activation.former)
        return activation

    async def put_shadow(self, asked: str, at: datetime) -> Shadowing:
        """The bundle decides silently beside the others. Raises as `activate`."""
        chain = await self._serving(await self.entry(asked))
        await self.look()
        if self.selection.shadow is not None and self.selection.shadow.name == chain.name:
            return self.selection.shadow
        shadow = Shadowing(name=chain.name, at=at)
        if self._records is not None:
            await self._records.put_shadow(shadow)
        await self._take(Selection(active=self.selection.active, shadow=shadow))
        return shadow

    async def end_shadow(self) -> None:
        """No bundle decides silently any more. Raises Unavailable."""
        await self.look()
        if self._records is not None:
            await self._records.put_shadow(None)
        await self._take(Selection(active=self.selection.active))

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Looks at the store now, and again and again while open."""
        await self._try_to_look()
        task = asyncio.create_task(self._follow(), name="models")
        try:
            yield
        finally:
            await end(task)

    async def look(self) -> None:
        """Take over what is recorded, and let go of bundles that have decided nothing for long. Raises Unavailable."""
        if self._records is not None:
            await self._take(await self._records.selection())
        self._looked = True
        self._let_go()

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._try_to_look()

    async def _try_to_look(self) -> None:
        try:
            await self.look()
        except Unavailable:  # told where outages are told
            pass
        except Exception:  # whatever it was, the next look may go well
            LOG.exception("what is recorded of the models cannot be read; trying again")

    async def _take(self, selection: Selection) -> None:
        """The new bundle is loaded before it takes the place of the other one: no order waits for it."""
        lacking = self.missing or (selection.shadow is not None and self.shadow is None)
        if selection == self.selection and not lacking:
            return
        active = await self._chain_or_none(selection.active.name) if selection.active else self.own
        self.missing = active is None
        self.active = active or self.own
        self.shadow = await self._chain_or_none(selection.shadow.name) if selection.shadow else None
        self.selection = selection
        self._tell()

    async def _chain_or_none(self, name: str) -> PolicyChain | None:
        await self.ensure([name])
        return self._loaded.get(name)

    async def _load_again(self, name: str) -> None:
        since = self._failed.get(name)
        if since is not None and self._clock() - since < LOADED_AGAIN_SECONDS:
            return
        try:
            await self._serving(await self.entry(name))
        except (NotFound, Conflict) as error:
            self._failed[name] = self._clock()
            LOG.error("the bundle %s cannot decide here: %s", name, error.detail)  # noqa: TRY400 -- the detail says all

    async def _serving(self, entry: Bundle) -> PolicyChain:
        """The chain of a bundle that may serve. Raises Conflict("model_refused")."""
        problem = entry.problem or self._too_long(entry)
        if problem is not None:
            raise Conflict("model_refused", f"{entry.name} does not serve: {problem}")
        async with self._loading:
            if entry.name not in self._loaded and self._bundles is not None:
                try:
                    self._loaded[entry.name] = await asyncio.to_thread(self._bundles.chain, entry)
                except Exception as error:  # a bundle's folder may be gone by now, or be another one
                    raise Conflict("model_refused", f"{entry.name} does not serve: {error}") from error
                self._failed.pop(entry.name, None)
        self._used[entry.name] = self._clock()
        self._tell()
        return self._loaded[entry.name]

    def _too_long(self, entry: Bundle) -> str | None:
        lookback = int(entry.card.get("lookback", 0))
        if lookback <= self._lookback:
            return None
        return f"it reads {lookback} bars and the service keeps {self._lookback}; restart the service with it"

    def problem_of(self, entry: Bundle) -> str | None:
        """Why the bundle may not serve here; None where it may."""
        return entry.problem or self._too_long(entry)

    def _let_go(self) -> None:
        kept = {self.own.name, self.active.name} | ({self.shadow.name} if self.shadow else set())
        now = self._clock()
        for name in set(self._loaded) - kept:
            if now - self._used.get(name, now) > IDLE_SECONDS:
                del self._loaded[name]
                self._used.pop(name, None)
                self._tell()

    def _tell(self) -> None:
        if self._metrics is not None:
            self._metrics.bundles(self.active.name, len(self._loaded))
