"""Words of an order that stand for how it is to be worked."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Completion(StrEnum):
    """What becomes of an order that its participation limit would leave unfinished. `within_limits`: the limit holds to
    the end, and the order expires with what is left; `always`: the limit gives way in the last steps, so that the order
    is done."""

    WITHIN_LIMITS = "within_limits"
    ALWAYS = "always"


class RiskAversion(StrEnum):
    """A named trade-off. `neutral`: the best mean; `tracking`: the least spread of outcomes; `default`: most of the
    mean at much less spread."""

    NEUTRAL = "neutral"
    DEFAULT = "default"
    TRACKING = "tracking"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskAversions:
    """What each name means as a number, which the model says."""

    neutral: float
    default: float
    tracking: float

    def of(self, asked: Decimal | RiskAversion | None) -> float:
        """The number that an order asks for; one that asks for nothing gets the default."""
        if asked is None:
            return self.default
        if isinstance(asked, RiskAversion):
            named: float = getattr(self, asked)
            return named
        return float(asked)


NEUTRAL, TRACKING = 0.0, 6.0
"""What these names mean for a model that does not say: the numbers at which bundles are evaluated."""


class OrderWarning(StrEnum):
    """What is odd about an order that can be taken all the same. `participation_gives_way`: the order cannot be done
    within its participation limit at the volume that is expected, and exceeds the limit in its last steps;
    `may_not_finish`: as that, but the order expires with what is left;
    `little_room`: the order needs more than four fifths of what its limits allow at that volume; `no_volume`: no volume
    is known of, and the participation limit allows nothing before one is; `beyond_limit_price`: the last close is
    beyond the limit price; `at_finish_price`: the last close is at the finish price or better; `steps_avoided`: some of
    the steps touch minutes that the order avoids; `slices_below_minimum`: an even slice is worth less than the
    instrument's minimum; `model_unavailable`: the model cannot read this market now, and others decide in its place."""

    PARTICIPATION_GIVES_WAY = "participation_gives_way"
    MAY_NOT_FINISH = "may_not_finish"
    LITTLE_ROOM = "little_room"
    NO_VOLUME = "no_volume"
    BEYOND_LIMIT_PRICE = "beyond_limit_price"
    AT_FINISH_PRICE = "at_finish_price"
    STEPS_AVOIDED = "steps_avoided"
    SLICES_BELOW_MINIMUM = "slices_below_minimum"
    MODEL_UNAVAILABLE = "model_unavailable"
