"""Which scopes open which call. A call of a resource that is not named here needs `read` to be read and `operations` to
be changed, so that a new one is never open by an oversight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.access.api_keys import Scope

OPEN = frozenset({"/healthz", "/readyz", "/openapi.json", "/docs"})
"""Paths that need no key: probes, and what describes the interface."""
DOCS_ASSETS = "/docs/assets/"
"""Scripts and styles of the pages that describe the interface."""
DESK = "/desk"
"""The pages for people. They ask for the key themselves (app/desk/door.py), since a person is shown a form where a
program is refused."""
METRICS = "/metrics"
"""Answered while the store is away too: that is what operators then look at."""
VERSION = "/v1/"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Any one of the scopes is enough; the first is the one that fits best."""

    reading: Sequence[Scope]
    writing: Sequence[Scope]


NEEDED: Mapping[str, Needed] = {
    "orders": Needed(reading=(Scope.READ, Scope.ORDERS), writing=(Scope.ORDERS,)),
    "events": Needed(reading=(Scope.READ, Scope.ORDERS), writing=(Scope.ORDERS,)),
    "webhooks": Needed(reading=(Scope.READ, Scope.ORDERS), writing=(Scope.ORDERS,)),
    "quotes": Needed(reading=(Scope.READ, Scope.ORDERS), writing=(Scope.READ, Scope.ORDERS)),
    "bars": Needed(reading=(Scope.READ, Scope.MARKET_DATA), writing=(Scope.MARKET_DATA,)),
    "instruments": Needed(reading=(Scope.READ, *(each for each in Scope if each is not Scope.READ)),
                          writing=(Scope.OPERATIONS,)),
    "models": Needed(reading=(Scope.READ, Scope.OPERATIONS), writing=(Scope.OPERATIONS,)),
}  # fmt: skip
"""By the word behind `/v1/`. A quote changes nothing, whatever its method."""
OTHERS = Needed(reading=(Scope.READ,), writing=(Scope.OPERATIONS,))


def needed_for(path: str, *, writes: bool) -> Sequence[Scope] | None:
    """None for a call that is open to all."""
    if path.startswith(VERSION):
        needed = NEEDED.get(path[len(VERSION) :].partition("/")[0], OTHERS)
        return needed.writing if writes else needed.reading
    if path in OPEN or path == DESK or path.startswith((f"{DESK}/", DOCS_ASSETS)):
        return None
    if path == METRICS:
        return (Scope.OPERATIONS,)
    return OTHERS.writing if writes else OTHERS.reading
