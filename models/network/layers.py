"""The building blocks: gated units, variable selection and Kolmogorov-Arnold layers.

Shapes: B batch, T time, F variables, D width, K knots, S sub-layers, I inputs, O outputs.
Sources: Lim et al. 2019 (GRN, variable selection), Liu et al. 2024 (KAN).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class GatedResidual(nn.Module):
    """GRN(x) = LayerNorm(skip(x) + GLU(W2 ELU(W1 x))), GLU(y) = (W y + b) * sigmoid(V y + c)."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.inner = nn.Linear(inputs, width)
        self.outer = nn.Linear(width, width)
        self.gate = nn.Linear(width, 2 * width)
        self.skip = nn.Identity() if inputs == width else nn.Linear(inputs, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        gated = functional.glu(self.gate(self.outer(functional.elu(self.inner(x)))), dim=-1)
        result: Tensor = self.norm(self.skip(x) + gated)
        return result


class GatedNorm(nn.Module):
    """LayerNorm(residual + GLU(x)): the gate, the residual and the norm round a recurrent layer."""

    def __init__(self, inputs: int, residual: int, width: int) -> None:
        super().__init__()
        self.gate = nn.Linear(inputs, 2 * width)
        self.skip = nn.Identity() if residual == width else nn.Linear(residual, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        result: Tensor = self.norm(self.skip(residual) + functional.glu(self.gate(x), dim=-1))
        return result


class VariableSelection(nn.Module):
    """[..., F] -> [..., D]: a linear embedding and a GRN of its own for each variable, then their sum weighted by a
    softmax from a GRN on all embeddings. The F small networks run as batched products."""

    def __init__(self, variables: int, width: int) -> None:
        super().__init__()
        self.embed_weight = nn.Parameter(torch.randn(variables, width))
        self.embed_bias = nn.Parameter(torch.zeros(variables, width))
        scale = 1.0 / math.sqrt(width)
        self.inner = nn.Parameter(torch.randn(variables, width, width) * scale)
        self.inner_bias = nn.Parameter(torch.zeros(variables, width))
        self.gate = nn.Parameter(torch.randn(variables, width, 2 * width) * scale)
        self.gate_bias = nn.Parameter(torch.zeros(variables, 2 * width))
        self.norm = nn.LayerNorm(width)
        self.chooser = GatedResidual(variables * width, width)
        self.weights = nn.Linear(width, variables)

    def forward(self, x: Tensor) -> Tensor:
        alone = x.unsqueeze(-1)
        embedded = alone * self.embed_weight + self.embed_bias  # [..., F, D]
        # Embedding and first layer of one number are one linear map: [F, D] instead of a product per bar.
        slope, offset = (_per_variable(part, self.inner) for part in (self.embed_weight, self.embed_bias))
        inner = functional.elu(alone * slope + offset + self.inner_bias)
        gated = functional.glu(_per_variable(inner, self.gate) + self.gate_bias, dim=-1)
        processed = self.norm(embedded + gated)
        chosen = functional.softmax(self.weights(self.chooser(embedded.flatten(-2))), dim=-1)  # [..., F]
        result: Tensor = (chosen.unsqueeze(-1) * processed).sum(dim=-2)
        return result


def _per_variable(x: Tensor, weight: Tensor) -> Tensor:
    """[B, F, I] with [F, I, O] -> [B, F, O]."""
    return torch.einsum("...fi,fio->...fo", x, weight)


class KanSublayers(nn.Module):
    """S independent KAN layers of width W side by side, [B, S W] -> [B, S W].

    Each edge carries base * SiLU(x) + sum_j c_j B_j(x) with cubic B-splines on K uniform knots over [-3, 3]; beyond
    the knots only the base remains. The layers are kept as block-diagonal matrices, so that one bar of the recurrence
    is a few plain matrix products, which a scan can carry into ONNX with a dynamic batch.
    """

    spread: Tensor
    centres: Tensor

    def __init__(self, sublayers: int, width: int, knots: int) -> None:
        super().__init__()
        self.spacing = 6.0 / (knots - 1)
        spread = torch.eye(sublayers * width).repeat_interleave(knots, dim=1)
        self.register_buffer("spread", spread, persistent=False)  # [S W, S W K]: each input, once per knot
        self.register_buffer("centres", torch.linspace(-3.0, 3.0, knots).repeat(sublayers * width), persistent=False)
        self.base = nn.Parameter(torch.randn(sublayers, width, width) / math.sqrt(width))
        self.spline = nn.Parameter(torch.randn(sublayers, width * knots, width) * 0.1 / math.sqrt(width))

    def matrices(self) -> tuple[Tensor, Tensor]:
        """Block-diagonal base [S W, S W] and spline [S W K, S W]: made once per window, not once per bar."""
        return torch.block_diag(*self.base), torch.block_diag(*self.spline)

    def forward(self, x: Tensor, base: Tensor, spline: Tensor) -> Tensor:
        splines = cubic_b_spline((x @ self.spread - self.centres) / self.spacing)
        return functional.silu(x) @ base + splines @ spline


def cubic_b_spline(distance: Tensor) -> Tensor:
    """The uniform cubic B-spline at a distance from its centre counted in knots: 2/3 at 0, zero from 2 on."""
    size = distance.abs()
    return (torch.relu(2.0 - size) ** 3 - 4.0 * torch.relu(1.0 - size) ** 3) / 6.0
