"""What the order's networks read: the figures of the order itself, then the learned part of the context.

Shapes: B orders, H context width, I inputs. `...` is any batch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.network.clean_bars import MOVE_USUAL
from models.network.context import OUTLOOK_GAIN
from models.network.context_layout import CONTEXT
from models.network.expectation import STEPS_USUAL, fearless
from models.network.order_view import OrderView
from models.network.packing import packed

CAP_USUAL = 3.0
"""A cap of so many even slices is read as 1."""
ORDER_FIGURES = (
    "benchmark_over_close", "benchmark_over_achieved", "distance", "beyond_threshold",
    "filled", "share", "share_to_go", "target_to_go", "ahead_to_go",
    "length", "step", "steps_left", "even_share", "steps_to_min", "may_stop",
    "volume_seen", "volume_next", "volume_to_min", "size",
    "slice_cap", "slices_to_finish",
    "log_risk", "bounded_risk", "fearless", "volume_ahead", "edge",
)  # fmt: skip
"""In the order in which the first layer's weights read them."""


def order_inputs(view: OrderView) -> Tensor:
    """[..., I]."""
    figures, order = order_figures(view), view.standing
    learned = order.context[..., CONTEXT.learned]
    signed = learned[..., CONTEXT.signed] * order.sign[..., None]
    return torch.cat([packed(ORDER_FIGURES, figures), signed, learned[..., CONTEXT.unsigned]], dim=-1)


def order_figures(view: OrderView) -> dict[str, Tensor]:
    """[...] each, without units and mostly between -1 and 1."""
    order, expected, aim = view.standing, view.expectation, view.aim
    state, total = order.state, view.expectation.volume_total
    risk, steps = state["risk_aversion"], state["max_steps"]
    slices = order.leaves / view.cap.clamp(min=1e-4)
    y = torch.asinh(aim.y)
    return {
        "benchmark_over_close": y,
        "benchmark_over_achieved": torch.asinh(
            order.sign * state["achieved_return"] / (order.volatility * order.scale)
        ),
        "distance": y.abs() - MOVE_USUAL,
        "beyond_threshold": torch.asinh(aim.beyond),
        "filled": order.filled,
        "share": expected.share,
        "share_to_go": expected.share - order.filled,
        "target_to_go": aim.target - order.filled,
        "ahead_to_go": aim.ahead - order.filled,
        "length": torch.log(steps / STEPS_USUAL),
        "step": order.step / steps,
        "steps_left": order.steps_left / steps,
        "even_share": 1.0 / order.steps_left,
        "steps_to_min": order.to_min / steps,
        "may_stop": (order.to_min == 0.0).to(order.context.dtype),
        "volume_seen": state["benchmark_volume"] / total,
        "volume_next": expected.next_volume / total,
        "volume_to_min": (state["benchmark_volume"] + expected.volume_to_min) / total,
        "size": torch.log(expected.size.clamp(1e-7, 1e3) + 1e-4) / 4.0 + 1.0,
        "slice_cap": (view.cap * steps / CAP_USUAL).clamp(max=2.0),
        "slices_to_finish": (slices / steps).clamp(max=2.0),
        "log_risk": torch.log(risk + 0.03) / 2.0,
        "bounded_risk": risk / (1.0 + risk),
        "fearless": fearless(risk),
        "volume_ahead": torch.log(
            (expected.volume_left / torch.exp(order.context[..., CONTEXT.log_volume]) / order.steps_left).clamp(
                1e-2, 1e2
            )
        ),
        "edge": OUTLOOK_GAIN * view.edge,
    }
