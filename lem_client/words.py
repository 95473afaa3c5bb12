"""Words of the interface, such as `buy` and `working`."""

from __future__ import annotations

from enum import StrEnum


class Word(StrEnum):
    """A word that is a text too: `Side.BUY == "buy"`. Words that only a newer service says are kept as they are, so
    that its answers can be read."""

    @classmethod
    def _missing_(cls, value: object) -> Word | None:
        if not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_ = word._value_ = value
        return word


class Side(Word):
    BUY = "buy"
    SELL = "sell"


class Benchmark(Word):
    """What the achieved price is held against: the average of the bars by volume, or by time."""

    VWAP = "vwap"
    TWAP = "twap"


class SizeMode(Word):
    """Which of the two an order fixes: base units, or quote currency."""

    QUANTITY = "quantity"
    NOTIONAL = "notional"


class Fills(Word):
    """`assumed`: a slice counts as filled when its bar closes; `reported`: only what you report counts."""

    ASSUMED = "assumed"
    REPORTED = "reported"


class Completion(Word):
    """What becomes of an order that its participation limit would leave unfinished: it ends with what is left, or the
    limit gives way in the last steps."""

    WITHIN_LIMITS = "within_limits"
    ALWAYS = "always"


class RiskAversion(Word):
    """A named trade-off between the best mean (`neutral`) and the least spread of outcomes (`tracking`)."""

    NEUTRAL = "neutral"
    DEFAULT = "default"
    TRACKING = "tracking"


class Status(Word):
    """Where an order is in its life."""

    ACCEPTED = "accepted"
    WORKING = "working"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    REPLACED = "replaced"

    @property
    def live(self) -> bool:
        """Whether slices may still come."""
        return self not in ENDED


ENDED = frozenset({Status.COMPLETED, Status.CANCELLED, Status.EXPIRED, Status.REJECTED, Status.REPLACED})


class StatusReason(Word):
    """Who has moved an order to another status."""

    OMS = "oms"
    MODEL = "model"
    FILLS = "fills"
    CLOCK = "clock"
    BUST = "bust"


class StopReason(Word):
    """Why a slice is meant to be the last."""

    MODEL = "model"
    EARLY = "early"
    MAX_STEPS = "max_steps"
    FINISH_PRICE = "finish_price"


class Basis(Word):
    """Who decided: the model, or what stands in for it."""

    MODEL = "model"
    FALLBACK = "fallback"


class Bound(Word):
    """The limit that changed what was proposed; `paused`: the order was."""

    SLICE_CAP = "slice_cap"
    PARTICIPATION = "participation"
    LIMIT_PRICE = "limit_price"
    MIN_STEPS = "min_steps"
    MAX_STEPS = "max_steps"
    MIN_SLICE = "min_slice"
    LEAVES = "leaves"
    PAUSED = "paused"
    AVOID_OPEN = "avoid_open"
    AVOID_CLOSE = "avoid_close"


class StepState(Word):
    """A step of a schedule is over, runs, or is yet to be decided."""

    DONE = "done"
    CURRENT = "current"
    PROJECTED = "projected"


class FillWarning(Word):
    """What is odd about a fill that is booked all the same."""

    OVER_FILLED = "over_filled"
    BELOW_LOT = "below_lot"
    BEYOND_LIMIT_PRICE = "beyond_limit_price"
    PRICE_FAR_FROM_MARKET = "price_far_from_market"
    EXECUTED_OUTSIDE_WINDOW = "executed_outside_window"


class OrderWarning(Word):
    """What is odd about an order that can be taken all the same."""

    PARTICIPATION_GIVES_WAY = "participation_gives_way"
    MAY_NOT_FINISH = "may_not_finish"
    LITTLE_ROOM = "little_room"
    NO_VOLUME = "no_volume"
    BEYOND_LIMIT_PRICE = "beyond_limit_price"
    AT_FINISH_PRICE = "at_finish_price"
    STEPS_AVOIDED = "steps_avoided"
    SLICES_BELOW_MINIMUM = "slices_below_minimum"
    MODEL_UNAVAILABLE = "model_unavailable"


class QuoteBasis(Word):
    """Where the gain of a quote comes from: measured orders, or simulated continuations of the market."""

    CALIBRATION = "calibration"
    RANDOM_WALK = "random_walk"


class QuoteWarning(Word):
    """Where to trust a quote less."""

    NOT_CALIBRATED = "not_calibrated"
    MODEL_UNAVAILABLE = "model_unavailable"
    BAR_LENGTH_NOT_CALIBRATED = "bar_length_not_calibrated"
    HORIZON_NOT_CALIBRATED = "horizon_not_calibrated"
    RISK_AVERSION_NOT_CALIBRATED = "risk_aversion_not_calibrated"
    SLICE_CAP_NOT_CALIBRATED = "slice_cap_not_calibrated"
    PARTICIPATION_NOT_CALIBRATED = "participation_not_calibrated"
    LIMIT_PRICE_NOT_CALIBRATED = "limit_price_not_calibrated"
    MAY_NOT_FINISH = "may_not_finish"
    NO_VOLUME = "no_volume"
    NO_VOLATILITY = "no_volatility"


class WebhookStatus(Word):
    """Whether deliveries to a webhook arrive. Nothing is sent any more where it is `disabled`: the address has answered
    410."""

    ACTIVE = "active"
    FAILING = "failing"
    DISABLED = "disabled"
