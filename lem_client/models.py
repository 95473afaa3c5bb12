"""What decides: bundles, their cards, and shadows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from lem_client.analyses import Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A bundle: `name` is what slices record as `model`; `card` is its description. The `active` one decides new
    orders, the `shadow` decides silently. Where it does not serve, `problem` says why, and the card is empty."""

    name: str
    active: bool
    shadow: bool = False
    serves: bool = True
    problem: str | None = None
    card: Mapping[str, Any] = field(repr=False)

    @property
    def max_steps(self) -> int:
        """The most steps of an order that the bundle decides; 0 where it does not serve."""
        return int(self.card.get("max_steps", 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """The whole card of a bundle, but for its golden cases."""

    name: str
    card: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """The bundle `name` decides new orders since `activated_at`; to activate the `former` one again takes it back."""

    name: str
    activated_at: datetime
    former: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadowing:
    """The bundle `name` decides silently, `since` that time."""

    name: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowTotals:
    """Orders of the bundle `own`, decided by the shadow too. In `steps` steps both were asked about the same state of
    an order: `stops_alike` is the share of them in which both would stop or both would not, `fraction_apart` how far
    their slices lie apart, as a fraction of the order. `saved_bps` is positive where the shadow is cheaper."""

    own: str
    orders: int
    steps: int
    stops_alike: Decimal
    fraction_apart: Decimal
    own_steps: Decimal
    shadow_steps: Decimal
    own_slippage_bps: Distribution | None
    shadow_slippage_bps: Distribution | None
    saved_bps: Distribution | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowedOrder:
    """One order, decided twice on the same bars; `stops_alike` counts steps."""

    order_id: str
    own: str
    steps: int
    stops_alike: int
    fraction_apart: Decimal
    own_steps: int
    shadow_steps: int
    own_slippage_bps: Decimal | None
    shadow_slippage_bps: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """What the bundle `name` would have done: over all orders by the bundle that has decided them, and of the newest
    orders. `since` is None where it decides silently no more."""

    name: str
    since: datetime | None
    against: tuple[ShadowTotals, ...]
    newest: tuple[ShadowedOrder, ...]
