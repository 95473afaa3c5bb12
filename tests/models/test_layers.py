"""The fused layers compute what their plain formulas say."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from models.network.layers import KanSublayers, VariableSelection, cubic_b_spline
from models.network.tkan import Tkan


def test_splines_add_up_to_one_between_the_knots() -> None:
    x = torch.linspace(-1.0, 1.0, 41)
    knots = torch.arange(-4.0, 5.0)

    total = cubic_b_spline(x[:, None] - knots).sum(-1)

    assert torch.allclose(total, torch.ones_like(total), atol=1e-6)


def test_a_spline_is_two_thirds_at_its_centre_and_nothing_two_knots_away() -> None:
    values = cubic_b_spline(torch.tensor([0.0, 1.0, -1.0, 2.0, 5.0]))

    assert torch.allclose(values, torch.tensor([2 / 3, 1 / 6, 1 / 6, 0.0, 0.0]), atol=1e-6)


def test_block_diagonal_sublayers_equal_one_function_per_edge() -> None:
    torch.manual_seed(0)
    sublayers, width, knots = 2, 3, 6
    kan = KanSublayers(sublayers, width, knots)
    x = torch.randn(5, sublayers * width)

    fused = kan(x, *kan.matrices())

    centres, spacing = torch.linspace(-3.0, 3.0, knots), 6.0 / (knots - 1)
    plain = torch.zeros_like(fused)
    for layer in range(sublayers):
        for source in range(width):
            value = x[:, layer * width + source]
            for target in range(width):
                edge = kan.base[layer, source, target] * functional.silu(value)
                for knot in range(knots):
                    coefficient = kan.spline[layer, source * knots + knot, target]
                    edge = edge + coefficient * cubic_b_spline((value - centres[knot]) / spacing)
                plain[:, layer * width + target] += edge
    assert torch.allclose(fused, plain, atol=1e-5)


def test_variable_selection_weighs_variables_with_shares_that_depend_on_all_of_them() -> None:
    torch.manual_seed(0)
    selection = VariableSelection(variables=3, width=4)
    x = torch.randn(6, 3)

    together, alone = selection(x), selection(x[:1])

    assert together.shape == (6, 4)
    assert torch.allclose(together[:1], alone, atol=1e-6)
    assert not torch.allclose(selection(x + torch.tensor([0.0, 0.0, 1.0])), together)


@pytest.mark.exports
def test_the_scan_equals_the_loop_that_training_uses() -> None:
    """Only an export scans: torch brings its compiler along for it, which takes seconds."""
    torch.manual_seed(0)
    layer = Tkan(inputs=3, hidden=4, sublayers=2, width=3, knots=5).requires_grad_(requires_grad=False)
    x = torch.randn(2, 7, 3)

    looped = layer(x)
    layer.exporting = True
    scanned = layer(x)

    assert torch.allclose(looped, scanned, atol=1e-6)


def test_the_cell_follows_the_published_equations() -> None:
    torch.manual_seed(0)
    layer = Tkan(inputs=3, hidden=4, sublayers=2, width=3, knots=5)
    x = torch.randn(1, 6, 3)

    hidden, cell, memory = torch.zeros(4), torch.zeros(4), torch.zeros(6)
    blocks = torch.block_diag(*layer.from_memory), *layer.kan.matrices()
    for bar in x[0]:
        mixed = layer.from_input.weight @ bar + layer.from_input.bias
        recurrent = layer.from_hidden.weight @ hidden
        entry, forget = torch.sigmoid(mixed[:4] + recurrent[:4]), torch.sigmoid(mixed[4:8] + recurrent[4:8])
        candidate = torch.tanh(mixed[8:12] + recurrent[8:])
        inner = layer.kan((mixed[12:] + memory @ blocks[0])[None], blocks[1], blocks[2])[0]
        cell = forget * cell + entry * candidate
        hidden = torch.sigmoid(layer.output_gate.weight @ inner + layer.output_gate.bias) * torch.tanh(cell)
        memory = layer.keep * memory + layer.write * inner

    assert torch.allclose(layer(x)[0, -1], hidden, atol=1e-5)
