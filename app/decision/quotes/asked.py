"""The order that a quote is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.costs import Costs
from app.domain.order import Order
from app.domain.state import OrderState
from app.domain.steps_ahead import StepsAhead


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedOrder:
    """An order that would begin like `state`, in steps of `step_seconds`. `windows_unseen` lie between the newest bar
    and the order's first window. `risk_aversion` is the number that the order asks for, or the model's default. `costs`
    are those of its market. `steps` are the order's, where it avoids some."""

    state: OrderState
    step_seconds: int
    windows_unseen: int
    risk_aversion: float
    costs: Costs
    steps: StepsAhead | None = None

    @property
    def order(self) -> Order:
        return self.state.order
