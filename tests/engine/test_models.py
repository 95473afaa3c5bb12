"""Each order is decided by its own bundle, and bundles are in memory only while they are needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.decision.chain import PolicyChain
from app.decision.policies.twap import Twap
from app.domain.errors import Conflict, NotFound
from app.engine.models.choice import IDLE_SECONDS, LOADED_AGAIN_SECONDS, Models
from app.store.redis_store import RedisStore
from tests.builders import START, bars
from tests.engine.desk import a_desk
from tests.engine.policies import Reader

HISTORY = 20
NO_STOP: dict[str, Any] = {"min_steps": 6, "max_steps": 6}


def a_reader(name: str, *, max_steps: int = 96) -> PolicyChain:
    reader = Reader()
    reader.name, reader.max_steps = name, max_steps
    return PolicyChain(reader, (Twap(),))


@dataclass(frozen=True)
class Entry:
    name: str
    card: Mapping[str, Any] = field(default_factory=lambda: {"lookback": Reader.lookback})
    problem: str | None = None
    own: bool = False


class Shelf:
    """Bundles that can be put there and taken away; it tells which were loaded."""

    def __init__(self, *entries: Entry) -> None:
        self.there = list(entries)
        self.loaded: list[str] = []

    def entries(self) -> Sequence[Entry]:
        return list(self.there)

    def chain(self, entry: Entry) -> PolicyChain:
        self.loaded.append(entry.name)
        return a_reader(entry.name)


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def models_of(shelf: Shelf, clock: Clock | None = None, store: RedisStore | None = None) -> Models:
    return Models(a_reader("own@1"), shelf, store.models if store else None, clock=clock or Clock())


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[RedisStore]:
    opened = RedisStore.at(store_url, lookback=96, allow_lossy=True)
    yield opened
    await opened.close()


async def test_orders_of_two_bundles_on_one_bar_are_each_decided_by_their_own(store_url: str) -> None:
    models = models_of(Shelf(Entry("own@1", own=True), Entry("other@2")))
    async with a_desk(store_url, models=models) as desk:
        await desk.feed(bars(HISTORY))
        own = await desk.order("a", **NO_STOP)
        other = await desk.order("b", model="other", **NO_STOP)
        await desk.feed_one_by_one(bars(HISTORY + 3)[HISTORY:])

        found = [{piece.decided.model for piece in await desk.slices(each)} for each in (own, other)]

    assert (own.bundle, other.bundle) == ("own@1", "other@2")
    assert found == [{"own@1"}, {"other@2"}]


async def test_an_order_whose_bundle_is_missing_gets_slices_of_what_stands_in(store_url: str) -> None:
    shelf, clock = Shelf(Entry("own@1", own=True), Entry("other@2")), Clock()
    async with a_desk(store_url, models=models_of(shelf)) as desk:
        await desk.feed(bars(HISTORY))
        order = await desk.order(model="other@2", **NO_STOP)

    gone = shelf.there.pop()
    async with a_desk(store_url, models=models_of(shelf, clock)) as desk:
        await desk.feed(bars(HISTORY + 1)[HISTORY:])
        shelf.there.append(gone)
        clock.time = LOADED_AGAIN_SECONDS
        await desk.feed(bars(HISTORY + 2)[HISTORY + 1 :])
        slices = await desk.slices(order)

    decided = [(each.decided.model, each.decided.fallback_reason) for each in slices]
    assert decided == [("other@2", None), ("twap", "model_missing"), ("other@2", None)]


async def test_a_bundle_that_decided_nothing_for_an_hour_is_let_go_and_loaded_again() -> None:
    shelf, clock = Shelf(Entry("own@1", own=True), Entry("other@2")), Clock()
    models = models_of(shelf, clock)
    await models.chosen("other@2")

    clock.time = IDLE_SECONDS
    await models.look()
    kept = models.of("other@2")
    clock.time = 2 * IDLE_SECONDS + 1
    await models.look()
    gone = models.of("other@2")
    await models.ensure(["other@2"])

    assert kept is not None
    assert gone is None
    assert models.of("other@2") is not None
    assert shelf.loaded == ["other@2", "other@2"]


async def test_nothing_is_loaded_of_bundles_that_decide_nothing() -> None:
    shelf = Shelf(Entry("own@1", own=True), Entry("other@2"))
    models = models_of(shelf)

    await models.entries()
    await models.chosen(None)
    await models.chosen("own@1")

    assert shelf.loaded == []


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (Entry("other@2", problem="golden case 3 is off"), "golden case 3 is off"),
        (Entry("other@2", card={"lookback": 97}), "reads 97 bars and the service keeps 96"),
    ],
)
async def test_a_bundle_that_cannot_serve_is_neither_activated_nor_pinned(entry: Entry, reason: str) -> None:
    models = models_of(Shelf(Entry("own@1", own=True), entry))

    with pytest.raises(Conflict, match=reason):
        await models.activate("other", START)
    with pytest.raises(Conflict, match=reason):
        await models.chosen("other@2")

    assert models.active.name == "own@1"


async def test_a_name_that_two_bundles_have_needs_its_digest() -> None:
    models = models_of(Shelf(Entry("own@1", own=True), Entry("other@2"), Entry("other@3")))

    with pytest.raises(NotFound, match="other@2, other@3"):
        await models.chosen("other")

    assert (await models.chosen("other@3")).name == "other@3"


async def test_another_process_follows_an_activation_and_says_where_it_cannot(store: RedisStore) -> None:
    """The second process lacks the bundle: it goes on with its own and is not ready until the bundle is there."""
    shelf, clock = Shelf(Entry("own@1", own=True)), Clock()
    first = models_of(Shelf(Entry("own@1", own=True), Entry("other@2")), store=store)
    second = models_of(shelf, clock, store)
    await first.activate("other", START)

    await second.look()
    lacking = second.active.name, second.missing
    shelf.there.append(Entry("other@2"))
    clock.time = LOADED_AGAIN_SECONDS
    await second.look()

    assert lacking == ("own@1", True)
    assert (second.active.name, second.missing) == ("other@2", False)
    assert second.selection == first.selection


async def test_a_service_whose_active_bundle_is_missing_says_so(store: RedisStore, store_url: str) -> None:
    first = models_of(Shelf(Entry("own@1", own=True), Entry("other@2")), store=store)
    await first.activate("other", START)
    second = models_of(Shelf(Entry("own@1", own=True)), store=store)
    await second.look()

    async with a_desk(store_url, models=second) as desk:
        readiness = await desk.engine.health.readiness()

    assert "model_missing" in readiness.reasons
