"""The order side of the LEM: step-wise FusedMLP blocks, one small network per step and scenario.

Each block's weights are a part shared by all blocks plus its own deviation from it, so that what one scenario learns
about patience helps the others; export folds the two into one table.

Shapes: B orders, H context width, N steps, S scenarios, K state columns, I inputs, D hidden. `...` is any batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from app.domain.order import SCENARIOS
from models.network.answer import OUTPUTS, answer
from models.network.martingale import MartingaleRule
from models.network.order_figures import ORDER_FIGURES, order_inputs
from models.network.order_view import OrderView
from models.network.scenarios import signs, vwap_flags
from models.settings.sizes import LemConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The weights of one step's networks, or of one row's: [..., I, D], [..., D], ..."""

    first: Tensor
    first_bias: Tensor
    second: Tensor
    second_bias: Tensor
    last: Tensor
    last_bias: Tensor


class DecisionNet(nn.Module):
    """Context, state, step and scenario -> the next allocation and the probability of stopping now.

    The pace is a base curve that the network scales up or down: the hedge of the optimum for a random walk (see
    martingale.py), moved to the forecast share of volume for VWAP. A network that has learned nothing acts by that
    optimum.
    """

    sign: Tensor
    is_vwap: Tensor

    def __init__(self, config: LemConfig) -> None:
        super().__init__()
        self.steps = config.max_steps
        self.rule = MartingaleRule(config.max_steps)
        inputs, hidden = len(ORDER_FIGURES) + config.context_width, config.decision_hidden
        self.inputs = inputs
        shapes = {
            "first": (inputs, hidden), "first_bias": (hidden,), "second": (hidden, hidden), "second_bias": (hidden,),
            "last": (hidden, len(OUTPUTS)), "last_bias": (len(OUTPUTS),),
        }  # fmt: skip
        self.names = tuple(shapes)
        self.shared = nn.ParameterDict()
        self.own = nn.ParameterDict()
        for name, shape in shapes.items():
            scale = 1.0 / math.sqrt(shape[0]) if len(shape) > 1 else 0.0
            self.shared[name] = nn.Parameter(torch.randn(shape) * scale)
            deviation = torch.zeros(config.max_steps, len(SCENARIOS), *shape)
            self.own[name] = nn.Parameter(deviation, requires_grad=bool(config.step_blocks))
        with torch.no_grad():
            self.shared["last"].mul_(0.05)
        self.register_buffer("sign", signs(), persistent=False)
        self.register_buffer("is_vwap", vwap_flags(), persistent=False)

    def step_block(self, step: int) -> Block:
        """The networks of one step, [S, ...]; `step` is 1-based."""
        return Block(**{name: self.shared[name] + self.own[name][step - 1] for name in self.names})

    def propose(self, view: OrderView, block: Block) -> tuple[Tensor, Tensor]:
        """All scenarios of one step at once: tensors [S, B, ...] -> allocation and stop logit, [S, B]."""
        return answer(view, _mlp(order_inputs(view), block))


class DecisionTable(nn.Module):
    """A trained DecisionNet as `decision.onnx`: one folded block per step and scenario, looked up row by row."""

    sign: Tensor
    is_vwap: Tensor

    def __init__(self, net: DecisionNet) -> None:
        super().__init__()
        self.steps, self.names, self.rule = net.steps, net.names, net.rule
        for name in net.names:
            folded = (net.shared[name] + net.own[name]).detach().flatten(0, 1)  # [N S, ...]
            self.register_buffer(name, folded)
        self.register_buffer("sign", net.sign.clone())
        self.register_buffer("is_vwap", net.is_vwap.clone())

    def forward(
        self, context: Tensor, volume_forecast: Tensor, state: Tensor, step: Tensor, scenario: Tensor
    ) -> tuple[Tensor, Tensor]:
        """[B, H], [B, N], [B, K], [B], [B] -> allocation [B], stop probability [B]."""
        row = (step - 1).clamp(0, self.steps - 1) * len(SCENARIOS) + scenario
        block = Block(**{name: getattr(self, name)[row] for name in self.names})
        view = OrderView.of(
            self.rule,
            context=context,
            volume_forecast=volume_forecast,
            state=state,
            step=step.to(context.dtype),
            sign=self.sign[scenario],
            is_vwap=self.is_vwap[scenario],
        )
        allocation, logit = answer(view, _mlp(order_inputs(view).unsqueeze(-2), block)[:, 0])
        return allocation, torch.sigmoid(logit)


def _mlp(x: Tensor, block: Block) -> Tensor:
    """[..., B, I] -> [..., B, 3] with one set of weights per leading index."""
    hidden = functional.silu(x @ block.first + block.first_bias.unsqueeze(-2))
    hidden = functional.silu(hidden @ block.second + block.second_bias.unsqueeze(-2))
    return hidden @ block.last + block.last_bias.unsqueeze(-2)
