"""What the choice of bundles needs from outside. `app/bundles` and `app/store` implement it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from app.decision.chain import PolicyChain


class Bundle(Protocol):
    """A bundle as the catalogue lists it. `problem` says why it may not serve, None where it may; `card` is its card
    without the long parts; `own` is the bundle that the service was started with."""

    @property
    def name(self) -> str: ...

    @property
    def card(self) -> Mapping[str, Any]: ...

    @property
    def problem(self) -> str | None: ...

    @property
    def own(self) -> bool: ...


class Bundles(Protocol):
    """The bundles side by side. Both calls read files and check graphs: call them in a thread."""

    def entries(self) -> Sequence[Bundle]:
        """Every bundle that is there now, checked."""
        ...

    def chain(self, entry: Any) -> PolicyChain:
        """The bundle of an entry, loaded, with what stands in for it. Raises where it cannot be loaded."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """The bundle `name` decides new orders since `at`; `former` is the one that did before, None where nobody knows."""

    name: str
    at: datetime
    former: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadowing:
    """The bundle `name` decides silently beside the active one, for orders that are accepted from `at` on."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What operators have chosen; None where they have chosen nothing."""

    active: Activation | None = None
    shadow: Shadowing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowedOrder:
    """One order, decided twice. `own` is the bundle that decided it, `shadow` the one that did so silently.

    In `steps` steps both were asked about the same state: `stops_alike` of them they agreed on whether to stop, and
    `fraction_apart` is by how much of the order their slices differ in the mean. `own_steps` and `shadow_steps` are how
    many steps each would have taken, the slippages what each would have cost (basis points, positive is a cost), None
    where no benchmark is known.
    """

    order_id: str
    own: str
    shadow: str
    steps: int
    stops_alike: int
    fraction_apart: float
    own_steps: int
    shadow_steps: int
    own_slippage_bps: Decimal | None
    shadow_slippage_bps: Decimal | None


class ModelRecords(Protocol):
    """What is recorded of the choice, for all processes that share the store and after a restart. Every method raises
    `Unavailable("store_unavailable")` while the store cannot be reached."""

    async def selection(self) -> Selection: ...

    async def activate(self, activation: Activation) -> None: ...

    async def put_shadow(self, shadow: Shadowing | None) -> None:
        """None ends the shadow."""
        ...

    async def add_shadowed(self, order: ShadowedOrder) -> None:
        """Record what a shadow would have done. The oldest make way where there are many."""
        ...

    async def shadowed(self, name: str) -> Sequence[ShadowedOrder]:
        """What the shadow of that name would have done, newest first, each order once."""
        ...
