"""The order side of the LEM: step-wise FusedMLP blocks, one small network per scenario at knots along the horizon.

An order's share of its horizon says between which knots it stands, whatever the horizon's length, and the weights are
read on straight lines between these. Each block's weights are a part shared by all blocks plus its own deviation from
it, so that what one scenario learns about patience helps the others; export folds all of it into one table.

Shapes: B orders, H context width, N steps, S scenarios, K state columns, P places of the table along the horizon,
I inputs, D hidden. `...` is any batch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from app.bundles.inputs import STATE_COLUMNS
from app.domain.order import SCENARIOS
from models.network.answer import OUTPUTS, answer
from models.network.martingale import MartingaleRule
from models.network.order_figures import ORDER_FIGURES, order_inputs
from models.network.order_view import OrderView
from models.network.scenarios import signs, vwap_flags
from models.settings.sizes import LemConfig

PLACES_PER_KNOT = 8
"""Weights are read at so many places from one knot to the next: a table of these needs one look per order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The weights of the networks at one place of the horizon, or of one row's: [..., I, D], [..., D], ..."""

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
        self.intervals = max(0, config.knots - 1)
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
            deviation = torch.zeros(self.intervals + 1, len(SCENARIOS), *shape)
            self.own[name] = nn.Parameter(deviation, requires_grad=bool(config.knots))
        with torch.no_grad():
            self.shared["last"].mul_(0.05)
        self.register_buffer("sign", signs(), persistent=False)
        self.register_buffer("is_vwap", vwap_flags(), persistent=False)

    @property
    def places(self) -> int:
        """How many places of the horizon have weights of their own."""
        return int(self.intervals) * PLACES_PER_KNOT + 1

    def blocks(self) -> list[Block]:
        """The networks at each place, [S, ...]. All are made at once, as a gradient for each alone would be as large as
        for all."""
        knot = torch.arange(self.places) // PLACES_PER_KNOT
        share = torch.arange(self.places) % PLACES_PER_KNOT / PLACES_PER_KNOT
        following = (knot + 1).clamp(max=self.intervals)
        weights = {}
        for name in self.names:
            own, shape = self.own[name], (-1, *[1] * (self.own[name].dim() - 1))
            between = own[knot] + share.to(own).view(shape) * (own[following] - own[knot])
            weights[name] = (self.shared[name] + between).unbind(0)
        return [Block(**{name: weights[name][place] for name in self.names}) for place in range(self.places)]

    def propose(self, view: OrderView, block: Block) -> tuple[Tensor, Tensor]:
        """All scenarios at one place of the horizon at once: tensors [S, B, ...] -> allocation and stop logit, [S,
        B]."""
        return answer(view, _mlp(order_inputs(view), block))


class DecisionTable(nn.Module):
    """A trained DecisionNet as `decision.onnx`: one folded block per place and scenario, looked up row by row."""

    sign: Tensor
    is_vwap: Tensor

    def __init__(self, net: DecisionNet) -> None:
        super().__init__()
        self.places, self.names, self.rule = net.places, net.names, net.rule
        blocks = net.blocks()
        for name in net.names:
            folded = torch.cat([getattr(block, name) for block in blocks]).detach()  # [P S, ...]
            self.register_buffer(name, folded)
        self.register_buffer("sign", net.sign.clone())
        self.register_buffer("is_vwap", net.is_vwap.clone())

    def forward(
        self, context: Tensor, volume_forecast: Tensor, state: Tensor, step: Tensor, scenario: Tensor
    ) -> tuple[Tensor, Tensor]:
        """[B, H], [B, N], [B, K], [B], [B] -> allocation [B], stop probability [B]."""
        max_steps = state[..., STATE_COLUMNS.index("max_steps")]
        row = place_of(step.to(context.dtype), max_steps, self.places).long() * len(SCENARIOS) + scenario
        block = Block(**{name: getattr(self, name).index_select(0, row) for name in self.names})
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


def place_of(step: Tensor, max_steps: Tensor, places: int) -> Tensor:
    """[...] as whole numbers from 0: the place on which an order of `max_steps` stands before `step`."""
    passed = ((step - 1.0) / max_steps.clamp(min=1.0)).clamp(0.0, 1.0)
    return torch.floor(passed * (places - 1.0) + 0.5)


def _mlp(x: Tensor, block: Block) -> Tensor:
    """[..., B, I] -> [..., B, 3] with one set of weights per leading index."""
    hidden = functional.silu(x @ block.first + block.first_bias.unsqueeze(-2))
    hidden = functional.silu(hidden @ block.second + block.second_bias.unsqueeze(-2))
    return hidden @ block.last + block.last_bias.unsqueeze(-2)
