"""TKAN: an LSTM whose output gate is made by recurrent KAN sub-layers with a memory of their own.

    s_l = U_l x_t + R_l k_l(t-1)        y_l = KAN_l(s_l)        k_l(t) = A_l k_l(t-1) + B_l y_l
    o_t = sigmoid(W_o [y_1 .. y_S] + b_o)
    c_t = f_t * c_(t-1) + i_t * g_t     h_t = o_t * tanh(c_t)

Shapes: B batch, T time, I inputs, D hidden, S sub-layers, K their width. Source: Genet and Inzirillo, 2405.07344.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch._higher_order_ops.scan import scan

from models.network.layers import KanSublayers

State = tuple[Tensor, Tensor, Tensor]


class Tkan(nn.Module):
    """[B, T, I] -> [B, T, D], starting from zeros at the window's first bar.

    Everything that does not depend on the state is computed for all bars at once. `exporting` swaps the plain loop,
    which is faster to train, for torch's scan, which becomes one ONNX Scan instead of thousands of nodes; a test holds
    them equal.
    """

    def __init__(self, inputs: int, hidden: int, sublayers: int, width: int, knots: int) -> None:
        super().__init__()
        self.hidden, memory = hidden, sublayers * width
        self.exporting = False
        self.from_input = nn.Linear(inputs, 3 * hidden + memory)
        self.from_hidden = nn.Linear(hidden, 3 * hidden, bias=False)
        self.from_memory = nn.Parameter(torch.randn(sublayers, width, width) / math.sqrt(width))
        self.kan = KanSublayers(sublayers, width, knots)
        self.keep = nn.Parameter(torch.full((memory,), 0.5))
        self.write = nn.Parameter(torch.full((memory,), 0.5))
        self.output_gate = nn.Linear(memory, hidden)
        nn.init.orthogonal_(self.from_hidden.weight)
        with torch.no_grad():  # start by remembering: forget gate open
            self.from_input.bias[hidden : 2 * hidden] = 1.0

    def forward(self, x: Tensor) -> Tensor:
        prepared = self.from_input(x).transpose(0, 1)  # [T, B, 3D + S K]
        blocks = (torch.block_diag(*self.from_memory), *self.kan.matrices())
        # Zeros taken from the input, so that the batch stays dynamic in an exported graph.
        zero = prepared[0, :, : self.hidden] * 0.0
        state = (zero, zero.clone(), prepared[0, :, 3 * self.hidden :] * 0.0)
        if self.exporting:

            def scan_step(state: State, row: Tensor) -> tuple[State, Tensor]:
                new = self.step(state, row, blocks)
                return new, new[0].clone()

            _, outputs = scan(scan_step, state, prepared)
            by_bar: Tensor = outputs
            return by_bar.transpose(0, 1)
        hidden = []
        for row in prepared.unbind(0):
            state = self.step(state, row, blocks)
            hidden.append(state[0])
        return torch.stack(hidden, dim=1)

    def step(self, state: State, prepared: Tensor, blocks: tuple[Tensor, Tensor, Tensor]) -> State:
        """One bar: state (h [B, D], c [B, D], k [B, S K]) and what the bar brings, [B, 3D + S K]."""
        hidden, cell, memory = state
        from_memory, base, spline = blocks
        gates = prepared[:, : 3 * self.hidden] + self.from_hidden(hidden)
        entry, forget, candidate = gates.chunk(3, dim=-1)
        inner = self.kan(prepared[:, 3 * self.hidden :] + memory @ from_memory, base, spline)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(entry) * torch.tanh(candidate)
        hidden = torch.sigmoid(self.output_gate(inner)) * torch.tanh(cell)
        return hidden, cell, self.keep * memory + self.write * inner


class Lstm(nn.LSTM):
    """[B, T, I] -> [B, T, D]: a plain LSTM, which the ablation puts in the place of the TKAN."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__(inputs, hidden, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        outputs: Tensor = super().forward(x)[0]
        return outputs
